#include "index/max_sim.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace akidb::index {
namespace {

const RequestContext kContext;

uint64_t TestSeed() {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

double Distance(const RowMeasure& measure, std::span<const float> a, std::span<const float> b) {
  double dot = 0, bb = 0, l2 = 0, l1 = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    dot += x * y;
    bb += y * y;
    l2 += (x - y) * (x - y);
    l1 += std::abs(x - y);
  }
  if (measure.normalizes_rows) return bb == 0 ? 0 : -dot / std::sqrt(bb);
  return measure.metric == Metric::kEuclid ? l2 : measure.metric == Metric::kManhattan ? l1 : -dot;
}

TEST(MaxSim, IsTheSumOverTheQuerysRowsOfTheNearestDistance) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  const RowMeasure measures[] = {Metric::kCosine, Metric::kDot, Metric::kEuclid, Metric::kManhattan,
                                 RowMeasure(Metric::kCosine, true)};
  for (const simd::Kernels* kernels : simd::AvailableKernels()) {
    for (const RowMeasure& measure : measures) {
      for (size_t dim : {1, 3, 128, 1000}) {
        for (size_t query_rows : {1, 2, 5, 33}) {
          std::vector<float> query(query_rows * dim);
          for (float& x : query) x = normal(random);
          MaxSim max_sim(kContext, measure, {query, dim}, *kernels);
          // More than one chunk of them, fewer after many, and a row of zeros.
          for (size_t count : {1, 700, 2, 5}) {
            std::vector<float> rows(count * dim);
            for (float& x : rows) x = normal(random);
            std::fill(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(dim), 0.0f);
            double expected = 0;
            double sizes = 1;
            for (size_t q = 0; q < query_rows; ++q) {
              double nearest = std::numeric_limits<double>::infinity();
              for (size_t r = 0; r < count; ++r) {
                nearest =
                    std::min(nearest, Distance(measure, std::span(query).subspan(q * dim, dim),
                                               std::span(rows).subspan(r * dim, dim)));
              }
              expected += nearest;
              sizes += std::abs(nearest);
            }
            EXPECT_NEAR(*max_sim.DistanceOf(rows), expected, 1e-5 * sizes)
                << kernels->name << " dim " << dim << " rows " << count;
          }
        }
      }
    }
  }
}

TEST(MaxSim, StopsWithinALongComparison) {
  RequestContext cancelled;
  cancelled.Cancel();
  const std::vector<float> many(1 << 19, 1);
  MaxSim max_sim(cancelled, Metric::kDot, {many, 1});
  EXPECT_EQ(max_sim.DistanceOf(many).status().code(), ErrorCode::kCancelled);
}

TEST(MaxSim, IsNotSymmetric) {
  const float one[] = {1, 0};
  const float two[] = {1, 0, 0, 1};
  EXPECT_EQ(*MaxSim(kContext, Metric::kDot, {one, 2}).DistanceOf(two), -1);
  EXPECT_EQ(*MaxSim(kContext, Metric::kDot, {two, 2}).DistanceOf(one), -1);
  EXPECT_EQ(*MaxSim(kContext, Metric::kEuclid, {one, 2}).DistanceOf(two), 0);
  EXPECT_EQ(*MaxSim(kContext, Metric::kEuclid, {two, 2}).DistanceOf(one), 2);
}

TEST(MaxSim, WhatOverflowsIsFarthest) {
  const float query[] = {3e38f, -3e38f};
  const float rows[] = {3e38f, 3e38f};
  EXPECT_EQ(*MaxSim(kContext, Metric::kEuclid, {query, 2}).DistanceOf(rows),
            std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace akidb::index
