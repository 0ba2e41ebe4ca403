// How often something may be done: a bucket of tokens that fills at a constant rate, up to what a
// minute brings. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"

namespace akidb::service {

class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // At first a minute's tokens are there.
  RateLimiter(std::string_view what, uint64_t per_minute, Time now)
      : what_(what), capacity_(static_cast<double>(per_minute)), tokens_(capacity_), filled_(now) {}

  // kResourceExhausted, in the dialect's words: not so many are there, or ever will be.
  Status Take(uint64_t tokens, Time now) {
    const auto wanted = static_cast<double>(tokens);
    const std::string refusal = "Rate limiting exceeded: " + what_ + " rate limit exceeded";
    if (wanted > capacity_) {
      return ResourceExhaustedError(
          refusal + ": the request is larger than what a minute allows (" + std::to_string(tokens) +
          " tokens, " + Shown(capacity_) + " a minute), please try to split your request");
    }
    MutexLock lock(mutex_);
    const double elapsed_s = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(capacity_, tokens_ + std::max(0.0, elapsed_s) * capacity_ / 60);
    filled_ = std::max(filled_, now);
    if (tokens_ >= wanted) {
      tokens_ -= wanted;
      return OkStatus();
    }
    const double wait_s = (wanted - tokens_) * 60 / capacity_;
    return ResourceExhaustedError(refusal + ": Operation requires " + std::to_string(tokens) +
                                  " tokens but only " + Shown(tokens_) +
                                  " were available. Retry after " +
                                  std::to_string(static_cast<uint64_t>(std::ceil(wait_s))) + "s");
  }

 private:
  static std::string Shown(double tokens) {
    const auto tenths = static_cast<uint64_t>(tokens * 10);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
  }

  const std::string what_;
  const double capacity_;
  Mutex mutex_;
  double tokens_ AKIDB_GUARDED_BY(mutex_);
  Time filled_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::service
