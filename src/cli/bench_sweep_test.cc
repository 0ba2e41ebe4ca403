#include "cli/bench_sweep.h"

#include <gtest/gtest.h>

#include "cli/bench_target_fixture.h"

namespace akidb::cli {
namespace {

class BenchSweepTest : public ::testing::Test {
 protected:
  BenchSweepTest() {
    for (uint64_t i = 0; i < 40; ++i) {
      target_.stored[PointId(i)] = {static_cast<float>(i * i)};
    }
    options_.k = 4;
    options_.efs = {5, 20};
    options_.rounds = 3;
    queries_.vectors.dim = 1;
    for (uint64_t i = 0; i < 10; ++i) {
      queries_.vectors.values.push_back(static_cast<float>(i * i));
      queries_.own.push_back(PointId(i));
    }
  }

  MemoryTarget target_;
  BenchQueries queries_;
  SweepOptions options_;
  Progress bar_{"queries", true, {}};
  SweepProgress progress_{bar_, 100};
  SweepParts parts_{target_, queries_, options_, progress_};

  Result<std::vector<SweepPoint>> RunSweep(std::vector<Truth> truth) {
    Sweep sweep(parts_, std::move(truth));
    for (size_t round = 0; round < options_.rounds; ++round) {
      AKIDB_RETURN_IF_ERROR(sweep.Round());
    }
    return sweep.Points();
  }
};

TEST_F(BenchSweepTest, RecallIsTheShareOfTheNearest) {
  Result<std::vector<Truth>> truth = FindTruth(parts_);
  ASSERT_TRUE(truth.ok()) << truth.status().ToString();
  // 0 has 1, 4, 9 and 16 as its neighbours, without itself.
  EXPECT_EQ(truth->at(0).count, 4u);
  EXPECT_EQ(truth->at(0).distance_max, 256);
  Result<std::vector<SweepPoint>> points = RunSweep(*truth);
  ASSERT_TRUE(points.ok()) << points.status().ToString();
  ASSERT_EQ(points->size(), 2u);
  EXPECT_EQ(points->at(0).ef, 5u);
  EXPECT_DOUBLE_EQ(points->at(0).recall, 0.75);
  EXPECT_DOUBLE_EQ(points->at(1).recall, 1);
  for (const SweepPoint& point : *points) {
    EXPECT_GT(point.per_second, 0);
    EXPECT_EQ(point.per_cpu_second, 0);  // it isn't known to be in this process
    EXPECT_GT(point.p50_us, 0);
    EXPECT_LE(point.p50_us, point.p99_us);
    EXPECT_DOUBLE_EQ(point.rows, 3 * static_cast<double>(point.ef));
    EXPECT_DOUBLE_EQ(point.bytes, 64 * static_cast<double>(point.ef));
  }
  EXPECT_EQ(static_cast<uint64_t>(target_.searches), QueriesOf(options_, 10, 1));
}

TEST_F(BenchSweepTest, EqualVectorsStandForEachOther) {
  for (auto& [id, vector] : target_.stored) vector = {0};
  queries_.vectors.values.assign(10, 0);
  Result<std::vector<Truth>> truth = FindTruth(parts_);
  ASSERT_TRUE(truth.ok());
  Result<std::vector<SweepPoint>> points = RunSweep(*truth);
  ASSERT_TRUE(points.ok());
  EXPECT_DOUBLE_EQ(points->at(0).recall, 1);
}

TEST_F(BenchSweepTest, QueriesThatAreNobodysKeepTheirNearest) {
  queries_.own.clear();
  Result<std::vector<Truth>> truth = FindTruth(parts_);
  ASSERT_TRUE(truth.ok());
  EXPECT_EQ(truth->at(0).distance_max, 81);
}

TEST_F(BenchSweepTest, SeveralThreadsAskEachQueryOnce) {
  options_.threads = 4;
  options_.in_process = true;
  Result<std::vector<Truth>> truth = FindTruth(parts_);
  ASSERT_TRUE(truth.ok());
  Result<std::vector<SweepPoint>> points = RunSweep(*truth);
  ASSERT_TRUE(points.ok());
  EXPECT_DOUBLE_EQ(points->at(0).recall, 0.75);
  EXPECT_GT(points->at(0).per_cpu_second, 0);
  EXPECT_EQ(static_cast<uint64_t>(target_.searches), QueriesOf(options_, 10, 1));
}

TEST_F(BenchSweepTest, TheFirstErrorEndsIt) {
  for (size_t threads : {size_t{1}, size_t{3}}) {
    options_.threads = threads;
    target_.searches = 0;
    target_.failing_search = 5;
    Result<std::vector<Truth>> truth = FindTruth(parts_);
    EXPECT_EQ(truth.status().code(), ErrorCode::kUnavailable);
    EXPECT_LE(target_.searches, 5 + 3);
  }
}

TEST_F(BenchSweepTest, NothingToFindIsAnError) {
  target_.stored.clear();
  EXPECT_EQ(FindTruth(parts_).status().code(), ErrorCode::kInvalidArgument);
}

TEST(SpeedAt, LiesBetweenTheMeasuredPoints) {
  const auto speed = &SweepPoint::per_second;
  const BenchSeries series{"a", {{1, 0.8, 8000}, {2, 0.9, 2000}, {3, 0.99, 1000}}};
  EXPECT_NEAR(*SpeedAt(series, 0.85, speed), 4000, 1e-6);
  EXPECT_NEAR(*SpeedAt(series, 0.9, speed), 2000, 1e-6);
  EXPECT_EQ(SpeedAt(series, 0.995, speed), std::nullopt);
  EXPECT_EQ(*SpeedAt(series, 0.5, speed), 8000);
  EXPECT_EQ(SpeedAt({}, 0.5, speed), std::nullopt);
  // One that is slower than another that finds more doesn't count.
  const BenchSeries bent{"a", {{1, 0.85, 100}, {2, 0.8, 8000}, {3, 0.9, 2000}}};
  EXPECT_NEAR(*SpeedAt(bent, 0.85, speed), 4000, 1e-6);
  EXPECT_EQ(*SpeedAt(bent, 0.7, speed), 8000);
}

}  // namespace
}  // namespace akidb::cli
