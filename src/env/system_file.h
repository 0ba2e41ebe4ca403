// Text that the kernel makes up when it is asked: /proc, /sys.
#pragma once

#include <string>

#include "env/file_system.h"

namespace akidb::env {

inline constexpr size_t kSystemFileBytesMax = 64 << 10;

// The beginning of the file, at most kSystemFileBytesMax; empty where there is none. Such files
// have no size of their own, so ReadWholeFile can't read them.
std::string ReadSystemFile(FileSystem& fs, const std::string& path);

}  // namespace akidb::env
