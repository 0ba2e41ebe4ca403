#include "cli/bench_data.h"

#include <set>

#include <gtest/gtest.h>

#include "cli/bench_target_fixture.h"

namespace akidb::cli {
namespace {

TEST(StoreRows, StoresAllOfThemAndWaitsForRest) {
  MemoryTarget target;
  target.refusals = 1;
  VectorTable rows;
  rows.dim = 1;
  for (int i = 0; i < 2500; ++i) rows.values.push_back(static_cast<float>(i));
  Progress progress("points", true, {});
  Status stored = StoreRows({target, progress, 3}, rows);
  ASSERT_TRUE(stored.ok()) << stored.ToString();
  EXPECT_EQ(target.stored.size(), 2500u);
  EXPECT_EQ(target.stored.at(PointId(2499)), DenseVector{2499});
  EXPECT_GT(target.looks, 2);
  const auto below = static_cast<size_t>(std::count_if(target.shares.begin(), target.shares.end(),
                                                       [](uint64_t s) { return s < 1000; }));
  EXPECT_NEAR(static_cast<double>(below), 250, 75);
}

TEST(SampleQueries, DrawsFromAllPagesAndKeepsIds) {
  MemoryTarget target;
  for (uint64_t i = 0; i < 100; ++i) {
    target.stored[PointId(i)] = {static_cast<float>(i)};
  }
  target.stored[PointId(100)] = {};
  Result<BenchQueries> queries = SampleQueries(target, 40, 9);
  ASSERT_TRUE(queries.ok());
  EXPECT_GE(queries->own.size(), 39u);
  ASSERT_EQ(queries->own.size(), queries->vectors.rows());
  std::set<PointId> seen(queries->own.begin(), queries->own.end());
  EXPECT_EQ(seen.size(), queries->own.size());
  EXPECT_GT(seen.rbegin()->number(), 70u);
  for (size_t q = 0; q < queries->own.size(); ++q) {
    EXPECT_EQ(queries->vectors.row(q)[0], static_cast<float>(queries->own[q].number()));
  }
  EXPECT_EQ(SampleQueries(target, 40, 9)->own, queries->own);
}

TEST(SampleQueries, AnEmptyCollectionHasNone) {
  MemoryTarget target;
  EXPECT_EQ(SampleQueries(target, 10, 1).status().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace akidb::cli
