#include "index/row_comparison.h"

#include <cmath>

#include "base/check.h"

namespace akidb::index {
namespace {

const simd::FloatKernels& KernelsOf(const simd::Kernels& kernels, Metric metric) {
  switch (metric) {
    case Metric::kCosine:
    case Metric::kDot:
      return kernels.dot;
    case Metric::kEuclid:
      return kernels.squared_l2;
    case Metric::kManhattan:
      return kernels.l1;
  }
  AKIDB_CHECK(false);
}

float SignOf(Metric metric) {
  return metric == Metric::kCosine || metric == Metric::kDot ? -1.0f : 1.0f;
}

}  // namespace

RowComparison::RowComparison(RowMeasure measure, const simd::Kernels& kernels)
    : kernels_(KernelsOf(kernels, measure.metric)),
      sign_(SignOf(measure.metric)),
      normalizes_rows_(measure.normalizes_rows) {
  AKIDB_CHECK(!normalizes_rows_ || measure.metric == Metric::kCosine);
}

float RowComparison::ScaleOf(const float* row, size_t dim) const {
  // The kernel's result is the product.
  const float squared = kernels_.pair(row, row, dim);
  return squared > 0 ? 1 / std::sqrt(squared) : 0;
}

void RowComparison::Many(const simd::QueryList& queries, const simd::RowBlock& rows,
                         float* out) const {
  kernels_.many(queries, rows, out);
  if (!normalizes_rows_) return;
  for (size_t i = 0; i < rows.count; ++i) {
    const float scale = ScaleOf(rows.first + i * rows.stride, rows.dim);
    for (size_t q = 0; q < queries.count; ++q) out[q * rows.count + i] *= scale;
  }
}

void RowComparison::List(const float* query, const simd::RowList& rows, float* out) const {
  kernels_.list(query, rows, out);
  if (!normalizes_rows_) return;
  for (size_t i = 0; i < rows.count; ++i) {
    out[i] *= ScaleOf(rows.base + rows.rows[i] * rows.stride, rows.dim);
  }
}

}  // namespace akidb::index
