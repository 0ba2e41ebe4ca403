#include "index/top_k.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::index {
namespace {

using ::testing::ElementsAre;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();

Neighbor MakeNeighbor(float distance, uint64_t id) { return {distance, 0, 0, PointId(id)}; }

std::vector<uint64_t> IdsOf(const std::vector<Neighbor>& neighbors) {
  std::vector<uint64_t> ids;
  for (const Neighbor& neighbor : neighbors) ids.push_back(neighbor.id.number());
  return ids;
}

TEST(TopK, KeepsTheNearestInOrder) {
  TopK top(3);
  for (uint64_t id : {7, 3, 9, 1, 5}) top.Offer(MakeNeighbor(static_cast<float>(id), id));
  EXPECT_EQ(top.bound(), 5);
  EXPECT_THAT(IdsOf(top.Take()), ElementsAre(1, 3, 5));
}

TEST(TopK, BreaksTiesBySmallerIdInAnyOrderOfOffers) {
  std::vector<uint64_t> ids = {1, 2, 3, 4, 5, 6};
  do {
    TopK top(3);
    for (uint64_t id : ids) top.Offer(MakeNeighbor(1, id));
    ASSERT_THAT(IdsOf(top.Take()), ElementsAre(1, 2, 3));
  } while (std::next_permutation(ids.begin(), ids.end()));
}

TEST(TopK, EqualsSortingEverything) {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  const uint64_t seed =
      given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    const size_t k = random() % 40;
    std::vector<Neighbor> all;
    TopK top(k);
    for (uint64_t id = 0; id < random() % 100; ++id) {
      // Few distinct distances, so that ties are common.
      all.push_back(MakeNeighbor(static_cast<float>(random() % 10), id));
    }
    std::shuffle(all.begin(), all.end(), random);
    for (const Neighbor& neighbor : all) top.Offer(neighbor);
    std::sort(all.begin(), all.end(), NearerThan);
    all.resize(std::min(k, all.size()));
    EXPECT_EQ(IdsOf(top.Take()), IdsOf(all)) << "round " << round;
  }
}

TEST(TopK, GivesEverythingWhenThereIsLessThanK) {
  TopK top(999'999'999'999);
  top.Offer(MakeNeighbor(2, 2));
  top.Offer(MakeNeighbor(1, 1));
  EXPECT_EQ(top.bound(), kInfinity);
  EXPECT_THAT(IdsOf(top.Take()), ElementsAre(1, 2));
}

TEST(TopK, TakesNothingForKOfZero) {
  TopK top(0);
  top.Offer(MakeNeighbor(-kInfinity, 1));
  EXPECT_EQ(top.size(), 0u);
  EXPECT_EQ(top.bound(), -kInfinity);
}

TEST(TopK, LeavesOutWhatIsBeyondTheLargestDistance) {
  TopK top(10, 2.0f);
  top.Offer(MakeNeighbor(2.0f, 1));
  top.Offer(MakeNeighbor(2.0000002f, 2));
  top.Offer(MakeNeighbor(kNotANumber, 3));
  EXPECT_THAT(IdsOf(top.Take()), ElementsAre(1));
}

TEST(TopK, RanksWhatIsNotANumberLast) {
  TopK top(2);
  top.Offer(MakeNeighbor(kNotANumber, 1));
  top.Offer(MakeNeighbor(kNotANumber, 2));
  top.Offer(MakeNeighbor(5, 3));
  std::vector<Neighbor> taken = top.Take();
  EXPECT_THAT(IdsOf(taken), ElementsAre(3, 1));
  EXPECT_EQ(taken[1].distance, kInfinity);
}

TEST(TopK, IsAsNewAfterTake) {
  TopK top(1, 10.0f);
  top.Offer(MakeNeighbor(1, 1));
  top.Take();
  EXPECT_EQ(top.bound(), 10);
  top.Offer(MakeNeighbor(9, 9));
  EXPECT_THAT(IdsOf(top.Take()), ElementsAre(9));
}

}  // namespace
}  // namespace akidb::index
