// Building and walking together: recall, reach, determinism and hard cases.
#include <cmath>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "index/graph/graph_fixture.h"

namespace akidb::index {
namespace {

TEST(Graph, FindsTheNearestUnderEveryMetric) {
  for (Metric metric : {Metric::kCosine, Metric::kEuclid}) {
    std::vector<Vector> rows = Clustered(3000, 48, 1);
    if (metric == Metric::kCosine) {
      for (Vector& row : rows) {
        const auto length = static_cast<float>(std::sqrt(-DistanceBetween(Metric::kDot, row, row)));
        for (float& value : row) value /= length;
      }
    }
    Indexed index(std::move(rows), metric, {.degree = 24, .width = 80});
    ExpectSound(index.graph(), 3000);
    EXPECT_GT(index.Recall(100), 0.985) << MetricName(metric);
  }
}

// The longest rows have the largest products with nearly every query.
TEST(Graph, FindsTheLargestProductsOfRowsOfVeryDifferentLengths) {
  std::vector<Vector> rows = Clustered(3000, 48, 2);
  std::mt19937_64 random(3);
  for (Vector& row : rows) {
    const float length = std::exp(2 * static_cast<float>(random() % 1000) / 1000);
    for (float& value : row) value *= length;
  }
  Indexed index(std::move(rows), Metric::kDot, {.degree = 24, .width = 80});
  ExpectSound(index.graph(), 3000);
  EXPECT_GT(index.Recall(100), 0.97);
}

TEST(Graph, OneThreadGivesTheSameGraphAgainAndTwoAsGoodAOne) {
  const std::vector<Vector> rows = Clustered(3000, 32, 4);
  const GraphBuildOptions options{.degree = 16, .width = 60};
  Indexed first(rows, Metric::kEuclid, options);
  Indexed second(rows, Metric::kEuclid, options);
  EXPECT_EQ(first.graph().links, second.graph().links);
  EXPECT_EQ(first.graph().entries, second.graph().entries);
  GraphBuildOptions parallel = options;
  parallel.threads = 3;
  Indexed third(rows, Metric::kEuclid, parallel);
  ExpectSound(third.graph(), 3000);
  EXPECT_GT(third.Recall(100), first.Recall(100) - 0.02);
}

TEST(Graph, AFewRowsAreAllFound) {
  for (uint32_t count : {1u, 2u, 3u, 33u}) {
    Indexed index(Clustered(count, 8, 5), Metric::kEuclid, {.degree = 4, .width = 10});
    ExpectSound(index.graph(), count);
    RequestContext context;
    ASSERT_TRUE(*index.Walk(Vector(8), {.ef = 100}, context));
    EXPECT_EQ(index.found().size(), count);
  }
}

TEST(Graph, EqualRowsAreAllReached) {
  std::vector<Vector> rows(1500, Vector(16, 0.25f));
  Indexed equal(rows, Metric::kEuclid, {.degree = 8, .width = 32});
  ExpectSound(equal.graph(), 1500);
  RequestContext context;
  ASSERT_TRUE(*equal.Walk(rows[0], {.ef = 10}, context));
  EXPECT_EQ(equal.found().size(), 10u);
  Indexed zero(std::vector<Vector>(500, Vector(16)), Metric::kDot, {.degree = 8, .width = 32});
  ExpectSound(zero.graph(), 500);
}

// Thousands of equal rows among others neither hide each other nor the others.
TEST(Graph, DuplicatesDoNotHideOtherRows) {
  std::vector<Vector> rows = Clustered(2000, 32, 6);
  for (int i = 0; i < 1500; ++i) rows.push_back(rows[7]);
  Indexed index(rows, Metric::kEuclid, {.degree = 16, .width = 60});
  ExpectSound(index.graph(), 3500);
  RequestContext context;
  size_t found = 0;
  for (uint32_t row = 100; row < 200; ++row) {
    ASSERT_TRUE(*index.Walk(rows[row], {.ef = 60}, context));
    for (const Candidate& candidate : index.found()) found += candidate.node == row;
  }
  EXPECT_GE(found, 98u);
}

class Modulo final : public NodeGate {
 public:
  explicit Modulo(uint32_t divisor) : divisor_(divisor) {}
  bool Admits(uint32_t node) override { return node % divisor_ == 0; }

 private:
  const uint32_t divisor_;
};

TEST(Graph, AGateLimitsTheAnswerAndNotTheWalk) {
  Indexed index(Clustered(3000, 32, 7), Metric::kEuclid, {.degree = 16, .width = 60});
  RequestContext context;
  for (uint32_t divisor : {2u, 10u, 100u}) {
    Modulo gate(divisor);
    size_t hits = 0;
    for (uint32_t q = 0; q < 50; ++q) {
      const Vector& query = index.rows()[q * 7];
      ASSERT_TRUE(*index.Walk(query, {.ef = 40, .gate = &gate}, context));
      std::set<uint32_t> nodes;
      for (const Candidate& candidate : index.found()) {
        EXPECT_EQ(candidate.node % divisor, 0u);
        nodes.insert(candidate.node);
      }
      std::vector<uint32_t> wanted;
      for (uint32_t row : TrueNearest(Metric::kEuclid, index.rows(), query, 3000)) {
        if (row % divisor == 0 && wanted.size() < 5) wanted.push_back(row);
      }
      for (uint32_t row : wanted) hits += nodes.count(row);
    }
    EXPECT_GT(hits, 250u * 97 / 100) << divisor;
  }
}

TEST(Graph, FewAdmittedNodesAreAllFoundUnlessTheBudgetEnds) {
  Indexed index(Clustered(2000, 32, 8), Metric::kEuclid, {.degree = 16, .width = 60});
  RequestContext context;
  Modulo gate(500);
  ASSERT_TRUE(*index.Walk(index.rows()[3], {.ef = 10, .gate = &gate}, context));
  EXPECT_EQ(index.found().size(), 4u);
  Result<bool> complete =
      index.Walk(index.rows()[3], {.ef = 10, .gate = &gate, .visits_max = 300}, context);
  ASSERT_TRUE(complete.ok());
  EXPECT_FALSE(*complete);
  EXPECT_LT(index.visits(), 300u + 16);
}

TEST(Graph, BuildAndWalkCanBeStopped) {
  RequestContext cancelled;
  Indexed index(Clustered(2000, 16, 9), Metric::kEuclid, {.degree = 16, .width = 60});
  cancelled.Cancel();
  EXPECT_EQ(index.Walk(Vector(16), {.ef = 2000}, cancelled).status().code(), ErrorCode::kCancelled);
  const CodeSpace space(CodeKind::kU7, 1, Vector(16));
  std::vector<std::byte> codes(100 * space.row_bytes());
  for (int i = 0; i < 100; ++i) space.Encode(index.rows()[i], codes.data() + i * space.row_bytes());
  const CodeArray array(space, codes.data(), 100);
  EXPECT_EQ(BuildGraph({array, {}}, {.threads = 2}, std::atomic<bool>(true)).status().code(),
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace akidb::index
