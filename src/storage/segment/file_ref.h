// How one file names another that it depends on: by name, size and hash.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace akidb::storage {

using Sha256Digest = std::array<uint8_t, 32>;

struct FileRef {
  std::string name;  // without folder
  uint64_t bytes = 0;
  Sha256Digest sha256{};  // of the whole file
  friend bool operator==(const FileRef&, const FileRef&) = default;
};

}  // namespace akidb::storage
