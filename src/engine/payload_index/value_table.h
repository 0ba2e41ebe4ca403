// The values of an index and the rows of each, read in place: docs/format/payload_index.md, areas 5
// to 10. Borrowed from the bytes of the index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/payload_index/stored_rows.h"
#include "types/filter.h"

namespace akidb::engine {

// The rows of one value. No two values of an index have the same `place`.
struct ValueRows {
  uint64_t place = 0;
  StoredRows rows;
};

class StringTable {
 public:
  struct Areas {
    Uint32View string_ends;   // one for each value, as posting_ends
    Uint32View posting_ends;  // in units
    Uint32View postings;
    std::span<const std::byte> strings;
  };
  StringTable(uint32_t universe, const Areas& areas) : universe_(universe), areas_(areas) {}

  // To be called once; nothing else may be before. kCorruption.
  Status Check(uint64_t pairs) const;

  std::optional<ValueRows> Find(std::string_view key) const;
  size_t values() const { return areas_.string_ends.size(); }
  std::string_view ValueAt(size_t i) const;
  ValueRows RowsAt(size_t i) const { return {i, StoredRows::FromChecked(universe_, UnitsAt(i))}; }
  // The first value not below `key`.
  size_t FirstNotBelow(std::string_view key) const;

 private:
  Uint32View UnitsAt(size_t i) const;

  uint32_t universe_;
  Areas areas_;
};

class NumberTable {
 public:
  struct Areas {
    uint32_t width = 1;  // of a value, in bytes: 1, 2, 4, 8
    int64_t base = 0;
    std::span<const std::byte> values;  // less the base
    Uint32View rows;                    // as many
  };
  struct PairRange {
    size_t begin = 0;
    size_t end = 0;
    size_t size() const { return end - begin; }
  };
  NumberTable(uint32_t universe, const Areas& areas) : universe_(universe), areas_(areas) {}

  Status Check(uint64_t pairs) const;

  std::optional<ValueRows> Find(int64_t key) const;
  // Pairs whose value lies within. `value_of` makes a T of a key and keeps the order of keys, so
  // each bound cuts the pairs once.
  template <typename T, typename ValueOf>
  PairRange Within(const Bounds<T>& bounds, ValueOf value_of) const {
    // Written so that a bound that is not a number holds for none.
    const size_t begin = PartitionPoint([&](int64_t key) {
      const T x = value_of(key);
      return (bounds.gt && !(x > *bounds.gt)) || (bounds.gte && !(x >= *bounds.gte));
    });
    const size_t end = PartitionPoint([&](int64_t key) {
      const T x = value_of(key);
      return (!bounds.lt || x < *bounds.lt) && (!bounds.lte || x <= *bounds.lte);
    });
    return {begin, std::max(begin, end)};
  }
  size_t pairs() const { return areas_.rows.size(); }
  // In the order of keys.
  Uint32View rows() const { return areas_.rows; }
  int64_t ValueAt(size_t i) const;

 private:
  // The first pair for whose key `is_before` is false; it is true for all pairs before that one.
  template <typename IsBefore>
  size_t PartitionPoint(IsBefore is_before) const {
    size_t low = 0;
    for (size_t high = pairs(); low < high;) {
      const size_t middle = low + (high - low) / 2;
      if (is_before(ValueAt(middle))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  uint32_t universe_;
  Areas areas_;
};

}  // namespace akidb::engine
