// Byte pair encoding of one word: of all neighbours that may be merged, the pair with the lowest
// rank is, the leftmost of equal ones, until none is left (Sennrich et al., 2016, section 3.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace akidb::embedding {

// Immutable after building, thread-safe. Merges are found by a hash of the pair.
class BpeMerges {
 public:
  struct Merge {
    int32_t left;
    int32_t right;
    int32_t merged;  // as many bytes as both together
  };
  // In the order of their ranks, no pair twice; ids are not negative. `byte_ids` are the tokens of
  // the 256 bytes.
  BpeMerges(std::span<const Merge> merges, const std::array<int32_t, 256>& byte_ids);

  // Appends the ids of `word`. Short words by looking through all pairs for each merge, long ones
  // by a heap: n log n.
  void Encode(std::string_view word, std::vector<int32_t>& ids) const;

 private:
  static constexpr size_t kShortMax = 48;  // bytes
  static constexpr uint32_t kNoRank = std::numeric_limits<uint32_t>::max();

  struct Slot {
    uint64_t pair = 0;
    uint32_t rank = kNoRank;  // empty
    int32_t merged = 0;
  };
  struct Found {
    uint32_t rank;
    int32_t merged;
  };
  static uint64_t PairOf(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  size_t HomeOf(uint64_t pair) const {
    return static_cast<size_t>((pair * 0x9E3779B97F4A7C15u ^ pair >> 29) * 0xBF58476D1CE4E5B9u >>
                               shift_);
  }
  // kNoRank if the pair doesn't merge.
  Found Find(int32_t left, int32_t right) const {
    uint64_t pair = PairOf(left, right);
    for (size_t i = HomeOf(pair);; ++i) {
      const Slot& slot = slots_[i & mask_];
      if (slot.pair == pair || slot.rank == kNoRank) return {slot.rank, slot.merged};
    }
  }
  // Of two neighbouring bytes.
  Found FindBytes(char left, char right) const {
    return byte_pairs_[static_cast<size_t>(static_cast<unsigned char>(left)) << 8 |
                       static_cast<unsigned char>(right)];
  }
  void EncodeShort(std::string_view word, std::vector<int32_t>& ids) const;
  void EncodeLong(std::string_view word, std::vector<int32_t>& ids) const;

  std::array<int32_t, 256> byte_ids_;
  std::vector<Slot> slots_;
  std::vector<Found> byte_pairs_;  // 65,536
  unsigned shift_ = 0;
  size_t mask_ = 0;
};

}  // namespace akidb::embedding
