// What a filter comes to over one segment, from its payload indexes: how many rows about, and
// which.
//
// Conditions that no index answers, or that an index answers for some rows only, leave rows of
// which it isn't known whether they satisfy the filter; what is left of the filter is then to be
// evaluated for those rows alone (engine/filter_evaluator.h). Any row outside is settled.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/payload_index/payload_index_section.h"
#include "engine/payload_index/row_bounds.h"
#include "engine/payload_index/row_estimate.h"
#include "types/filter.h"

namespace akidb::engine {

// What the payload indexes of a segment don't know and its owner does.
class RowLookup {
 public:
  virtual ~RowLookup() = default;
  // The row with this id, nothing if the segment has none. Rows that are dead may be left out.
  virtual std::optional<uint32_t> RowOf(PointId id) const = 0;
  // The rows that have the named vector, a subset of 0..rows-1. Nothing if that isn't known.
  virtual std::optional<RowSet> RowsWithVector(std::string_view name) const = 0;
};

struct FilterScope {
  const PayloadIndexSection& indexes;
  const RowLookup* lookup = nullptr;  // null: has_id and has_vector are left to the evaluation
  // Rows whose payload is no longer the one that was indexed; null: none. They are always possible.
  const RowSet* changed = nullptr;
};

// Rows of a segment by a filter.
class PlannedRows {
 public:
  enum class Verdict : uint8_t { kNo, kYes, kEvaluate };

  PlannedRows(RowBounds rows, std::shared_ptr<const Filter> residual)
      : rows_(std::move(rows)), residual_(std::move(residual)) {}

  bool exact() const { return rows_.exact(); }
  // All rows that satisfy the filter are among these; exactly those if exact().
  const RowSet& possible() const { return rows_.possible(); }
  // Rows that satisfy it whatever the residual filter says.
  const RowSet& certain() const { return rows_.certain(); }
  // A possible row satisfies the filter if and only if it satisfies this one. Null if exact().
  const std::shared_ptr<const Filter>& residual() const { return residual_; }

  Verdict Decide(uint32_t row) const {
    if (!rows_.possible().Contains(row)) return Verdict::kNo;
    if (rows_.exact() || rows_.certain().Contains(row)) return Verdict::kYes;
    return Verdict::kEvaluate;
  }

 private:
  RowBounds rows_;
  std::shared_ptr<const Filter> residual_;
};

// Borrows both; made for one request.
class FilterPlan {
 public:
  FilterPlan(const Filter& filter, const FilterScope& scope) : filter_(filter), scope_(scope) {}

  // Rows that satisfy the filter, dead ones among them. A few searches for each condition.
  RowEstimate Estimate() const;

  // Within `must`, what promises the fewest rows is worked out first, and nothing more once no row
  // is left. Memory: rows / 8 bytes for a few sets at each level of nesting.
  PlannedRows Rows() const;

 private:
  const Filter& filter_;
  FilterScope scope_;
};

}  // namespace akidb::engine
