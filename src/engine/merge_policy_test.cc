#include "engine/merge_policy.h"

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace akidb::engine {
namespace {

constexpr uint64_t kHead = 16384;

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1407;
}

std::vector<SegmentSize> Alive(std::initializer_list<uint64_t> rows) {
  std::vector<SegmentSize> segments;
  for (uint64_t count : rows) segments.push_back({count, 0});
  return segments;
}

TEST(MergePolicy, LeavesFewSegmentsAlone) {
  MergePolicy policy;
  EXPECT_TRUE(PickMerge(policy, {}).empty());
  EXPECT_TRUE(PickMerge(policy, Alive({1, 1, 1, 1, 1, 1})).empty());
  EXPECT_EQ(SegmentsWaiting(policy, Alive({1, 1, 1, 1, 1, 1})), 0u);
}

TEST(MergePolicy, MergesTheSmallestWithTheirLike) {
  MergePolicy policy{.busy_more = 0};
  std::vector<SegmentSize> segments = Alive({900'000, 10, 250'000, 40'000, 12, 4'000, 400});
  EXPECT_EQ(SegmentsWaiting(policy, segments), 1u);
  EXPECT_EQ(PickMerge(policy, segments), (std::vector<size_t>{1, 4}));
  segments = Alive({900'000, 1'000, 250'000, 1'000, 1'000, 1'000, 1'000});
  EXPECT_EQ(PickMerge(policy, segments), (std::vector<size_t>{1, 3, 4, 5, 6}));
}

TEST(MergePolicy, TakesSoManyThatTheRestMayRest) {
  MergePolicy policy;
  std::vector<SegmentSize> segments;
  for (uint64_t i = 0; i < 14; ++i) segments.push_back({uint64_t{1} << (i + 4), 0});
  EXPECT_EQ(SegmentsWaiting(policy, segments), 8u);
  std::vector<size_t> picked = PickMerge(policy, segments);
  EXPECT_GE(picked.size(), 9u);
  EXPECT_LE(segments.size() - picked.size() + 1, 6u);
}

TEST(MergePolicy, WaitsForMoreOfThemWhileTheyCome) {
  MergePolicy policy;
  std::vector<SegmentSize> segments(policy.resting_max + policy.busy_more, {16'384, 0});
  EXPECT_TRUE(PickMerge(policy, segments).empty());
  EXPECT_LE(SegmentsWaiting(policy, segments), policy.waiting_max);
  segments.push_back({16'384, 0});
  EXPECT_GE(PickMerge(policy, segments).size(), policy.busy_more + 2);
  segments.resize(policy.resting_max + 1);
  policy.busy_more = 0;  // at rest
  EXPECT_GE(PickMerge(policy, segments).size(), 2u);
}

TEST(MergePolicy, WritesSegmentsAnewThatHaveManyOtherPayloads) {
  MergePolicy policy;
  policy.replaced_bytes_max = 1000;
  std::vector<SegmentSize> segments = Alive({100, 200, 1000});
  segments[0].replaced = 15;
  segments[1].replaced = 30;
  segments[2].replaced = 150;
  EXPECT_TRUE(PickMerge(policy, segments).empty());
  segments[1].replaced = 31;
  EXPECT_EQ(PickMerge(policy, segments), std::vector<size_t>{1});
  segments[0].replaced = 16;  // a larger share
  EXPECT_EQ(PickMerge(policy, segments), std::vector<size_t>{0});
  // Too much memory together: the largest of them, whatever its share.
  segments[0].replaced_bytes = 300;
  segments[1].replaced_bytes = 300;
  segments[2].replaced_bytes = 400;
  EXPECT_EQ(PickMerge(policy, segments), std::vector<size_t>{0});
  segments[2].replaced_bytes = 401;
  EXPECT_EQ(PickMerge(policy, segments), std::vector<size_t>{2});
  // Dead rows come first.
  segments[1].dead = 100;
  EXPECT_EQ(PickMerge(policy, segments), std::vector<size_t>{1});
}

TEST(MergePolicy, KeepsToTheLargestSize) {
  MergePolicy policy;
  std::vector<SegmentSize> segments(13, SegmentSize{3'000'000, 0});
  std::vector<size_t> picked = PickMerge(policy, segments);
  EXPECT_EQ(picked.size(), 2u);
  // Segments over half of it are left alone, however many.
  segments.assign(40, SegmentSize{4'000'001, 0});
  EXPECT_TRUE(PickMerge(policy, segments).empty());
  EXPECT_EQ(SegmentsWaiting(policy, segments), 0u);
}

TEST(MergePolicy, RewritesTheSegmentWithTheGreatestDeadShare) {
  MergePolicy policy;
  std::vector<SegmentSize> segments = {{1000, 150}, {6'000'000, 1'000'000}, {1000, 160}};
  EXPECT_EQ(PickMerge(policy, segments), std::vector<size_t>{1});
  segments[1].dead = 900'000;
  EXPECT_EQ(PickMerge(policy, segments), std::vector<size_t>{2});
  segments[2].dead = 150;
  EXPECT_TRUE(PickMerge(policy, segments).empty());
}

TEST(MergePolicy, DropsWhollyDeadSegmentsFirst) {
  MergePolicy policy;
  std::vector<SegmentSize> segments = Alive({5, 5, 5, 5, 5, 5, 5, 5});
  segments[3].dead = 5;
  segments[6].dead = 5;
  EXPECT_EQ(PickMerge(policy, segments), (std::vector<size_t>{3, 6}));
}

// Seals and merges played through.
struct Simulation {
  MergePolicy policy;
  std::vector<SegmentSize> segments;
  uint64_t inserted = 0;
  uint64_t written = 0;
  uint64_t died = 0;

  void Seal(uint64_t rows) {
    segments.push_back({rows, 0});
    inserted += rows;
    written += rows;
  }
  void MergeOnce(const std::vector<size_t>& picked) {
    uint64_t living = 0;
    for (size_t i : picked) {
      living += segments[i].rows - segments[i].dead;
      segments[i].rows = 0;
    }
    std::erase_if(segments, [](const SegmentSize& segment) { return segment.rows == 0; });
    EXPECT_LE(living, policy.rows_max);
    if (living > 0) segments.push_back({living, 0});
    written += living;
  }
  void MergeAll() {
    for (int rounds = 0; rounds < 1000; ++rounds) {
      std::vector<size_t> picked = PickMerge(policy, segments);
      if (picked.empty()) return;
      MergeOnce(picked);
    }
    FAIL() << "the policy never rests";
  }
  size_t small() const {
    return static_cast<size_t>(
        std::count_if(segments.begin(), segments.end(), [&](const SegmentSize& segment) {
          return segment.rows - segment.dead <= policy.rows_max / 2;
        }));
  }
};

TEST(MergePolicy, WritesEachRowALogarithmicNumberOfTimes) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  struct Case {
    const char* name;
    uint64_t seals;
    std::function<uint64_t(uint64_t)> rows;  // of seal i
    uint64_t seals_at_once;
  };
  const Case kCases[] = {
      {"full heads", 1000, [](uint64_t) { return kHead; }, 1},
      {"full heads that come faster than merges", 1000, [](uint64_t) { return kHead; }, 8},
      {"heads at rest", 8000, [](uint64_t) { return uint64_t{1001}; }, 1},
      {"heads of any size", 1000, [&](uint64_t) { return 1 + random() % kHead; }, 1},
      {"a load, then a trickle", 2300, [](uint64_t i) { return i < 300 ? kHead : uint64_t{1001}; },
       1},
  };
  for (const Case& c : kCases) {
    Simulation run;
    for (uint64_t i = 0; i < c.seals; ++i) {
      run.Seal(c.rows(i));
      if ((i + 1) % c.seals_at_once != 0) continue;
      run.MergeAll();
      ASSERT_LE(run.small(), run.policy.resting_max + run.policy.busy_more) << c.name;
    }
    run.policy.busy_more = 0;
    run.MergeAll();
    ASSERT_LE(run.small(), run.policy.resting_max) << c.name;
    double amplification = static_cast<double>(run.written) / static_cast<double>(run.inserted);
    EXPECT_LT(amplification, 1 + std::log2(static_cast<double>(c.seals))) << c.name;
    RecordProperty(c.name, std::to_string(amplification));
  }
}

TEST(MergePolicy, DeathsCostAFixedNumberOfRowsEach) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Simulation run;
  for (int i = 0; i < 1000; ++i) {
    run.Seal(kHead);
    for (SegmentSize& segment : run.segments) {
      uint64_t dying = random() % (segment.rows - segment.dead + 1) / (1 + random() % 50);
      segment.dead += dying;
      run.died += dying;
    }
    run.MergeAll();
    for (const SegmentSize& segment : run.segments) {
      ASSERT_LE(segment.dead * 100, segment.rows * 15);
    }
  }
  const double bound = static_cast<double>(run.inserted) * (1 + std::log2(1000.0)) +
                       static_cast<double>(run.died) * (100.0 / 15 - 1);
  EXPECT_LT(static_cast<double>(run.written), bound);
}

TEST(MergePolicy, AtRestWhatGrowsByHalfIsMergedOnceItIsEnoughForAGraph) {
  MergePolicy policy;
  policy.graph_rows_min = 100;
  using Sizes = std::vector<SegmentSize>;
  auto pick = [&](const Sizes& sizes) { return PickMergeAtRest(policy, sizes); };
  using Numbers = std::vector<size_t>;
  EXPECT_EQ(pick(Sizes{{60, 0}, {30, 0}}), Numbers{});
  EXPECT_EQ(pick(Sizes{{60, 0}, {45, 5}}), (Numbers{1, 0}));
  // A few new rows beside many old ones are left alone.
  EXPECT_EQ(pick(Sizes{{5000, 0}, {10, 0}}), Numbers{});
  EXPECT_EQ(pick(Sizes{{5000, 0}, {10, 0}, {500, 0}, {400, 0}}), (Numbers{1, 3, 2}));
  EXPECT_EQ(pick(Sizes{{900, 0}, {10, 0}, {500, 0}, {400, 0}}), (Numbers{1, 3, 2, 0}));
  policy.rows_max = 1000;
  EXPECT_EQ(pick(Sizes{{400, 0}, {400, 0}, {400, 0}}), (Numbers{0, 1}));
  policy.graph_rows_min = UINT64_MAX;
  EXPECT_EQ(pick(Sizes{{400, 0}, {400, 0}}), Numbers{});
}

}  // namespace
}  // namespace akidb::engine
