// Libraries throw, and most of all where memory has run out; no thread of ours may end by that.
#pragma once

#include <exception>
#include <new>

#include "base/status.h"

namespace akidb::embedding {

// `call`'s Status or Result, or the exception that it ended by: kResourceExhausted for bad_alloc,
// else kInternal.
template <typename Call>
auto WithoutExceptions(Call&& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return ResourceExhaustedError("this process is out of memory");
  } catch (const std::exception& exception) {
    return InternalError(exception.what());
  }
}

}  // namespace akidb::embedding
