// SHA-256 (FIPS 180-4) of files and bytes, as lower-case hexadecimal.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/status.h"
#include "env/file_system.h"

namespace akidb::embedding {

std::string Sha256(std::span<const std::byte> bytes);

// Streams the file; its size is bounded by nothing else.
Result<std::string> Sha256OfFile(env::FileSystem& fs, const std::string& path);

}  // namespace akidb::embedding
