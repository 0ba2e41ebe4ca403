#include "index/max_sim.h"

#include <algorithm>
#include <limits>

namespace akidb::index {
namespace {

// What is compared at once stays in the second-level cache while the query's rows go over it.
constexpr size_t kChunkBytes = 256u << 10;
// Of results in memory at once, whatever the number of rows.
constexpr size_t kResultsMax = 64u << 10;

}  // namespace

MaxSim::MaxSim(const RequestContext& context, RowMeasure measure, const Query& query,
               const simd::Kernels& kernels)
    : context_(context), comparison_(measure, kernels), dim_(query.dim) {
  AKIDB_CHECK(dim_ > 0 && !query.rows.empty() && query.rows.size() % dim_ == 0);
  for (size_t at = 0; at < query.rows.size(); at += dim_) {
    query_.push_back(query.rows.data() + at);
  }
  nearest_.resize(query_.size());
}

Result<float> MaxSim::DistanceOf(std::span<const float> rows) {
  AKIDB_CHECK(!rows.empty() && rows.size() % dim_ == 0);
  std::fill(nearest_.begin(), nearest_.end(), std::numeric_limits<float>::infinity());
  const size_t count = rows.size() / dim_;
  const size_t chunk_max = std::max<size_t>(
      1, std::min(kChunkBytes / (dim_ * sizeof(float)), kResultsMax / query_.size()));
  for (size_t first = 0; first < count; first += chunk_max) {
    if (first > 0) AKIDB_RETURN_IF_ERROR(context_.Check());
    Compare({rows.data() + first * dim_, std::min(chunk_max, count - first), dim_, dim_});
  }
  double sum = 0;
  for (float distance : nearest_) sum += static_cast<double>(distance);
  return static_cast<float>(sum);
}

void MaxSim::Compare(const simd::RowBlock& rows) {
  results_.resize(query_.size() * rows.count);
  comparison_.Many({query_.data(), query_.size()}, rows, results_.data());
  for (size_t q = 0; q < query_.size(); ++q) {
    const float* of_query = results_.data() + q * rows.count;
    for (size_t i = 0; i < rows.count; ++i) {
      const float distance = comparison_.sign() * of_query[i];
      if (distance < nearest_[q]) nearest_[q] = distance;
    }
  }
}

}  // namespace akidb::index
