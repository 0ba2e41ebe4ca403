// Exact nearest neighbours by reading every row: for small collections, `exact` requests, selective
// filters and audits. Bound by memory bandwidth; a batch of queries shares one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "index/row_comparison.h"
#include "index/top_k.h"
#include "simd/kernels.h"
#include "types/metric.h"
#include "types/point_id.h"

namespace akidb::index {

// What a scan asks about rows. It asks only about rows whose distance would enter the result, so
// that tombstones, visibility and filters of any cost are looked at for a few rows of a hundred.
class RowGate {
 public:
  virtual ~RowGate() = default;
  virtual PointId id(uint32_t row) = 0;
  // False for rows that are deleted, lack the vector or don't pass the filter.
  virtual bool Admits(uint32_t row) = 0;
};

// count x dim, float32, borrowed; dim is that of the queries. Row number first_row + i begins at
// vectors + i * stride; stride >= dim, in floats.
struct FloatRows {
  const float* vectors = nullptr;
  size_t count = 0;
  size_t stride = 0;
  uint32_t first_row = 0;
  uint32_t source = 0;  // carried into the results
};

// One query of a batch: `vector` and the two objects are borrowed for the call.
struct ScanQuery {
  std::span<const float> vector;
  RowGate& gate;
  TopK& top;
};

// Scans blocks of rows of one request, one after another. Memory: a few hundred KB of buffers that
// are kept between calls, whatever the number of rows. Not thread-safe; one for each thread.
class ExactScan {
 public:
  // `context` and `kernels` outlive the scan.
  ExactScan(const RequestContext& context, RowMeasure measure,
            const simd::Kernels& kernels = simd::BestKernels());

  // Offers every row to every query. All queries have the same dim. Returns the context's error
  // when the answer is no longer wanted; the tops then hold what was found so far.
  Status Rows(const FloatRows& rows, std::span<const ScanQuery> queries);
  // Offers only the rows `list`, given by their numbers within the block (first_row and up).
  // Ascending numbers are read faster.
  Status List(const FloatRows& rows, std::span<const uint32_t> list, const ScanQuery& query);

 private:
  // Offers rows whose kernel results are given; row_at(i) is the number of the i-th.
  template <typename RowAt>
  void Offer(std::span<const float> results, const ScanQuery& query, uint32_t source,
             RowAt row_at) const;

  const RequestContext& context_;
  const RowComparison comparison_;
  std::vector<float> results_;     // queries x rows of the present chunk
  std::vector<uint32_t> offsets_;  // of listed rows, from the first row of the block
  std::vector<const float*> vectors_;
};

}  // namespace akidb::index
