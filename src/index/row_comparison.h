// How rows are compared with queries: the kernel of a metric, and what makes of its results
// distances.
#pragma once

#include "simd/kernels.h"
#include "types/metric.h"

namespace akidb::index {

struct RowMeasure {
  RowMeasure(Metric by, bool normalizes = false) : metric(by), normalizes_rows(normalizes) {}
  Metric metric;
  // For cosine where rows are of any length, and only queries of unit length: each product is
  // divided by the row's length. That of a zero row is 0.
  bool normalizes_rows;
};

// Results times sign() are distances. Thread-safe.
class RowComparison {
 public:
  // `kernels` outlives the object.
  RowComparison(RowMeasure measure, const simd::Kernels& kernels);

  float sign() const { return sign_; }
  // As FloatKernels::many and list (simd/kernels.h).
  void Many(const simd::QueryList& queries, const simd::RowBlock& rows, float* out) const;
  void List(const float* query, const simd::RowList& rows, float* out) const;

 private:
  // 1 divided by the row's length.
  float ScaleOf(const float* row, size_t dim) const;

  const simd::FloatKernels& kernels_;
  const float sign_;
  const bool normalizes_rows_;
};

}  // namespace akidb::index
