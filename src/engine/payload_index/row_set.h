// A set of rows of one segment while a filter is worked out: a sorted list when it is made small,
// else one bit a row. A value: copying copies.
//
// Not Roaring (engine/bitmap.h), which suits sets that are kept: rows come here in no order and by
// the hundred thousand, and what a filter ends in is asked row by row from inside a graph walk,
// which is one load from the words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace akidb::engine {

class RowSet {
 public:
  // No rows, of 0..universe-1.
  explicit RowSet(uint32_t universe) : universe_(universe) {}
  static RowSet All(uint32_t universe);
  // Strictly ascending, below the universe.
  static RowSet FromAscending(uint32_t universe, std::vector<uint32_t> rows);
  // ceil(universe / 64) words: row r is bit r % 64 of word r / 64; bits past the universe are 0.
  static RowSet FromWords(uint32_t universe, std::vector<uint64_t> words);

  uint32_t universe() const { return universe_; }
  // O(1) with bits, O(log count) in a list. False past the universe.
  bool Contains(uint32_t row) const;
  uint64_t count() const;
  bool empty() const;

  // `other` has the same universe. O(universe / 64), or O(count) where a list is involved.
  void Unite(const RowSet& other);
  void Intersect(const RowSet& other);
  void Subtract(const RowSet& other);
  void Invert();

  // Calls f(row) for all rows, ascending.
  template <typename F>
  void ForEach(F f) const {
    if (!has_words_) {
      for (uint32_t row : list_) f(row);
      return;
    }
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        f(static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
      }
    }
  }

  // As FromWords takes them; turns a list into bits. Valid until the next change.
  std::span<const uint64_t> Words();

  // The same rows.
  friend bool operator==(const RowSet& a, const RowSet& b);

 private:
  bool HasBit(uint32_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  void ToWords();
  template <typename Keep>
  void KeepIf(Keep keep);  // of a list

  uint32_t universe_;
  bool has_words_ = false;
  std::vector<uint32_t> list_;  // ascending; empty when has_words_
  std::vector<uint64_t> words_;
};

// Collects rows in any order, repetitions allowed.
class RowCollector {
 public:
  // `adds_max`: about how many calls of Add there will be; decides the form.
  RowCollector(uint32_t universe, uint64_t adds_max);

  // Below the universe.
  void Add(uint32_t row) {
    if (has_words_) {
      words_[row / 64] |= uint64_t{1} << (row % 64);
    } else {
      list_.push_back(row);
    }
  }
  // ceil(universe / 32) little-endian units of 32 rows, no bit past the universe.
  void AddBits(std::span<const std::byte> units);

  RowSet Finish();

 private:
  void ToWords();

  uint32_t universe_;
  bool has_words_;
  std::vector<uint32_t> list_;
  std::vector<uint64_t> words_;
};

// How often each row was added, without a counter a row: plane i holds bit i of all counts (bit
// slicing; O'Neil and Quass, Improved Query Performance with Variant Indexes, SIGMOD 1997).
// universe / 8 bytes for each bit of the greatest count.
class RowCounter {
 public:
  explicit RowCounter(uint32_t universe) : universe_(universe) {}
  void Add(const RowSet& rows);
  RowSet AtLeast(uint64_t count) const;

 private:
  uint32_t universe_;
  std::vector<std::vector<uint64_t>> planes_;  // the lowest bit first
};

}  // namespace akidb::engine
