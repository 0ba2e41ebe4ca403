// How many rows satisfy a condition, without knowing which: bounds that hold, and a guess that
// takes conditions as independent.
#pragma once

#include <cstdint>
#include <span>

namespace akidb::engine {

struct RowEstimate {
  uint64_t least = 0;
  double expected = 0;  // least <= expected <= most
  uint64_t most = 0;

  static RowEstimate Exact(uint64_t rows) { return {rows, static_cast<double>(rows), rows}; }
  // Of `universe` rows.
  static RowEstimate Unknown(uint32_t universe) {
    return {0, static_cast<double>(universe) / 2, universe};
  }
  bool exact() const { return least == most; }
};

// Of `universe` rows each. An empty list of conditions holds for every row in EstimateAll, for none
// in EstimateAny.
RowEstimate EstimateAll(std::span<const RowEstimate> conditions, uint32_t universe);
RowEstimate EstimateAny(std::span<const RowEstimate> conditions, uint32_t universe);
RowEstimate EstimateNot(const RowEstimate& condition, uint32_t universe);
RowEstimate EstimateAtLeast(uint64_t count, std::span<const RowEstimate> conditions,
                            uint32_t universe);
// Both are true of the same condition.
RowEstimate Narrowed(const RowEstimate& a, const RowEstimate& b);
// Nothing is known any more about `rows` of the rows.
RowEstimate Forgetting(const RowEstimate& estimate, uint64_t rows, uint32_t universe);

}  // namespace akidb::engine
