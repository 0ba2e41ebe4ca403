// Graphs that take over the links of earlier ones.
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "index/graph/graph_fixture.h"

namespace akidb::index {
namespace {

constexpr GraphBuildOptions kOptions{.degree = 16, .width = 60};

// Rows that come and go, and the graph that is extended each time.
class Churn {
 public:
  Churn(Metric metric, uint32_t stored, uint64_t seed)
      : metric_(metric), pool_(Clustered(3 * stored, 48, seed)), unused_(stored), random_(seed) {
    std::vector<Vector> rows(pool_.begin(), pool_.begin() + stored);
    indexed_ = std::make_unique<Indexed>(std::move(rows), metric, kOptions);
  }

  // A share of the rows goes, others come.
  void Round(double gone, uint32_t added) {
    std::vector<uint32_t> became;
    std::vector<Vector> rows;
    for (const Vector& row : indexed_->rows()) {
      const bool stays = static_cast<double>(random_() % 1000) >= 1000 * gone;
      became.push_back(stays ? static_cast<uint32_t>(rows.size()) : kNoNode);
      if (stays) rows.push_back(row);
    }
    for (uint32_t i = 0; i < added; ++i) rows.push_back(pool_[unused_++]);
    const GraphView view = indexed_->graph().view();
    const KeptGraph kept{view, became};
    indexed_ = std::make_unique<Indexed>(std::move(rows), metric_, kOptions, &kept);
    ExpectSound(indexed_->graph(), indexed_->count());
  }

  Indexed& indexed() { return *indexed_; }
  Indexed Anew() const { return {indexed_->rows(), metric_, kOptions}; }

 private:
  const Metric metric_;
  const std::vector<Vector> pool_;
  uint32_t unused_;
  std::mt19937_64 random_;
  std::unique_ptr<Indexed> indexed_;
};

TEST(GraphExtension, TenRoundsLaterAsMuchIsFoundAsInAGraphBuiltAnew) {
  for (Metric metric : {Metric::kEuclid, Metric::kDot}) {
    Churn churn(metric, 3000, 21);
    for (int round = 0; round < 10; ++round) churn.Round(0.1, 300);
    Indexed anew = churn.Anew();
    for (uint32_t ef : {20, 40}) {
      EXPECT_GT(churn.indexed().Recall(ef), anew.Recall(ef) - 0.005) << MetricName(metric) << ef;
    }
  }
}

TEST(GraphExtension, MostRowsMayBeGoneOrNew) {
  Churn gone(Metric::kEuclid, 3000, 22);
  gone.Round(0.9, 0);
  EXPECT_GT(gone.indexed().Recall(60), 0.97);
  Churn added(Metric::kEuclid, 1500, 23);
  added.Round(0, 1500);
  EXPECT_GT(added.indexed().Recall(60), 0.97);
  added.Round(0.999, 10);
  added.Round(0, 0);
}

TEST(GraphExtension, OneRowThatIsLeftIsEnough) {
  const Indexed before(Clustered(200, 16, 24), Metric::kEuclid, kOptions);
  std::vector<uint32_t> became(200, kNoNode);
  became[77] = 3;
  const GraphView view = before.graph().view();
  const KeptGraph kept{view, became};
  std::vector<Vector> rows = Clustered(500, 16, 25);
  rows[3] = before.rows()[77];
  Indexed after(rows, Metric::kEuclid, kOptions, &kept);
  ExpectSound(after.graph(), 500);
  EXPECT_GT(after.Recall(60), 0.97);
}

TEST(GraphExtension, OneThreadGivesTheSameGraphAgain) {
  Churn first(Metric::kEuclid, 2000, 26);
  Churn second(Metric::kEuclid, 2000, 26);
  first.Round(0.2, 500);
  second.Round(0.2, 500);
  EXPECT_EQ(first.indexed().graph().links, second.indexed().graph().links);
  EXPECT_EQ(first.indexed().graph().entries, second.indexed().graph().entries);
}

// Of a graph of more links the nearest are kept.
TEST(GraphExtension, TheDegreeMayChange) {
  const std::vector<Vector> rows = Clustered(1000, 16, 27);
  const Indexed before(rows, Metric::kEuclid, {.degree = 40, .width = 60});
  std::vector<uint32_t> became(1000);
  std::iota(became.begin(), became.end(), 0);
  const GraphView view = before.graph().view();
  const KeptGraph kept{view, became};
  Indexed after(rows, Metric::kEuclid, kOptions, &kept);
  ExpectSound(after.graph(), 1000);
  EXPECT_EQ(after.graph().degree, 16u);
  EXPECT_GT(after.Recall(60), 0.97);
}

TEST(GraphExtension, StopsWhenToldTo) {
  const Indexed before(Clustered(500, 16, 28), Metric::kEuclid, kOptions);
  const std::vector<Vector> rows = before.rows();
  const CodeSpace wide(CodeKind::kU7, 3, Vector(16));
  std::vector<std::byte> codes(rows.size() * wide.row_bytes());
  for (size_t i = 0; i < rows.size(); ++i) {
    wide.Encode(rows[i], codes.data() + i * wide.row_bytes());
  }
  std::vector<uint32_t> became(500);
  std::iota(became.begin(), became.end(), 0);
  const GraphView view = before.graph().view();
  const CodeArray array(wide, codes.data(), 500);
  EXPECT_EQ(
      ExtendGraph({array, {}}, {view, became}, kOptions, std::atomic<bool>(true)).status().code(),
      ErrorCode::kCancelled);
}

}  // namespace
}  // namespace akidb::index
