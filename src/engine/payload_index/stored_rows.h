// Sets of rows as an index holds them, read in place: docs/format/payload_index.md, "Rows".
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/payload_index/row_set.h"

namespace akidb::engine {

// Borrowed array of little-endian uint32, at any address.
class Uint32View {
 public:
  Uint32View() = default;
  // A multiple of 4 bytes.
  explicit Uint32View(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t size() const { return bytes_.size() / 4; }
  uint32_t operator[](size_t i) const {
    uint32_t value;
    std::memcpy(&value, bytes_.data() + i * 4, sizeof value);
    return value;
  }
  Uint32View subview(size_t first, size_t count) const {
    return Uint32View(bytes_.subspan(first * 4, count * 4));
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

// True if the elements strictly ascend and stay below `end`.
bool AscendsBelow(Uint32View values, uint32_t end);

class StoredRows {
 public:
  StoredRows() = default;  // no rows
  // A list: strictly ascending, below `universe`.
  static StoredRows List(uint32_t universe, Uint32View rows);
  // Form and content are checked: kCorruption.
  static Result<StoredRows> Open(uint32_t universe, Uint32View units);
  // What Open has checked.
  static StoredRows FromChecked(uint32_t universe, Uint32View units);

  uint32_t count() const { return count_; }
  void AddTo(RowCollector& out) const;
  // How many of these rows have their bit: row r is bit r % 64 of word r / 64. O(units).
  uint64_t CountIn(std::span<const uint64_t> words) const;
  // Calls f(row) for each, ascending.
  template <typename F>
  void ForEach(F f) const {
    for (size_t i = 0; i < units_.size(); ++i) {
      if (!is_bitmap_) {
        f(units_[i]);
        continue;
      }
      for (uint32_t unit = units_[i]; unit != 0; unit &= unit - 1) {
        f(static_cast<uint32_t>(i * 32) + static_cast<uint32_t>(std::countr_zero(unit)));
      }
    }
  }
  // Calls f(i) for every i whose candidates[i] is among these rows. `candidates` ascend.
  // O(candidates) for bitmaps, O(smaller x log(larger)) for lists.
  template <typename F>
  void ForEachCommon(Uint32View candidates, F f) const {
    size_t from = 0;  // in the list
    for (size_t i = 0; i < candidates.size(); ++i) {
      const uint32_t row = candidates[i];
      if (is_bitmap_) {
        if ((units_[row / 32] >> (row % 32) & 1) != 0) f(i);
        continue;
      }
      from = FirstNotBelow(units_, from, row);
      if (from == units_.size()) return;
      if (units_[from] == row) {
        f(i);
      } else {
        i = FirstNotBelow(candidates, i, units_[from]) - 1;
      }
    }
  }

 private:
  // The first place at or after `from` whose element is at least `value`; values ascend. Doubling
  // steps, then bisection, so that a merge of a short list with a long one skips most of the long.
  static size_t FirstNotBelow(Uint32View values, size_t from, uint32_t value);

  uint32_t count_ = 0;
  bool is_bitmap_ = false;
  Uint32View units_;  // rows of a list, or bits of a bitmap
};

// A stored set that is nearly everything is stored as what it lacks.
class StoredRowSet {
 public:
  StoredRowSet() = default;
  StoredRowSet(uint32_t universe, StoredRows rows, bool inverted)
      : universe_(universe), rows_(rows), inverted_(inverted) {}

  uint32_t count() const { return inverted_ ? universe_ - rows_.count() : rows_.count(); }
  RowSet Load() const;

 private:
  uint32_t universe_ = 0;
  StoredRows rows_;
  bool inverted_ = false;
};

// Appends the shorter form of strictly ascending rows below `universe`. Returns its units.
uint32_t AppendStoredRows(uint32_t universe, std::span<const uint32_t> rows,
                          std::vector<std::byte>& out);

}  // namespace akidb::engine
