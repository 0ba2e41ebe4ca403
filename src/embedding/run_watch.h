// Stops runs that take too long. One thread for all of them, which sleeps without a timer while
// there are none.
#pragma once

#include <chrono>
#include <list>
#include <thread>

#include "base/mutex.h"
#include "embedding/run_control.h"

namespace akidb::embedding {

// Thread-safe.
class RunWatch {
 public:
  // 0: no run is stopped, and there is no thread.
  explicit RunWatch(std::chrono::milliseconds timeout);
  // Every guard must be gone.
  ~RunWatch();
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;

 private:
  struct Run {
    RunControl& control;
    std::chrono::steady_clock::time_point deadline;
    bool timed_out = false;
  };

 public:
  // Watches a run for as long as it lives. `control` is stopped when the time is over.
  class Guard {
   public:
    Guard(RunWatch& watch, RunControl& control);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    bool timed_out() const;

   private:
    RunWatch& watch_;
    std::list<Run>::iterator run_;
  };

 private:
  void Watch() AKIDB_EXCLUDES(mutex_);

  const std::chrono::milliseconds timeout_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ AKIDB_GUARDED_BY(mutex_) = false;
  // In the order of their deadlines, as all have the same time.
  std::list<Run> runs_ AKIDB_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace akidb::embedding
