#include "types/metric.h"

#include <gtest/gtest.h>

namespace akidb {
namespace {

TEST(Metric, NamesComeBack) {
  for (Metric metric : {Metric::kCosine, Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
    EXPECT_EQ(ParseMetric(MetricName(metric)), metric);
  }
  EXPECT_FALSE(ParseMetric("cosine"));
}

TEST(Metric, WireScoresGoThereAndBack) {
  EXPECT_EQ(WireScore(Metric::kCosine, -0.5f), 0.5f);
  EXPECT_EQ(WireScore(Metric::kEuclid, 9.0f), 3.0f);
  EXPECT_EQ(WireScore(Metric::kManhattan, 9.0f), 9.0f);
  for (Metric metric : {Metric::kCosine, Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
    EXPECT_EQ(DistanceOfWireScore(metric, WireScore(metric, 4.0f)), 4.0f);
  }
  EXPECT_LT(DistanceOfWireScore(Metric::kEuclid, -2.0f), 0.0f);
}

}  // namespace
}  // namespace akidb
