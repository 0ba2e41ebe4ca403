#include "index/exact_scan.h"

#include <algorithm>

namespace akidb::index {
namespace {

// Rows between two looks at the request: long enough to cost nothing, short enough that a cancelled
// request ends within a millisecond. A batch reads each chunk once per few queries, so its chunks
// stay within half of a second-level cache.
constexpr size_t kChunkBytes = 1u << 20;
constexpr size_t kBatchChunkBytes = 256u << 10;
// Of results in memory at once, whatever the number of queries.
constexpr size_t kResultsMax = 64u << 10;

size_t ChunkRows(size_t dim, size_t queries_count) {
  size_t row_bytes = dim * sizeof(float);
  size_t rows = (queries_count == 1 ? kChunkBytes : kBatchChunkBytes) / row_bytes;
  return std::max<size_t>(1, std::min(rows, kResultsMax / queries_count));
}

}  // namespace

ExactScan::ExactScan(const RequestContext& context, RowMeasure measure,
                     const simd::Kernels& kernels)
    : context_(context), comparison_(measure, kernels) {}

Status ExactScan::Rows(const FloatRows& rows, std::span<const ScanQuery> queries) {
  if (queries.empty() || rows.count == 0) return OkStatus();
  const size_t dim = queries.front().vector.size();
  AKIDB_CHECK(dim > 0 && rows.stride >= dim);
  vectors_.clear();
  for (const ScanQuery& query : queries) {
    AKIDB_CHECK(query.vector.size() == dim);
    vectors_.push_back(query.vector.data());
  }
  const size_t chunk_max = ChunkRows(dim, queries.size());
  for (size_t begin = 0; begin < rows.count; begin += chunk_max) {
    AKIDB_RETURN_IF_ERROR(context_.Check());
    const size_t count = std::min(chunk_max, rows.count - begin);
    results_.resize(queries.size() * count);
    const simd::RowBlock block{rows.vectors + begin * rows.stride, count, dim, rows.stride};
    comparison_.Many({vectors_.data(), vectors_.size()}, block, results_.data());
    for (size_t q = 0; q < queries.size(); ++q) {
      std::span<const float> results = std::span(results_).subspan(q * count, count);
      uint32_t first = rows.first_row + static_cast<uint32_t>(begin);
      Offer(results, queries[q], rows.source, [first](size_t i) { return first + i; });
    }
  }
  return OkStatus();
}

Status ExactScan::List(const FloatRows& rows, std::span<const uint32_t> list,
                       const ScanQuery& query) {
  const size_t dim = query.vector.size();
  AKIDB_CHECK(dim > 0 && rows.stride >= dim);
  const size_t chunk_max = ChunkRows(dim, 1);
  for (size_t begin = 0; begin < list.size(); begin += chunk_max) {
    AKIDB_RETURN_IF_ERROR(context_.Check());
    std::span<const uint32_t> chunk = list.subspan(begin, std::min(chunk_max, list.size() - begin));
    offsets_.clear();
    for (uint32_t row : chunk) {
      AKIDB_CHECK(row >= rows.first_row && row - rows.first_row < rows.count);
      offsets_.push_back(row - rows.first_row);
    }
    results_.resize(chunk.size());
    const simd::RowList listed{rows.vectors, offsets_.data(), offsets_.size(), dim, rows.stride};
    comparison_.List(query.vector.data(), listed, results_.data());
    Offer(results_, query, rows.source, [chunk](size_t i) { return chunk[i]; });
  }
  return OkStatus();
}

template <typename RowAt>
void ExactScan::Offer(std::span<const float> results, const ScanQuery& query, uint32_t source,
                      RowAt row_at) const {
  TopK& top = query.top;
  float bound = top.bound();
  for (size_t i = 0; i < results.size(); ++i) {
    const float distance = comparison_.sign() * results[i];
    // Written so that a result which is not a number goes on to Accepts, which ranks it last.
    if (distance > bound) [[likely]]
      continue;
    const auto row = static_cast<uint32_t>(row_at(i));
    const PointId id = query.gate.id(row);
    if (!top.Accepts(distance, id) || !query.gate.Admits(row)) continue;
    top.Offer({distance, source, row, id});
    bound = top.bound();
  }
}

}  // namespace akidb::index
