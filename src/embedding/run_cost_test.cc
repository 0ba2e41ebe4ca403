#include "embedding/run_cost.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

TEST(RunCost, KnowsNothingAtFirst) {
  const RunCost cost;
  EXPECT_FALSE(cost.LineOf(8));
  EXPECT_FALSE(cost.TokensWithin(8, 40));
}

TEST(RunCost, OneRunMakesItProportionalAndTwiceItsSizeTold) {
  RunCost cost;
  cost.Learn(100, 200, 40);
  EXPECT_DOUBLE_EQ(cost.LineOf(100)->At(400), 80);
  EXPECT_DOUBLE_EQ(*cost.TokensWithin(100, 160), 800);
  EXPECT_DOUBLE_EQ(*cost.TokensWithin(100, 20), 400);
}

// As a large model on a GPU: what a run costs is not its tokens.
TEST(RunCost, EqualLengthsFindOutALargeFixedPart) {
  for (size_t length : {64, 512}) {
    RunCost cost;
    size_t items = 1;
    for (int run = 0; run < 200; ++run) {
      const size_t tokens = items * length;
      cost.Learn(length, tokens, 80 + 0.02 * static_cast<double>(tokens));
      const double within = *cost.TokensWithin(length, 40) / static_cast<double>(length);
      items = static_cast<size_t>(std::clamp(within, 1.0, 4096.0 / static_cast<double>(length)));
      if (run > 10) EXPECT_EQ(items, 4096 / length) << run;
    }
  }
}

// And where it is, runs stay short but for a longer one now and then.
TEST(RunCost, EqualLengthsWithoutAFixedPartStayShort) {
  RunCost cost;
  size_t items = 1;
  size_t all = 0;
  for (int run = 0; run < 1000; ++run) {
    cost.Learn(256, items * 256, 100.0 * static_cast<double>(items));
    const double within = *cost.TokensWithin(256, 40) / 256;
    items = static_cast<size_t>(std::clamp(within, 1.0, 16.0));
    EXPECT_LE(items, 2u);
    all += items;
  }
  EXPECT_LT(all, 1100u);
}

TEST(RunCost, AFirstRunThatStandsOutIsForgotten) {
  RunCost cost;
  cost.Learn(64, 256, 10'000);
  cost.Learn(64, 256, 10);
  EXPECT_DOUBLE_EQ(cost.LineOf(64)->At(256), 10);
}

TEST(RunCost, RunsOfSeveralSizesTellTheFixedPart) {
  RunCost cost;
  for (size_t round = 0; round < 50; ++round) {
    const size_t tokens = 8 * (1 + round % 10);
    cost.Learn(8, tokens, 10 + 0.25 * static_cast<double>(tokens));
  }
  EXPECT_NEAR(cost.LineOf(8)->fixed_ms, 10, 1e-6);
  EXPECT_NEAR(cost.LineOf(8)->token_ms, 0.25, 1e-6);
  EXPECT_NEAR(*cost.TokensWithin(8, 50), 160, 1e-4);
  // The fixed part would be most of 12 ms.
  EXPECT_NEAR(*cost.TokensWithin(8, 12), 120, 1e-4);
}

TEST(RunCost, ClassesOfLengthsAreLearnedApart) {
  RunCost cost;
  cost.Learn(16, 100, 10);
  cost.Learn(256, 100, 50);
  EXPECT_DOUBLE_EQ(cost.LineOf(9)->At(100), 10);
  EXPECT_DOUBLE_EQ(cost.LineOf(129)->At(100), 50);
  // Those that were never run take what is known of the nearest.
  EXPECT_DOUBLE_EQ(cost.LineOf(1)->At(100), 10);
  EXPECT_DOUBLE_EQ(cost.LineOf(32)->At(100), 10);
  EXPECT_DOUBLE_EQ(cost.LineOf(1u << 30)->At(100), 50);
  const std::vector<RunTime> learned = cost.Learned();
  ASSERT_EQ(learned.size(), 2u);
  EXPECT_EQ(learned[0].length_max, 16u);
  EXPECT_EQ(learned[1].length_max, 256u);
  EXPECT_DOUBLE_EQ(learned[1].token_ms, 0.5);
}

TEST(RunCost, LongRunsThatCostNoMoreHaveNoBound) {
  RunCost cost;
  cost.Learn(8, 8, 10);
  cost.Learn(8, 800, 9.9);
  EXPECT_TRUE(std::isinf(*cost.TokensWithin(8, 40)));
}

TEST(RunCost, ForgetsWhatWasOnce) {
  RunCost cost;
  for (int run = 0; run < 1000; ++run) cost.Learn(64, 256, 10);
  for (int run = 0; run < 100; ++run) cost.Learn(64, 256, 80);
  EXPECT_NEAR(cost.LineOf(64)->At(256), 80, 1);
}

TEST(RunCost, OneRunThatStandsOutCountsLittle) {
  RunCost cost;
  for (int run = 0; run < 100; ++run) cost.Learn(64, 256, 10);
  cost.Learn(64, 256, 60'000);
  EXPECT_LT(cost.LineOf(64)->At(256), 12);
}

}  // namespace
}  // namespace akidb::embedding
