// The values of an index and the rows of each, read in place: docs/format/payload_index.md, areas 5
// to 10. Borrowed from the bytes of the index.
#pragma once

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

class KeywordTable {
 public:
  struct Areas {
    Uint32View string_ends;   // one for each value, as posting_ends
    Uint32View posting_ends;  // in units
    Uint32View postings;
    std::span<const std::byte> strings;
  };
  KeywordTable(uint32_t universe, const Areas& areas) : universe_(universe), areas_(areas) {}

  // To be called once; nothing else may be before. kCorruption.
  Status Check(uint64_t pairs) const;

  // Whether rows that have this value are found here, if there are any.
  static bool Holds(const MatchScalar& scalar);
  std::optional<ValueRows> Find(const MatchScalar& scalar) const;
  size_t values() const { return areas_.string_ends.size(); }

 private:
  std::string_view ValueAt(size_t i) const;
  Uint32View UnitsAt(size_t i) const;

  uint32_t universe_;
  Areas areas_;
};

class IntegerTable {
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
  IntegerTable(uint32_t universe, const Areas& areas) : universe_(universe), areas_(areas) {}

  Status Check(uint64_t pairs) const;

  static bool Holds(const MatchScalar& scalar);
  std::optional<ValueRows> Find(const MatchScalar& scalar) const;
  // Pairs whose value, as a double, lies within.
  PairRange Within(const NumericRange& range) const;
  size_t pairs() const { return areas_.rows.size(); }
  // In the order of values.
  Uint32View rows() const { return areas_.rows; }

 private:
  int64_t ValueAt(size_t i) const;
  // The first pair for whose value `is_before` is false; it is true for all pairs before that one.
  template <typename IsBefore>
  size_t PartitionPoint(IsBefore is_before) const;

  uint32_t universe_;
  Areas areas_;
};

}  // namespace akidb::engine
