#include "base/request_context.h"

namespace akidb {

Status RequestContext::Check() const {
  if (cancelled()) return CancelledError("the request was cancelled by its caller");
  if (deadline_ != SteadyTime::max() && std::chrono::steady_clock::now() >= deadline_) {
    return DeadlineExceededError("the request ran past its deadline");
  }
  return OkStatus();
}

}  // namespace akidb
