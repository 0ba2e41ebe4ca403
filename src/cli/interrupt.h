// Ctrl-C: the first asks the running command to stop cleanly, the second ends the process at once.
#pragma once

#include <chrono>

namespace akidb::cli {

// While it lives, SIGINT and SIGTERM set a flag instead of ending the process. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

// True once the user asked to stop. Thread-safe.
bool Interrupted();

// Waits `pause`; false, early, when the user asks to stop. Thread-safe.
bool PauseUnlessInterrupted(std::chrono::milliseconds pause);

}  // namespace akidb::cli
