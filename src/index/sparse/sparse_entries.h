// A sparse vector as it is stored: rows of two float32, the bits of an index and its component
// (docs/format/segment.md), by strictly ascending index.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace akidb::index {

class SparseEntries {
 public:
  SparseEntries() = default;
  // 2 x size(); borrowed.
  explicit SparseEntries(std::span<const float> rows) : rows_(rows) {}

  size_t size() const { return rows_.size() / 2; }
  uint32_t index(size_t i) const { return std::bit_cast<uint32_t>(rows_[2 * i]); }
  float value(size_t i) const { return rows_[2 * i + 1]; }

 private:
  std::span<const float> rows_;
};

// A component of a query.
struct SparseTerm {
  uint32_t index = 0;
  float weight = 0;
};

}  // namespace akidb::index
