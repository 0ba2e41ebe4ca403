#include "index/codes/prefix_fit.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "simd/kernels.h"

namespace akidb::index {
namespace {

constexpr uint32_t kDim = 1536;
constexpr uint32_t kPrefix = 512;
constexpr uint32_t kRows = 1500;
constexpr uint32_t kQueries = 16;

uint64_t Seed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text == nullptr ? std::random_device()() : std::stoull(text);
}

// Rows and queries whose components fall off with i^-decay from a common middle.
class PrefixFitTest : public testing::Test {
 protected:
  PrefixFitTest() { RecordProperty("seed", std::to_string(seed_)); }

  std::vector<float> Drawn(float decay, bool unit_length) {
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (uint32_t i = 0; i < kDim; ++i) {
      vector[i] = std::pow(static_cast<float>(i + 1), -decay) * (0.3f + normal(random_));
    }
    if (unit_length) simd::Normalize(vector);
    return vector;
  }
  void Draw(float decay, bool unit_length) {
    rows_.clear();
    queries_.clear();
    std::vector<double> sums(kDim);
    for (uint32_t i = 0; i < kRows; ++i) {
      rows_.push_back(Drawn(decay, unit_length));
      for (uint32_t d = 0; d < kDim; ++d) sums[d] += static_cast<double>(rows_.back()[d]);
    }
    for (uint32_t i = 0; i < kQueries; ++i) queries_.push_back(Drawn(decay, unit_length));
    centre_.resize(kDim);
    for (uint32_t d = 0; d < kDim; ++d) centre_[d] = static_cast<float>(sums[d] / kRows);
  }
  PrefixFit Fitted(Metric metric) const {
    PrefixFitter fitter(metric, centre_, kPrefix);
    for (const auto& query : queries_) fitter.AddQuery(query);
    for (const auto& row : rows_) fitter.AddRow(row);
    return fitter.Fit();
  }
  // Of estimated distances, in spreads.
  struct Errors {
    double mean = 0;
    double root_mean_square = 0;
    double missed = 0;  // share of the ten nearest that are nearer by more than three
  };
  Errors ErrorsOf(Metric metric, const CodeSpace& space) const {
    std::vector<std::byte> codes(kRows * space.row_bytes());
    for (uint32_t i = 0; i < kRows; ++i) {
      space.Encode(rows_[i], codes.data() + i * space.row_bytes());
    }
    const CodeArray array(space, codes.data(), kRows);
    Errors errors;
    for (const auto& query : queries_) {
      const CodeQuery prepared = space.Prepare(metric, query);
      std::vector<float> estimates(kRows);
      array.Distances(prepared, 0, estimates);
      std::vector<std::pair<double, double>> by_distance;  // and the error
      for (uint32_t i = 0; i < kRows; ++i) {
        const double distance = Distance(metric, query, rows_[i]);
        const double error = (static_cast<double>(estimates[i]) - distance) /
                             static_cast<double>(array.Spread(prepared, i));
        errors.mean += error / (kRows * kQueries);
        errors.root_mean_square += error * error / (kRows * kQueries);
        by_distance.emplace_back(distance, error);
      }
      std::partial_sort(by_distance.begin(), by_distance.begin() + 10, by_distance.end());
      for (size_t i = 0; i < 10; ++i) {
        errors.missed += by_distance[i].second > 3 ? 1.0 / (10 * kQueries) : 0;
      }
    }
    errors.root_mean_square = std::sqrt(errors.root_mean_square);
    return errors;
  }
  static double Distance(Metric metric, std::span<const float> a, std::span<const float> b) {
    const simd::Kernels& kernels = simd::BestKernels();
    if (metric != Metric::kEuclid)
      return -static_cast<double>(kernels.dot.pair(a.data(), b.data(), kDim));
    return static_cast<double>(kernels.squared_l2.pair(a.data(), b.data(), kDim));
  }

  const uint64_t seed_ = Seed();
  std::mt19937_64 random_{seed_};
  std::vector<std::vector<float>> rows_;
  std::vector<std::vector<float>> queries_;
  std::vector<float> centre_;
  testing::ScopedTrace trace_{__FILE__, __LINE__, "AKIDB_TEST_SEED=" + std::to_string(seed_)};
};

// By codes of each kind, of each metric: estimates are right in the mean, their spread says how far
// off they are, and hardly one of the nearest rows seems farther away than a search looks.
TEST_F(PrefixFitTest, EstimatesByAPrefixAreAsFarOffAsTheirSpreadSays) {
  for (Metric metric : {Metric::kCosine, Metric::kEuclid, Metric::kDot}) {
    Draw(0.6f, metric == Metric::kCosine);
    const PrefixFit fit = Fitted(metric);
    for (CodeKind kind : {CodeKind::kU4, CodeKind::kU7, CodeKind::kU1}) {
      const CodeSpace space(kind, random_(), centre_, fit.prefix);
      EXPECT_EQ(space.dim(), kDim);
      EXPECT_EQ(space.padded_dim(), kPrefix);
      const Errors errors = ErrorsOf(metric, space);
      const std::string name =
          std::string(MetricName(metric)) + ", kind " + std::to_string(static_cast<int>(kind));
      EXPECT_LT(std::abs(errors.mean), 0.1) << name;
      EXPECT_LT(errors.root_mean_square, 1.3) << name;
      EXPECT_GT(errors.root_mean_square, 0.5) << name;
      EXPECT_LT(errors.missed, 0.02) << name;
    }
  }
}

TEST_F(PrefixFitTest, CountsTheRowsThatAPrefixCannotTellApart) {
  for (Metric metric : {Metric::kCosine, Metric::kEuclid, Metric::kDot}) {
    Draw(1.0f, metric == Metric::kCosine);
    EXPECT_LT(Fitted(metric).compared, 40) << MetricName(metric);
    // Nothing is said by a third of components that are all alike.
    Draw(0, metric == Metric::kCosine);
    EXPECT_GT(Fitted(metric).compared, 500) << MetricName(metric);
  }
}

// What tails have in common with prefixes is foretold by them.
TEST_F(PrefixFitTest, ATailThatRepeatsThePrefixLeavesNothing) {
  Draw(0.3f, false);
  for (auto* vectors : {&rows_, &queries_}) {
    for (auto& vector : *vectors) {
      for (uint32_t i = kPrefix; i < kDim; ++i) vector[i] = vector[i % kPrefix] / 2;
    }
  }
  for (uint32_t i = kPrefix; i < kDim; ++i) centre_[i] = centre_[i % kPrefix] / 2;
  for (Metric metric : {Metric::kEuclid, Metric::kDot}) {
    const PrefixFit fit = Fitted(metric);
    EXPECT_NEAR(fit.prefix.tail_share, 0.5f, 1e-3) << MetricName(metric);
    EXPECT_LT(fit.prefix.tail_spread, 1e-3f) << MetricName(metric);
    EXPECT_LT(fit.compared, 11) << MetricName(metric);
  }
}

TEST_F(PrefixFitTest, RowsThatAreAllEqualDoNoHarm) {
  rows_.assign(300, std::vector<float>(kDim, 0.5f));
  queries_.assign(2, std::vector<float>(kDim, 0.5f));
  centre_.assign(kDim, 0.5f);
  const PrefixFit fit = Fitted(Metric::kEuclid);
  EXPECT_EQ(fit.prefix.tail_spread, 0);
  EXPECT_EQ(fit.compared, 300);
}

}  // namespace
}  // namespace akidb::index
