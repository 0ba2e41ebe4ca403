// How full a file system is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace akidb::env {

// Of the file system that `path` is on, in percent, rounded down: what this process can't write
// any more, space that is kept for the system's own use among it. Nothing where the system doesn't
// say.
std::optional<uint64_t> DiskUsePercent(const std::string& path);

}  // namespace akidb::env
