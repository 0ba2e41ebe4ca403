// Names of the format: docs/format/sparse_index.md.
#pragma once

#include <cstdint>

namespace akidb::index {

inline constexpr uint32_t kSparseIndexVersion = 1;

struct SparseIndexHeader {
  uint32_t version = kSparseIndexVersion;
  uint32_t vectors = 0;
  uint32_t indices = 0;
  uint32_t blocks = 0;
  uint64_t postings = 0;
  uint64_t reserved = 0;
};
static_assert(sizeof(SparseIndexHeader) == 32);

}  // namespace akidb::index
