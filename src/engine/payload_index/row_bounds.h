// What is known about the rows that satisfy a condition: which may, and which do for certain. Known
// exactly where both are the same. Closed under and, or, not, so that a filter with some conditions
// answered and some not still leaves as few rows as possible to look at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "engine/payload_index/row_set.h"

namespace akidb::engine {

class RowBounds {
 public:
  static RowBounds Exact(RowSet rows) { return RowBounds(std::move(rows)); }
  // `certain` is a subset of `possible`.
  static RowBounds Between(RowSet certain, RowSet possible);
  static RowBounds Unknown(uint32_t universe);

  bool exact() const { return !certain_; }
  const RowSet& possible() const { return possible_; }
  const RowSet& certain() const { return certain_ ? *certain_ : possible_; }

  void And(const RowBounds& other);
  void Or(const RowBounds& other);
  void Not();
  // Both are true of the same condition: keeps what follows from both.
  void Narrow(const RowBounds& other);
  // Nothing is known any more about these rows.
  void Forget(const RowSet& rows);

 private:
  explicit RowBounds(RowSet rows) : possible_(std::move(rows)) {}
  void Set(RowSet certain, RowSet possible);

  RowSet possible_;
  std::optional<RowSet> certain_;  // nothing: the same as possible_
};

// Rows for which at least `count` of the conditions hold.
RowBounds AtLeast(uint64_t count, std::span<const RowBounds> conditions, uint32_t universe);

}  // namespace akidb::engine
