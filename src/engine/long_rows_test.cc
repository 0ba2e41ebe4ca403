// Inner products with a few rows that are far longer than the others: these stand beside the graph.
#include <gtest/gtest.h>

#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kRows = 6000;
constexpr uint64_t kFirstQuery = 1'000'000;

class LongRowsTest : public IndexedCollectionFixture {
 protected:
  LongRowsTest() : IndexedCollectionFixture(40, 128) {
    config_.vectors[""].metric = Metric::kDot;
    options_.head_rows_max = 2 * kRows;
  }

  std::string PayloadOf(uint64_t id) const override {
    return R"({"long":)" + std::string(IsLong(id) ? "true" : "false") + "}";
  }
  bool IsLong(uint64_t id) const { return id < kRows && id % long_every_ == 7; }
  DenseVector VectorOf(uint64_t id) const override {
    DenseVector vector = IndexedCollectionFixture::VectorOf(id);
    for (float& value : vector) value *= IsLong(id) ? longer_ : 1;
    return vector;
  }
  void Make() {
    Create();
    Store(0, kRows);
    Settle();
  }
  SearchPlan PlanOf(const DenseVector& query) {
    SearchPlan plan;
    SearchRequest request;
    request.query = query;
    request.plan = &plan;
    EXPECT_TRUE(collection_->Search(context_, request).ok());
    return plan;
  }

  uint64_t long_every_ = kRows;
  float longer_ = 20;
};

// Their squared lengths were 400 times the mean, and the segment had no graph.
TEST_F(LongRowsTest, AFewDontCostTheOthersTheirGraph) {
  for (const char* memory : {"balanced", "compact"}) {
    for (uint64_t every : {kRows, uint64_t{150}}) {
      SCOPED_TRACE(std::string(memory) + ", one in " + std::to_string(every));
      long_every_ = every;
      config_.echoed_json["metadata"] = R"({"akidb":{"memory":")" + std::string(memory) + "\"}}";
      options_.directory = "/data/" + std::string(memory) + std::to_string(every);
      Make();
      EXPECT_EQ(collection_->stats().graph_vectors, kRows);
      EXPECT_TRUE(collection_->stats().without_graph.empty());
      EXPECT_EQ(PlanOf(VectorOf(kFirstQuery)).sources.back().way, SearchWay::kGraph);
      EXPECT_GT(RecallOf(kFirstQuery, 1), 0.98);
      Reopen();
      EXPECT_GT(RecallOf(kFirstQuery, 1), 0.98);
      // The products with what points their way are far the largest.
      for (uint64_t id = 7; id < kRows; id += every) {
        EXPECT_EQ(Search(id, false, 1).front().id, PointId(id));
      }
    }
  }
}

TEST_F(LongRowsTest, TheyAreFoundOnlyWhereAFilterAndTombstonesAdmitThem) {
  Make();
  auto filter = std::make_shared<Filter>();
  filter->must_not.push_back(FieldCondition{*PayloadPath::Parse("long"), MatchValue{true}});
  EXPECT_NE(Search(7, false, 1, filter).front().id, PointId(7));
  EXPECT_GT(RecallOf(kFirstQuery, 1, filter), 0.98);
  const PointId id(7);
  ASSERT_TRUE(collection_->Delete(context_, {&id, 1}).ok());
  EXPECT_NE(Search(7, false, 1).front().id, PointId(7));
}

// Nearly all answers were long rows while the curve was measured, and none is afterwards.
TEST_F(LongRowsTest, WhatIsPromisedIsFoundWithoutThem) {
  long_every_ = 120;
  Make();
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < kRows; ++id) {
    if (IsLong(id)) ids.emplace_back(id);
  }
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  for (double wanted : {0.0, 0.9, 0.95, 0.99}) {
    wanted_recall_ = wanted;
    EXPECT_GT(RecallOf(kFirstQuery, 1), (wanted == 0 ? 0.98 : wanted) - 0.02) << wanted;
  }
}

TEST_F(LongRowsTest, TooManyCostTheGraphAndThatIsTold) {
  long_every_ = 50;
  Make();
  EXPECT_EQ(collection_->stats().graph_vectors, 0u);
  EXPECT_FALSE(collection_->stats().merge_due);
  const std::map<NoGraphReason, uint64_t> expected = {{NoGraphReason::kLengths, kRows}};
  EXPECT_EQ(collection_->stats().without_graph, expected);
  EXPECT_EQ(PlanOf(VectorOf(kFirstQuery)).sources.back().no_graph, NoGraphReason::kLengths);
  EXPECT_GT(RecallOf(kFirstQuery, 1), 0.98);
}

}  // namespace
}  // namespace akidb::engine
