// Stops one inference from another thread. Thread-safe.
#pragma once

#include <functional>
#include <utility>

#include "base/mutex.h"

namespace akidb::embedding {

class RunControl {
 public:
  // Nobody wants the result any more. The run ends soon with kCancelled.
  void Stop() AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    stopped_ = true;
    if (stop_run_) stop_run_();
  }

  // For another one; nothing is attached.
  void Reset() AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    stopped_ = false;
  }

  bool stopped() const AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return stopped_;
  }

  // The run that `stop_run` ends begins; it is called at once when Stop came before. It must be
  // quick, as it is called under the lock, and is not called after Detach.
  void Attach(std::function<void()> stop_run) AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    stop_run_ = std::move(stop_run);
    if (stopped_) stop_run_();
  }

  void Detach() AKIDB_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    stop_run_ = nullptr;
  }

 private:
  mutable Mutex mutex_;
  bool stopped_ AKIDB_GUARDED_BY(mutex_) = false;
  std::function<void()> stop_run_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::embedding
