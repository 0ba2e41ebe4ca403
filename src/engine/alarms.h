// Calls that are due at a certain time, for collections that have something to do when nobody asks:
// one alarm for each owner, one thread for all of them. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "base/mutex.h"
#include "env/clock.h"

namespace akidb::engine {

class Alarms {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Ring = std::function<void()>;

  // `clock` outlives the object.
  explicit Alarms(env::Clock& clock) : clock_(clock) {}

  Time Now() { return clock_.Now(); }

  // Calls `ring` once, at `when` or soon after, without a lock held; it must be short. Replaces
  // what was set for `owner` before.
  void Set(const void* owner, Time when, Ring ring);
  // Forgets what was set for `owner`; when it returns, its ring isn't running and won't. Not from a
  // ring.
  void Cancel(const void* owner);

  // Rings what is due now, one after the other. Returns how many. Beside Run only by a test that
  // doesn't call Run.
  size_t RingDue();

  // Rings everything at its time until Stop is called, and sleeps in between. For the system clock:
  // another one can't wake it.
  void Run();
  void Stop();

 private:
  struct Alarm {
    Time when;
    Ring ring;
  };
  using Entries = std::map<const void*, Alarm>;

  Entries::iterator Earliest() AKIDB_REQUIRES(mutex_);
  // Takes the alarm out and rings it, the lock given up meanwhile.
  void RingOne(Entries::iterator entry) AKIDB_REQUIRES(mutex_);

  env::Clock& clock_;
  Mutex mutex_;
  CondVar changed_;  // an alarm was set, a ring has ended, or Stop
  Entries alarms_ AKIDB_GUARDED_BY(mutex_);
  const void* ringing_ AKIDB_GUARDED_BY(mutex_) = nullptr;
  bool stopped_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb::engine
