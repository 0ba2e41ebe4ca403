#include "service/fusion.h"

#include <gtest/gtest.h>

namespace akidb::service {
namespace {

std::vector<ScoredPoint> List(std::initializer_list<std::pair<uint64_t, float>> points) {
  std::vector<ScoredPoint> list;
  for (const auto& [id, score] : points) {
    list.emplace_back();
    list.back().id = PointId(id);
    list.back().score = score;
  }
  return list;
}

void ExpectPoints(const std::vector<ScoredPoint>& points,
                  std::initializer_list<std::pair<uint64_t, float>> expected) {
  ASSERT_EQ(points.size(), expected.size());
  size_t i = 0;
  for (const auto& [id, score] : expected) {
    EXPECT_EQ(points[i].id, PointId(id)) << i;
    EXPECT_FLOAT_EQ(points[i].score, score) << i;
    ++i;
  }
}

TEST(Fuse, ByRanksOnlyPlacesCount) {
  const RankedLists lists = {List({{2, 0.9f}, {1, 0.8f}}), List({{1, 7}, {2, 6}, {3, 5}}),
                             List({{5, -1}, {3, -2}, {1, -3}})};
  ExpectPoints(Fuse(lists, {}), {{1, 13.0f / 12}, {2, 5.0f / 6}, {3, 7.0f / 12}, {5, 0.5f}});
  FusionQuery with_k;
  with_k.k = 60;
  EXPECT_FLOAT_EQ(Fuse(lists, with_k).back().score, 1.0f / 60);
}

TEST(Fuse, WeightsStretchThePlacesOfTheirList) {
  FusionQuery weighted;
  weighted.weights = {3, 0};
  ExpectPoints(Fuse({List({{1, 1}, {2, 1}}), List({{3, 1}})}, weighted),
               {{1, 1 / (1.0f / 3 + 1)}, {2, 1 / (2.0f / 3 + 1)}, {3, 0}});
}

TEST(Fuse, TiesComeByAscendingId) {
  ExpectPoints(Fuse({List({{9, 1}}), List({{4, 1}})}, {}), {{4, 0.5f}, {9, 0.5f}});
}

TEST(Fuse, ByDistributionThreeDeviationsAreTheBounds) {
  FusionQuery fusion;
  fusion.method = FusionQuery::Method::kDistribution;
  // Mean 2, deviation 1: from -1 to 5.
  ExpectPoints(Fuse({List({{1, 3}, {2, 2}, {3, 1}})}, fusion),
               {{1, 4.0f / 6}, {2, 3.0f / 6}, {3, 2.0f / 6}});
  // No deviation: the middle.
  ExpectPoints(Fuse({List({{1, 3}, {2, 3}}), List({{2, 8}})}, fusion), {{2, 1}, {1, 0.5f}});
  EXPECT_TRUE(Fuse({List({}), List({})}, fusion).empty());
}

}  // namespace
}  // namespace akidb::service
