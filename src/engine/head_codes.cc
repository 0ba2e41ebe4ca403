#include "engine/head_codes.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "engine/code_rotation.h"

namespace akidb::engine {
namespace {

std::vector<float> MeanOf(std::span<const float> vectors, uint32_t dim) {
  std::vector<double> sums(dim);
  for (size_t at = 0; at < vectors.size(); at += dim) {
    for (uint32_t i = 0; i < dim; ++i) sums[i] += static_cast<double>(vectors[at + i]);
  }
  const auto rows = static_cast<double>(vectors.size() / dim);
  std::vector<float> mean(dim);
  for (uint32_t i = 0; i < dim; ++i) mean[i] = static_cast<float>(sums[i] / rows);
  return mean;
}

}  // namespace

HeadCodes::HeadCodes(Metric metric, uint32_t dim, uint32_t rows_max)
    : metric_(metric), dim_(dim), rows_max_(rows_max) {
  AKIDB_CHECK(metric != Metric::kManhattan);
}

// Cosine's rows of zeros would seem nearer to everything than they are.
bool HeadCodes::CanStandFor(std::span<const float> vectors) const {
  if (metric_ != Metric::kCosine) return true;
  for (size_t at = 0; at < vectors.size(); at += dim_) {
    const std::span<const float> row = vectors.subspan(at, dim_);
    if (std::all_of(row.begin(), row.end(), [](float x) { return x == 0; })) return false;
  }
  return true;
}

void HeadCodes::Add(std::span<const float> vectors) {
  const uint32_t coded = rows_.load(std::memory_order_relaxed);
  const auto added = static_cast<uint32_t>(vectors.size() / dim_);
  AKIDB_CHECK(coded + added <= rows_max_ && vectors.size() % dim_ == 0);
  ended_ = ended_ || !CanStandFor(vectors);
  if (ended_ || added == 0) return;
  if (!space_) {
    space_ = std::make_shared<const index::CodeSpace>(index::CodeKind::kU4, kRotationSeed,
                                                      MeanOf(vectors, dim_));
    // Not touched: the system gives memory as rows come.
    codes_ = std::make_unique_for_overwrite<std::byte[]>(rows_max_ * space_->row_bytes());
  }
  for (uint32_t i = 0; i < added; ++i) {
    space_->Encode(vectors.subspan(i * dim_, dim_),
                   codes_.get() + (coded + i) * space_->row_bytes());
  }
  rows_.store(coded + added, std::memory_order_release);
}

size_t HeadCodes::bytes() const {
  return space_ ? rows_.load(std::memory_order_relaxed) * space_->row_bytes() : 0;
}

index::CodeSection HeadCodes::Section(uint32_t count) const {
  AKIDB_CHECK(count > 0 && count <= rows());
  index::CodeSection section;
  section.space = space_;
  section.rows = codes_.get();
  section.count = count;
  section.without_graph = true;
  return section;
}

}  // namespace akidb::engine
