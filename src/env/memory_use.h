// Memory of the machine and of this process: how much there is, as Linux tells it (proc(5)), and
// giving some back.
#pragma once

#include <cstdint>
#include <optional>

#include "env/file_system.h"

namespace akidb::env {

// Resident pages of the process in percent of all memory, or of the bound that a control group
// (version 2) sets below that; rounded down. Nothing where the system doesn't say.
std::optional<uint64_t> ResidentMemoryPercent(FileSystem& fs);

// What malloc holds free goes back to the system.
void ReturnFreeMemory();

struct MachineMemory {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;  // that programs could still get without swapping
};
// Of /proc/meminfo: a control group's bound isn't in it. Nothing where the system doesn't say.
std::optional<MachineMemory> ReadMachineMemory(FileSystem& fs);

}  // namespace akidb::env
