#include "engine/prefix_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "simd/kernels.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kPrefixWanted = 1024;
constexpr uint32_t kPrefixMin = 512;
constexpr uint32_t kQueries = 32;
constexpr uint32_t kRows = 8192;
// Of those that it is measured with.
constexpr uint32_t kRowsMin = 256;
constexpr float kOfTheOther = 0.3f;
// Comparing a row of 2560 components reads as much as 13 of the visits that a prefix makes cheaper,
// of which a walk has some 1,500.
constexpr double kComparedMax = 200;
constexpr size_t kEfMax = 512;

// Between two rows, nearer to the first, as the recall audit draws them.
Result<DenseVector> QueryOf(const NumberedVectors& vectors, uint32_t number, Metric metric) {
  std::mt19937 random(number);
  const auto apart = static_cast<uint32_t>(1 + random() % std::max(vectors.count() / kQueries, 1u));
  AKIDB_ASSIGN_OR_RETURN(std::span<const float> row, vectors[number]);
  DenseVector query(row.begin(), row.end());
  AKIDB_ASSIGN_OR_RETURN(row, vectors[(number + apart) % vectors.count()]);
  for (size_t i = 0; i < query.size(); ++i) query[i] += kOfTheOther * (row[i] - query[i]);
  if (metric == Metric::kCosine) simd::Normalize(query);
  return query;
}

}  // namespace

uint32_t ChoosePrefix(const VectorConfig& config, std::span<const uint32_t> permitted) {
  // Manhattan's distances are not those of the codes anyway.
  if (config.dim < kPrefixedDimMin || config.multivector || config.metric == Metric::kManhattan) {
    return 0;
  }
  uint32_t chosen = 0;
  auto off = [](uint32_t prefix) {
    return std::max(prefix, kPrefixWanted) - std::min(prefix, kPrefixWanted);
  };
  for (uint32_t prefix : permitted) {
    if (prefix < kPrefixMin || prefix >= config.dim) continue;
    if (chosen == 0 || off(prefix) <= off(chosen)) chosen = prefix;
  }
  return chosen;
}

Result<index::PrefixFit> FitPrefix(const NumberedVectors& vectors, const PrefixQuestion& question) {
  // Of fewer, nothing would be known: refused.
  if (vectors.count() < kRowsMin) {
    return index::PrefixFit{{question.prefix, 0, 0}, std::numeric_limits<double>::infinity()};
  }
  index::PrefixFitter fitter(question.metric, question.centre, question.prefix);
  const uint32_t query_step = std::max(vectors.count() / kQueries, 1u);
  for (uint32_t i = 0; i < kQueries; ++i) {
    AKIDB_ASSIGN_OR_RETURN(const DenseVector query,
                           QueryOf(vectors, i * query_step, question.metric));
    fitter.AddQuery(query);
  }
  const uint32_t row_step = (vectors.count() + kRows - 1) / kRows;
  for (uint32_t number = 0; number < vectors.count(); number += row_step) {
    AKIDB_ASSIGN_OR_RETURN(std::span<const float> row, vectors[number]);
    fitter.AddRow(row);
  }
  return fitter.Fit();
}

bool IsGoodEnough(const index::PrefixFit& fit) {
  return std::isfinite(fit.prefix.tail_share) && std::isfinite(fit.prefix.tail_spread) &&
         fit.compared <= kComparedMax;
}

bool FindsEnough(const index::RecallCurve& curve, double recall) {
  auto enough = [&](const index::RecallPoint& point) {
    return static_cast<double>(point.recall) >= recall && point.ef <= kEfMax &&
           static_cast<double>(point.compared) <= kComparedMax;
  };
  return std::any_of(curve.points().begin(), curve.points().end(), enough);
}

}  // namespace akidb::engine
