// How a collection stands, as members of an object.
#pragma once

#include <string_view>

#include "base/json_writer.h"
#include "service/service.h"

namespace akidb::rest {

// "state", and "reason" where there is one.
inline void WriteState(service::CollectionState state, std::string_view reason, JsonWriter& json) {
  json.Key("state");
  json.String(service::CollectionStateName(state));
  if (reason.empty()) return;
  json.Key("reason");
  json.String(reason);
}

}  // namespace akidb::rest
