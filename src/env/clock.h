// Time. Order and time-outs come from the monotonic clock: a device may start without a valid date.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/mutex.h"

namespace akidb::env {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::steady_clock::time_point Now() = 0;
  // Microseconds since the Unix epoch; may jump and may be wrong. For display only.
  virtual int64_t UnixMicros() = 0;
};

std::unique_ptr<Clock> MakeSystemClock();

// Moves only when told, so that a test decides what time it is. Thread-safe.
class ManualClock final : public Clock {
 public:
  // Begins at an arbitrary instant, 2001-09-09 on the calendar.
  ManualClock() = default;

  std::chrono::steady_clock::time_point Now() override;
  int64_t UnixMicros() override;

  // Moves both clocks forward.
  void Advance(std::chrono::microseconds by);
  // The calendar jumps, as a device's does when it first hears from the network; Now() doesn't.
  void SetUnixMicros(int64_t micros);

 private:
  Mutex mutex_;
  std::chrono::steady_clock::time_point now_ AKIDB_GUARDED_BY(mutex_){std::chrono::hours(1)};
  int64_t unix_micros_ AKIDB_GUARDED_BY(mutex_) = 1'000'000'000'000'000;
};

std::unique_ptr<ManualClock> MakeManualClock();

}  // namespace akidb::env
