#include "engine/head_codes.h"

#include <thread>

#include "engine/head.h"
#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

// Wide, so that few rows are worth codes.
constexpr uint32_t kWide = 512;
constexpr uint64_t kRows = 3000;  // 6 MB of vectors

TEST(HeadCodes, RowsAreCodedAsTheyAreAdded) {
  HeadCodes codes(Metric::kEuclid, 8, 100);
  EXPECT_FALSE(codes.wanted());
  codes.Ask();
  EXPECT_TRUE(codes.wanted());
  EXPECT_EQ(codes.rows(), 0u);
  std::vector<float> rows(3 * 8, 1.0f);
  rows[0] = 2;
  codes.Add(rows);
  codes.Add(std::span(rows).first(8));
  ASSERT_EQ(codes.rows(), 4u);
  const index::CodeSection section = codes.Section(4);
  EXPECT_EQ(section.count, 4u);
  EXPECT_EQ(codes.bytes(), 4 * section.space->row_bytes());
  // Equal rows have equal codes.
  const std::span<const std::byte> all(section.rows, codes.bytes());
  const size_t bytes = section.space->row_bytes();
  EXPECT_TRUE(std::ranges::equal(all.subspan(0, bytes), all.subspan(3 * bytes, bytes)));
}

TEST(HeadCodes, RowsOfZerosEndThemForCosineAlone) {
  for (const Metric metric : {Metric::kCosine, Metric::kDot}) {
    HeadCodes codes(metric, 8, 100);
    codes.Add(std::vector<float>(16, 0.5f));
    codes.Add(std::vector<float>(16, 0.0f));
    codes.Add(std::vector<float>(16, 0.5f));
    EXPECT_EQ(codes.ended(), metric == Metric::kCosine);
    EXPECT_EQ(codes.rows(), metric == Metric::kCosine ? 2u : 6u);
  }
}

TEST(Head, CodesFullBlocksOnceSomebodyAsks) {
  CollectionConfig config;
  config.vectors["a"] = {.dim = 3, .metric = Metric::kDot};
  config.vectors["b"] = {.dim = 3, .metric = Metric::kManhattan};
  VectorSchema schema(config);
  Head head(schema, 20 * Head::kBlockRows);
  uint64_t id = 0;
  auto add = [&](uint32_t blocks, const char* name) {
    for (uint32_t i = 0; i < blocks * Head::kBlockRows; ++i) {
      Point point;
      point.id = PointId(id++);
      point.vectors = {{name, {1, 2, static_cast<float>(i)}}};
      head.Add(id, std::move(point));
    }
  };
  EXPECT_EQ(head.codes(1), nullptr);
  add(6, "a");
  EXPECT_EQ(head.codes(0)->rows(), 0u);
  const size_t bytes = head.bytes();
  head.codes(0)->Ask();
  add(1, "a");
  EXPECT_EQ(head.codes(0)->rows(), 4 * Head::kBlockRows);
  EXPECT_GT(head.bytes(), bytes + head.codes(0)->bytes());
  add(1, "a");
  EXPECT_EQ(head.codes(0)->rows(), 8 * Head::kBlockRows);
  // Rows without the vector can't be coded, nor what comes after them.
  add(1, "b");
  add(2, "a");
  EXPECT_EQ(head.codes(0)->rows(), 8 * Head::kBlockRows);
}

class HeadCodesTest : public IndexedCollectionFixture, public testing::WithParamInterface<Metric> {
 protected:
  HeadCodesTest() : IndexedCollectionFixture(40, kWide) {
    config_.vectors[""].metric = GetParam();
    options_.head_rows_max = 20'000;
    options_.head_bytes_max = size_t{64} << 20;
    options_.idle_rows = 20'000;
  }
  std::string PayloadOf(uint64_t id) const override {
    return R"({"third":)" + std::to_string(id % 3) + "}";
  }
  // Of the head, as a search went about it.
  SourcePlan PlanOf(uint64_t query_id) {
    DenseVector query = VectorOf(query_id);
    simd::Normalize(query);
    SearchPlan plan;
    SearchRequest request;
    request.query = query;
    request.plan = &plan;
    EXPECT_TRUE(collection_->Search(context_, request).ok());
    EXPECT_EQ(plan.sources.size(), 1u);
    return plan.sources.front();
  }
};

TEST_P(HeadCodesTest, SearchesReadThemAndFindTheNearest) {
  Create();
  Store(0, kRows);
  EXPECT_EQ(PlanOf(0).way, SearchWay::kVectors);  // and asks for codes
  Store(kRows, kRows + 100);
  const SourcePlan plan = PlanOf(0);
  const uint64_t rows = 2 * kRows + 100;
  EXPECT_EQ(plan.rows, rows);
  if (GetParam() == Metric::kManhattan) {
    EXPECT_EQ(plan.way, SearchWay::kVectors);
  } else {
    EXPECT_EQ(plan.way, SearchWay::kCodes);
    EXPECT_GT(plan.estimated, rows * 3 / 4);
    EXPECT_LT(plan.compared, rows / 2);
  }
  EXPECT_GE(RecallOf(0, 60), 0.995);

  std::vector<PointId> dead;
  for (uint64_t id = 0; id < rows; id += 4) dead.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, dead).ok());
  auto third = std::make_shared<Filter>();
  NumericRange one;
  one.gte = 1;
  one.lt = 2;
  third->must.push_back(FieldCondition{*PayloadPath::Parse("third"), one});
  EXPECT_GE(RecallOf(0, 60), 0.995);
  EXPECT_GE(RecallOf(0, 60, third), 0.995);
}

TEST_P(HeadCodesTest, SearchesAndWritesAtTheSameTime) {
  Create();
  Store(0, kRows);
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    for (uint64_t query = 0; !stop; ++query) {
      EXPECT_EQ(Search(query, false).size(), 10u);
    }
  });
  Store(kRows, kRows);
  stop = true;
  reader.join();
  EXPECT_GE(RecallOf(0, 60), 0.995);
}

INSTANTIATE_TEST_SUITE_P(EveryMetric, HeadCodesTest,
                         testing::Values(Metric::kCosine, Metric::kDot, Metric::kEuclid,
                                         Metric::kManhattan));

}  // namespace
}  // namespace akidb::engine
