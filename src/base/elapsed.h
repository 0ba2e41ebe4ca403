// How long something has taken, by the clock that nobody sets.
#pragma once

#include <chrono>

namespace akidb {

using SteadyClock = std::chrono::steady_clock;

inline double MillisecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

}  // namespace akidb
