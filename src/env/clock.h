// Time. Order and time-outs come from the monotonic clock: a device may start without a valid date.
#pragma once

#include <chrono>
#include <memory>

namespace akidb::env {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::steady_clock::time_point Now() = 0;
  // Microseconds since the Unix epoch; may jump and may be wrong. For display only.
  virtual int64_t UnixMicros() = 0;
};

std::unique_ptr<Clock> MakeSystemClock();

// Moves only when told. Thread-safe.
class ManualClock;
std::unique_ptr<ManualClock> MakeManualClock();

}  // namespace akidb::env
