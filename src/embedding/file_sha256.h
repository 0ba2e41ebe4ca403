// SHA-256 of files, as lower-case hexadecimal.
#pragma once

#include <string>

#include "base/sha256.h"
#include "base/status.h"
#include "env/file_system.h"

namespace akidb::embedding {

// Streams the file; its size is bounded by nothing else.
Result<std::string> Sha256OfFile(env::FileSystem& fs, const std::string& path);

}  // namespace akidb::embedding
