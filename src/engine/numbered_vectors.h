// The vectors of one name in a segment that is being written, in the order of their numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/stored_vector.h"
#include "engine/vector_schema.h"
#include "simd/kernels.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {

// One thread.
class NumberedVectors {
 public:
  // Both outlive it.
  NumberedVectors(const storage::SegmentRows& rows, const VectorSchema& schema, size_t ordinal)
      : rows_(rows), schema_(schema), ordinal_(ordinal) {
    for (uint32_t row = 0; row < rows.rows(); ++row) {
      if (rows.HasVector(row, ordinal)) numbers_.push_back(row);
    }
  }

  uint32_t count() const { return static_cast<uint32_t>(numbers_.size()); }
  // Of a row that has a vector.
  uint32_t NumberOf(uint32_t row) const {
    return static_cast<uint32_t>(std::lower_bound(numbers_.begin(), numbers_.end(), row) -
                                 numbers_.begin());
  }
  // As it is compared. Valid until the next call.
  Result<std::span<const float>> operator[](uint32_t number) const {
    AKIDB_ASSIGN_OR_RETURN(std::span<const std::byte> stored,
                           rows_.vector(numbers_[number], ordinal_));
    std::span<const float> vector = FloatsOf(schema_.config(ordinal_).datatype, stored, buffer_);
    if (schema_.NormalizesRows(ordinal_)) simd::Normalize(buffer_);
    return vector;
  }

 private:
  const storage::SegmentRows& rows_;
  const VectorSchema& schema_;
  const size_t ordinal_;
  std::vector<uint32_t> numbers_;      // the rows
  mutable std::vector<float> buffer_;  // of vectors that are not stored as they are compared
};

}  // namespace akidb::engine
