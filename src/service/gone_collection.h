// What is answered when a collection is deleted while it is being changed.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace akidb::service {

inline Status NoSuchCollection(std::string_view name) {
  return NotFoundError("Collection `" + std::string(name) + "` doesn't exist!");
}

// Of a change of an engine's collection that clients call `name`. Nothing but the collection itself
// can be missing there; its engine doesn't know what it is called.
inline Status ChangeOf(std::string_view name, const Status& status) {
  return status.code() == ErrorCode::kNotFound ? NoSuchCollection(name) : status;
}
template <typename T>
Result<T> ChangeOf(std::string_view name, Result<T> changed) {
  if (changed.ok()) return changed;
  return ChangeOf(name, changed.status());
}

}  // namespace akidb::service
