// Building and walking together: recall, reach, determinism and hard cases.
#include <cmath>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "index/graph/graph_builder.h"
#include "index/graph/graph_repair.h"
#include "index/graph/graph_walk.h"

namespace akidb::index {
namespace {

using Vector = std::vector<float>;

// Fixed seeds: the bounds of recall below hold for these rows.
std::vector<Vector> Clustered(uint32_t rows, uint32_t dim, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Vector> centres(50, Vector(dim));
  for (Vector& centre : centres) {
    for (float& value : centre) value = normal(random);
  }
  std::vector<Vector> vectors;
  for (uint32_t i = 0; i < rows; ++i) {
    Vector vector = centres[random() % centres.size()];
    for (float& value : vector) value += 0.7f * normal(random);
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

double DistanceBetween(Metric metric, const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]);
    const auto y = static_cast<double>(b[i]);
    sum += metric == Metric::kEuclid ? (x - y) * (x - y) : -x * y;
  }
  return sum;
}

std::vector<uint32_t> TrueNearest(Metric metric, const std::vector<Vector>& rows,
                                  const Vector& query, size_t k) {
  std::vector<std::pair<double, uint32_t>> all;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    all.emplace_back(DistanceBetween(metric, rows[i], query), i);
  }
  std::sort(all.begin(), all.end());
  std::vector<uint32_t> nearest;
  for (size_t i = 0; i < std::min(k, all.size()); ++i) nearest.push_back(all[i].second);
  return nearest;
}

// Rows, their codes and a graph over them.
class Indexed {
 public:
  Indexed(std::vector<Vector> rows, Metric metric, const GraphBuildOptions& options)
      : rows_(std::move(rows)), metric_(metric) {
    Vector centre(rows_[0].size());
    for (const Vector& row : rows_) {
      for (size_t i = 0; i < centre.size(); ++i) {
        centre[i] += row[i] / static_cast<float>(rows_.size());
      }
    }
    narrow_ = std::make_unique<CodeSpace>(CodeKind::kU4, 3, centre);
    wide_ = std::make_unique<CodeSpace>(CodeKind::kU7, 3, centre);
    narrow_codes_ = Codes(*narrow_);
    wide_codes_ = Codes(*wide_);
    double longest = 0;
    for (const Vector& row : rows_)
      longest = std::max(longest, -DistanceBetween(Metric::kDot, row, row));
    if (metric == Metric::kDot) {
      for (const Vector& row : rows_) {
        lifts_.push_back(static_cast<float>(
            std::sqrt(std::max(longest + DistanceBetween(Metric::kDot, row, row), 0.0))));
      }
    }
    const CodeArray wide(*wide_, wide_codes_.data(), count());
    Result<Graph> graph = BuildGraph({wide, lifts_}, options, std::atomic<bool>(false));
    EXPECT_TRUE(graph.ok()) << graph.status().ToString();
    graph_ = std::move(graph).value();
  }

  uint32_t count() const { return static_cast<uint32_t>(rows_.size()); }
  const Graph& graph() const { return graph_; }
  const std::vector<Vector>& rows() const { return rows_; }
  CodeArray codes() const { return {*narrow_, narrow_codes_.data(), count()}; }

  Result<bool> Walk(const Vector& query, const WalkOptions& options,
                    const RequestContext& context) {
    const CodeArray array = codes();
    return walk_.Run(context, {graph_.view(), array, narrow_->Prepare(metric_, query)}, options);
  }
  std::span<const Candidate> found() const { return walk_.found(); }
  uint64_t visits() const { return walk_.visits(); }

  // The share of the 10 nearest among ef candidates, over 100 queries like the rows.
  double Recall(uint32_t ef) {
    std::mt19937_64 random(99);
    std::normal_distribution<float> normal;
    size_t hits = 0;
    size_t wanted = 0;
    for (int q = 0; q < 100; ++q) {
      Vector query = rows_[random() % rows_.size()];
      for (float& value : query) value += 0.3f * normal(random);
      EXPECT_TRUE(Walk(query, {.ef = ef}, context_).ok());
      std::set<uint32_t> nodes;
      for (const Candidate& candidate : found()) nodes.insert(candidate.node);
      EXPECT_EQ(nodes.size(), found().size());
      for (uint32_t row : TrueNearest(metric_, rows_, query, 10)) {
        ++wanted;
        hits += nodes.count(row);
      }
    }
    return static_cast<double>(hits) / static_cast<double>(wanted);
  }

 private:
  std::vector<std::byte> Codes(const CodeSpace& space) const {
    std::vector<std::byte> codes(rows_.size() * space.row_bytes());
    for (size_t i = 0; i < rows_.size(); ++i) {
      space.Encode(rows_[i], codes.data() + i * space.row_bytes());
    }
    return codes;
  }

  const std::vector<Vector> rows_;
  const Metric metric_;
  RequestContext context_;
  std::unique_ptr<CodeSpace> narrow_;
  std::unique_ptr<CodeSpace> wide_;
  std::vector<std::byte> narrow_codes_;
  std::vector<std::byte> wide_codes_;
  std::vector<float> lifts_;
  Graph graph_;
  GraphWalk walk_;
};

void ExpectSound(const Graph& graph, uint32_t nodes) {
  ASSERT_EQ(graph.view().nodes(), nodes);
  for (uint32_t node = 0; node < nodes; ++node) {
    std::set<uint32_t> seen;
    bool ended = false;
    for (uint32_t link : graph.view().LinksOf(node)) {
      if (link == kNoNode) {
        ended = true;
        continue;
      }
      EXPECT_FALSE(ended);
      EXPECT_LT(link, nodes);
      EXPECT_NE(link, node);
      EXPECT_TRUE(seen.insert(link).second);
    }
  }
  const std::vector<bool> reachable = ReachableNodes(graph.view());
  EXPECT_EQ(std::count(reachable.begin(), reachable.end(), false), 0);
}

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
