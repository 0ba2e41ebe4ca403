// Space that nothing was written to.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace akidb {

// True for no bytes at all, too.
inline bool AllZero(std::span<const std::byte> bytes) {
  return bytes.empty() || (bytes.front() == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace akidb
