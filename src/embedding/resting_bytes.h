// What a session takes between its runs: the counter that they raise meanwhile, read when none goes
// on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/mutex.h"

namespace akidb::embedding {

// Thread-safe.
class RestingBytes {
 public:
  // Made while nothing runs.
  explicit RestingBytes(std::shared_ptr<const std::atomic<uint64_t>> live)
      : live_(std::move(live)), rest_(*live_) {}

  // A run, as long as it lives; what the run takes must end before.
  class Running {
   public:
    explicit Running(RestingBytes& bytes) : bytes_(bytes) {
      MutexLock lock(bytes_.mutex_);
      ++bytes_.running_;
    }
    ~Running() {
      MutexLock lock(bytes_.mutex_);
      if (--bytes_.running_ == 0) bytes_.rest_ = *bytes_.live_;
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    RestingBytes& bytes_;
  };

  // As it was when nothing ran last.
  uint64_t value() const {
    MutexLock lock(mutex_);
    return rest_;
  }

 private:
  const std::shared_ptr<const std::atomic<uint64_t>> live_;
  mutable Mutex mutex_;
  size_t running_ AKIDB_GUARDED_BY(mutex_) = 0;
  uint64_t rest_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::embedding
