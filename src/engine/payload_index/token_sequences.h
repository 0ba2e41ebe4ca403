// Which tokens stand in the texts of each row, how many and in which order, so that phrases are
// found and texts are ranked without the texts: docs/format/payload_index.md, "Sequences".
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/payload_index/stored_rows.h"

namespace akidb::engine {

// A text's length in tokens as rankings count with it: its 13 leading bits, as the dialect has it.
constexpr uint32_t KeptLength(uint32_t tokens) {
  const int lost = std::max(0, static_cast<int>(std::bit_width(tokens)) - 13);
  return tokens >> lost << lost;
}

// Read in place; borrows the bytes.
class TokenSequences {
 public:
  struct Areas {
    Uint32View ranks;     // of each value of the index: frequent ones have small ranks, from 1 on
    Uint32View row_ends;  // in bytes
    std::span<const std::byte> bytes;
    Uint32View lengths;  // in tokens, of each row; empty where they are not kept
  };
  explicit TokenSequences(const Areas& areas) : areas_(areas) {}

  // To be called once; nothing else may be before. kCorruption. The bytes of the rows are not
  // looked at: they may be many, and whatever they are, they are only searched.
  Status Check() const;

  // What a row holds in which the values of these places stand one after the other. At least one.
  std::string PatternOf(std::span<const uint64_t> places) const;
  // The row lies below the number of rows. O(bytes of the row).
  bool Holds(uint32_t row, std::string_view pattern) const;

  bool has_lengths() const { return areas_.lengths.size() == areas_.row_ends.size(); }
  // As KeptLength has it.
  uint32_t Length(uint32_t row) const { return KeptLength(areas_.lengths[row]); }
  // Rows with a token, and the lengths of all. O(rows).
  struct Totals {
    uint64_t texts = 0;
    uint64_t length = 0;
  };
  Totals Sum() const;
  uint32_t RankOf(uint64_t place) const { return areas_.ranks[place]; }
  // How often a pattern of one token stands in the row. O(bytes of the row), but some ns a place.
  uint32_t Count(uint32_t row, std::string_view pattern) const;
  // Calls f(rank) for each token of the row, in order. O(bytes of the row), some ns each.
  template <typename F>
  void ForEachRank(uint32_t row, F f) const {
    uint32_t rank = 0;
    uint32_t shift = 0;
    for (const char byte : BytesOf(row)) {
      // Damaged bytes may never end a rank: they make another number, no more.
      rank |= (static_cast<uint8_t>(byte) & (kMore - 1u)) << (shift & 31);
      shift += 7;
      if ((static_cast<uint8_t>(byte) & kMore) != 0) continue;
      if (rank != 0) f(rank);
      rank = 0;
      shift = 0;
    }
  }

 private:
  static constexpr uint8_t kMore = 0x80;  // in a byte: another one of the same rank follows

  std::string_view BytesOf(uint32_t row) const {
    const size_t begin = row == 0 ? 0 : areas_.row_ends[row - 1];
    return {reinterpret_cast<const char*>(areas_.bytes.data()) + begin,
            areas_.row_ends[row] - begin};
  }
  // Calls f for each place of the row where the pattern stands, until it returns false.
  template <typename F>
  void ForEachPlace(uint32_t row, std::string_view pattern, F f) const;

  Areas areas_;
};

// What the areas above are made of. Memory: 4 bytes a token, 4 bytes a row.
class TokenSequencesBuilder {
 public:
  // A token of the row that is being added; tokens are named by numbers of any kind.
  void Add(uint32_t token) { tokens_.push_back(token); }
  // What comes next does not follow what came before: another text, or a token that has no number.
  void Break();
  void EndRow();

  size_t held_bytes() const { return (tokens_.size() + ends_.size()) * sizeof(uint32_t); }

  struct Bytes {
    std::vector<uint32_t> ranks;  // by token
    std::vector<uint32_t> row_ends;
    std::vector<std::byte> bytes;
    std::vector<uint32_t> lengths;  // of rows, in tokens
  };
  // `counts`: by token, how often it stands, about. kResourceExhausted: more bytes than ends can
  // tell.
  Result<Bytes> Finish(std::span<const uint32_t> counts) const;

 private:
  static constexpr uint32_t kBreak = UINT32_MAX;
  std::vector<uint32_t> tokens_;
  std::vector<uint32_t> ends_;  // by row, in tokens
};

}  // namespace akidb::engine
