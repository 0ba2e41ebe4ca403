#include "engine/payload_index/row_estimate.h"

#include <random>

#include <gtest/gtest.h>

#include "engine/payload_index/row_set_fixture.h"

namespace akidb::engine {
namespace {

void ExpectHolds(const RowEstimate& estimate, uint64_t truth) {
  EXPECT_LE(estimate.least, truth);
  EXPECT_GE(estimate.most, truth);
  EXPECT_GE(estimate.expected, static_cast<double>(estimate.least));
  EXPECT_LE(estimate.expected, static_cast<double>(estimate.most));
}

TEST(RowEstimate, HoldsForRandomSetsOfRows) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    const auto universe = static_cast<uint32_t>(1 + random() % 60);
    const size_t conditions = random() % 6;
    std::vector<RowEstimate> estimates;
    std::vector<uint64_t> hits(universe);
    for (size_t j = 0; j < conditions; ++j) {
      const uint64_t share = 1 + random() % 5;
      uint64_t rows = 0;
      for (uint64_t& count : hits) {
        const bool in = random() % share == 0;
        count += in;
        rows += in;
      }
      RowEstimate estimate{rows - random() % (rows + 1), 0,
                           rows + random() % (universe - rows + 1)};
      if (random() % 2 == 0) estimate = RowEstimate::Exact(rows);
      estimate.expected = static_cast<double>(estimate.least + estimate.most) / 2;
      estimates.push_back(estimate);
      ExpectHolds(EstimateNot(estimate, universe), universe - rows);
      ExpectHolds(Narrowed(estimate, RowEstimate::Unknown(universe)), rows);
      ExpectHolds(Forgetting(estimate, 1, universe), rows - (rows > 0));
    }
    auto with = [&](uint64_t count) {
      uint64_t rows = 0;
      for (uint64_t n : hits) rows += n >= count;
      return rows;
    };
    ExpectHolds(EstimateAll(estimates, universe), with(conditions));
    ExpectHolds(EstimateAny(estimates, universe), conditions == 0 ? 0 : with(1));
    for (uint64_t count = 0; count <= conditions + 1; ++count) {
      ExpectHolds(EstimateAtLeast(count, estimates, universe), with(count));
    }
  }
}

TEST(RowEstimate, ExpectsIndependentConditions) {
  const std::vector<RowEstimate> halves(3, {0, 500, 1000});
  EXPECT_DOUBLE_EQ(EstimateAll(halves, 1000).expected, 125);
  EXPECT_DOUBLE_EQ(EstimateAny(halves, 1000).expected, 875);
  EXPECT_DOUBLE_EQ(EstimateAtLeast(2, halves, 1000).expected, 500);
  EXPECT_DOUBLE_EQ(EstimateNot({100, 300, 400}, 1000).expected, 700);
}

TEST(RowEstimate, CountsWhatCannotBeAvoided) {
  const std::vector<RowEstimate> wide(2, RowEstimate::Exact(80));
  EXPECT_EQ(EstimateAll(wide, 100).least, 60u);
  EXPECT_EQ(EstimateAtLeast(2, wide, 100).least, 60u);
  EXPECT_EQ(EstimateAll({}, 100).least, 100u);
  EXPECT_EQ(EstimateAny({}, 100).most, 0u);
}

TEST(RowEstimate, SurvivesManyConditionsAndContradictions) {
  const std::vector<RowEstimate> many(5000, {10, 20, 30});
  const RowEstimate estimate = EstimateAtLeast(2500, many, 1000);
  ExpectHolds(estimate, estimate.most);
  const RowEstimate contradiction = Narrowed(RowEstimate::Exact(9), RowEstimate::Exact(3));
  ExpectHolds(contradiction, 9);
}

}  // namespace
}  // namespace akidb::engine
