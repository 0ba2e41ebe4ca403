// How much of the machine's memory this process holds, as Linux tells it (proc(5)).
#pragma once

#include <cstdint>
#include <optional>

#include "env/file_system.h"

namespace akidb::env {

// Resident pages of the process in percent of all memory, or of the bound that a control group
// (version 2) sets below that; rounded down. Nothing where the system doesn't say.
std::optional<uint64_t> ResidentMemoryPercent(FileSystem& fs);

}  // namespace akidb::env
