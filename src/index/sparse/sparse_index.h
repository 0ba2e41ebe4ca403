// Inverted lists over sparse vectors, read in place: docs/format/sparse_index.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/status.h"

namespace akidb::index {

inline constexpr uint32_t kPostingBlock = 128;

// Of one block of a list, which the block's postings keep within.
struct PostingBounds {
  uint32_t last_number = 0;  // of the block's vectors
  float least = 0;           // of its components
  float greatest = 0;
};

// The vectors that have a component at one index, by ascending number.
struct PostingList {
  std::span<const uint32_t> numbers;
  std::span<const float> values;          // one for each number
  std::span<const PostingBounds> blocks;  // one for each kPostingBlock of them, or fewer at the end
};

// Immutable; borrows its bytes. Thread-safe.
class SparseIndex {
 public:
  // Over `vectors` vectors. kCorruption when sizes, indices or starts of lists are wrong,
  // kUnsupported for another version. The postings themselves are not looked at: a search keeps
  // within bounds whatever they are, and whoever opens a segment has compared its checksums.
  static Result<SparseIndex> Open(std::span<const std::byte> bytes, uint32_t vectors);

  uint32_t vectors() const { return vectors_; }
  // Empty when no vector has the index. O(log indices).
  PostingList Find(uint32_t index) const;

 private:
  SparseIndex() = default;

  uint32_t vectors_ = 0;
  std::span<const uint64_t> starts_;        // of lists among the postings; one more than indices
  std::span<const uint32_t> block_starts_;  // likewise, among the blocks
  std::span<const uint32_t> indices_;
  std::span<const PostingBounds> blocks_;
  std::span<const uint32_t> numbers_;
  std::span<const float> values_;
};

}  // namespace akidb::index
