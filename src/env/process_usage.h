// What this process takes of the machine.
#pragma once

#include <cstdint>

namespace akidb::env {

struct ProcessUsage {
  uint64_t resident_bytes = 0;       // 0 where the system doesn't tell
  uint64_t peak_resident_bytes = 0;  // since the start or ForgetPeakResident; 0: not told
  uint64_t allocated_bytes = 0;      // by malloc, not given back
  uint64_t threads = 0;              // 0 where the system doesn't tell
  double cpu_seconds = 0;            // of all threads, in the kernel, too
};

// Reads two small files of /proc.
ProcessUsage ReadProcessUsage();

// peak_resident_bytes counts from now on. False where the system doesn't let us.
bool ForgetPeakResident();

}  // namespace akidb::env
