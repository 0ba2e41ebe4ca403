// How one file names another that it depends on: by name, size and hash.
#pragma once

#include <cstdint>
#include <string>

#include "base/sha256.h"

namespace akidb::storage {

struct FileRef {
  std::string name;  // without folder
  uint64_t bytes = 0;
  Sha256Digest sha256{};  // of the whole file
  friend bool operator==(const FileRef&, const FileRef&) = default;
};

}  // namespace akidb::storage
