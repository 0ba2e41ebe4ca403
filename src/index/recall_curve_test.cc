#include "index/recall_curve.h"

#include <limits>

#include <gtest/gtest.h>

namespace akidb::index {
namespace {

// So many that what they found is certain.
constexpr uint32_t kQueries = 1'000'000'000;

RecallCurve Curve() {
  return RecallCurve({{16, 0.9f, 300, 20}, {32, 0.94f, 500, 25}, {64, 0.95f, 900, 30}}, kQueries,
                     2.5f);
}

TEST(RecallCurve, PromisesNoMoreThanWasFoundWithMoreCandidates) {
  const RecallCurve curve({{16, 0.96f, 300, 20}, {32, 0.93f, 500, 25}, {64, 0.98f, 900, 30}}, 200);
  EXPECT_EQ(curve.points()[0].recall, 0.93f);
  EXPECT_EQ(curve.points()[1].recall, 0.93f);
  EXPECT_EQ(curve.points()[2].recall, 0.98f);
}

// Fewer candidates may cost more: a walk that was too short is made twice.
TEST(RecallCurve, FewerCandidatesAreNotChosenWhereTheyCostMore) {
  const RecallCurve curve({{10, 0.94f, 836, 20}, {16, 0.945f, 441, 20}, {20, 0.96f, 511, 20}}, 200);
  EXPECT_EQ(curve.EfFor(0.5, 10, RecallKind::kMean), 16u);
  EXPECT_EQ(curve.EfFor(0.95, 10, RecallKind::kMean), 20u);
}

TEST(RecallCurve, ChoosesTheCheapestThatFindsEnough) {
  EXPECT_EQ(Curve().EfFor(0.5, 10, RecallKind::kMean), 16u);
  EXPECT_EQ(Curve().EfFor(0.93, 10, RecallKind::kMean), 32u);
  EXPECT_EQ(Curve().EfFor(0.93, 1, RecallKind::kMean), 32u);
  EXPECT_EQ(Curve().EfFor(0.93, 25, RecallKind::kMean), 80u);
  EXPECT_FALSE(Curve().EfFor(0.96, 10, RecallKind::kMean));
  EXPECT_FALSE(RecallCurve().EfFor(0.1, 10, RecallKind::kMean));
}

TEST(RecallCurve, PromisesWhatWasMeasuredWithNoMoreCandidates) {
  EXPECT_EQ(Curve().RecallAt(15, 10), 0);
  EXPECT_NEAR(Curve().RecallAt(31, 10), 0.9, 1e-4);
  EXPECT_NEAR(Curve().RecallAt(1000, 10), 0.95, 1e-4);
  EXPECT_NEAR(Curve().RecallAt(60, 20), 0.9, 1e-4);
}

TEST(RecallCurve, CostsLieBetweenPoints) {
  EXPECT_DOUBLE_EQ(Curve().EstimatedAt(8), 150);
  EXPECT_DOUBLE_EQ(Curve().EstimatedAt(24), 400);
  EXPECT_DOUBLE_EQ(Curve().EstimatedAt(128), 1800);
}

TEST(RecallCurve, ComesBackFromBytes) {
  const std::vector<std::byte> bytes = EncodeRecallCurve(Curve());
  Result<RecallCurve> opened = OpenRecallCurve(bytes);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  ASSERT_EQ(opened->points().size(), 3u);
  EXPECT_EQ(opened->points()[1].ef, 32u);
  EXPECT_EQ(opened->queries(), kQueries);
  EXPECT_EQ(opened->visit_cost(), 2.5f);
  EXPECT_TRUE(OpenRecallCurve(EncodeRecallCurve(RecallCurve())).ok());
}

RecallCurve CurveElsewhere() {
  return RecallCurve({{16, 0.9f, 300, 20}, {32, 0.94f, 500, 25}, {64, 0.95f, 900, 30}}, kQueries,
                     2.5f, {.recall = {0.4f, 0.93f, 0.92f}, .expected = true});
}

TEST(RecallCurve, PromisesNoMoreThanIsFoundOfQueriesFromElsewhere) {
  const RecallCurve curve = CurveElsewhere();
  EXPECT_NEAR(curve.RecallAt(16, 10), 0.4, 1e-4);
  EXPECT_NEAR(curve.RecallAt(32, 10), 0.92, 1e-4);
  EXPECT_EQ(curve.EfFor(0.89, 10, RecallKind::kPromise), 32u);
  EXPECT_EQ(curve.EfFor(0.89, 10, RecallKind::kMean), 16u);
  EXPECT_FALSE(curve.EfFor(0.94, 10, RecallKind::kPromise));
  EXPECT_EQ(curve.EfFor(0.94, 10, RecallKind::kMean), 64u);
}

TEST(RecallCurve, PromisesLessWhereFewWereAsked) {
  const RecallCurve curve({{16, 0.9f, 300, 20}, {32, 1.0f, 500, 25}}, 200);
  EXPECT_LT(curve.RecallAt(16, 10), 0.89);
  EXPECT_GT(curve.RecallAt(16, 10), 0.87);
  EXPECT_EQ(curve.RecallAt(32, 10), 1);
  EXPECT_EQ(curve.EfFor(0.9, 10, RecallKind::kPromise), 32u);
}

TEST(RecallCurve, WhatWasFoundElsewhereComesBackFromBytes) {
  const std::vector<std::byte> bytes = EncodeRecallCurve(CurveElsewhere());
  Result<RecallCurve> opened = OpenRecallCurve(bytes);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_TRUE(opened->elsewhere().expected);
  EXPECT_EQ(opened->elsewhere().recall, CurveElsewhere().elsewhere().recall);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(OpenRecallCurve(std::span(bytes).first(size)).ok()) << size;
  }
  std::vector<std::byte> no_share = bytes;
  no_share.back() = std::byte{0x40};
  EXPECT_EQ(OpenRecallCurve(no_share).status().code(), ErrorCode::kCorruption);
}

TEST(RecallCurve, RefusesWhatIsNone) {
  const std::vector<std::byte> bytes = EncodeRecallCurve(Curve());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(OpenRecallCurve(std::span(bytes).first(size)).ok()) << size;
  }
  std::vector<std::byte> newer = bytes;
  newer[0] = std::byte{3};
  EXPECT_EQ(OpenRecallCurve(newer).status().code(), ErrorCode::kUnsupported);
  std::vector<std::byte> many = bytes;
  many[2] = many[3] = std::byte{0xFF};
  EXPECT_EQ(OpenRecallCurve(many).status().code(), ErrorCode::kCorruption);
  std::vector<std::byte> descending = bytes;
  descending[16] = std::byte{200};
  EXPECT_EQ(OpenRecallCurve(descending).status().code(), ErrorCode::kCorruption);
  std::vector<std::byte> not_a_number = bytes;
  not_a_number[22] = not_a_number[23] = std::byte{0xFF};
  EXPECT_EQ(OpenRecallCurve(not_a_number).status().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace akidb::index
