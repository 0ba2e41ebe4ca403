#include "embedding/run_watch.h"

namespace akidb::embedding {

RunWatch::RunWatch(std::chrono::milliseconds timeout) : timeout_(timeout) {
  if (timeout_.count() > 0) thread_ = std::thread([this] { Watch(); });
}

RunWatch::~RunWatch() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

RunWatch::Guard::Guard(RunWatch& watch, RunControl& control) : watch_(watch) {
  MutexLock lock(watch_.mutex_);
  // Later deadlines don't move the next one; runs that were stopped and go on have none.
  const bool was_idle = watch_.runs_.empty() || watch_.runs_.back().timed_out;
  run_ = watch_.runs_.insert(watch_.runs_.end(),
                             {control, std::chrono::steady_clock::now() + watch_.timeout_, false});
  if (was_idle) watch_.changed_.NotifyAll();
}

RunWatch::Guard::~Guard() {
  MutexLock lock(watch_.mutex_);
  watch_.runs_.erase(run_);
}

bool RunWatch::Guard::timed_out() const {
  MutexLock lock(watch_.mutex_);
  return run_->timed_out;
}

void RunWatch::Watch() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    auto next = runs_.begin();
    while (next != runs_.end() && next->timed_out) ++next;
    if (next == runs_.end()) {
      changed_.Wait(mutex_);
      continue;
    }
    if (std::chrono::steady_clock::now() >= next->deadline) {
      next->timed_out = true;
      // Under the lock, so that the run doesn't end, and take its control along, meanwhile.
      next->control.Stop();
      continue;
    }
    changed_.WaitUntil(mutex_, next->deadline);
  }
}

}  // namespace akidb::embedding
