// What travels with a request from the transport down to a kernel: its deadline and whether the
// caller still wants the answer. Passed by reference; never stored past the request.
#pragma once

#include <atomic>
#include <chrono>

#include "base/status.h"

namespace akidb {

class RequestContext {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // Without a deadline.
  RequestContext() = default;
  explicit RequestContext(SteadyTime deadline) : deadline_(deadline) {}
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;

  SteadyTime deadline() const { return deadline_; }

  // Thread-safe: the transport calls it when the client has gone.
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  // Ok while the answer is still wanted; kCancelled or kDeadlineExceeded afterwards. Reads the
  // clock: call it between blocks of work, not per row.
  Status Check() const;

 private:
  SteadyTime deadline_ = SteadyTime::max();
  std::atomic<bool> cancelled_{false};
};

}  // namespace akidb
