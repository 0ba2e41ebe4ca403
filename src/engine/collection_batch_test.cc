// Batches of searches against the same searches one by one: the same hits to the last bit, found in
// the same way, with passes over vectors and codes shared.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <random>
#include <set>

#include "engine/collection_merge_fixture.h"
#include "engine/vector_index.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 40;
constexpr uint32_t kDimB = 7;
constexpr uint32_t kRowDim = 3;

struct Kind {
  Metric metric;
  VectorDatatype datatype;
  const char* memory = "balanced";
};

class CollectionBatchTest : public CollectionMergeFixture,
                            public testing::WithParamInterface<Kind> {
 protected:
  CollectionBatchTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 6174;
    generator_.seed(seed_);
    const auto [metric, datatype, memory] = GetParam();
    config_.echoed_json["metadata"] = std::string(R"({"akidb":{"memory":")") + memory + "\"}}";
    config_.vectors.clear();
    config_.vectors["a"] = {.dim = kDim, .metric = metric, .datatype = datatype};
    config_.vectors["b"] = {.dim = kDimB, .metric = metric, .datatype = datatype};
    config_.vectors["rows"] = {
        .dim = kRowDim, .metric = metric, .datatype = datatype, .multivector = true};
    config_.payload_indexes["known"] = {PayloadFieldKind::kInteger, ""};
    options_.head_rows_max = 1000;
    options_.room_wait_max = std::chrono::minutes(5);
    UseIndexer(MakeVectorIndexer({.graph_rows_min = 2000}, *log_));
  }

  uint64_t Below(uint64_t end) { return generator_() % end; }
  bool OneOf(uint64_t count) { return Below(count) == 0; }

  // Near each other in clusters; now and then equal.
  DenseVector VectorOf(uint32_t dim) {
    const uint64_t number = Below(2000);
    std::mt19937_64 random(number);
    std::mt19937_64 centre(number % 13);
    std::normal_distribution<float> normal(40, 20);
    DenseVector vector(dim);
    for (float& value : vector) value = normal(centre) + 0.4f * normal(random);
    return vector;
  }
  DenseVector MatrixOf(size_t rows) {
    DenseVector matrix = VectorOf(static_cast<uint32_t>(rows) * kRowDim);
    matrix.row_dim = kRowDim;
    return matrix;
  }

  void Store(uint64_t count) {
    for (uint64_t left = count; left > 0; left -= std::min<uint64_t>(left, 100)) {
      std::vector<Point> points;
      for (uint64_t i = 0; i < std::min<uint64_t>(left, 100); ++i) {
        Point point;
        point.id = PointId(Below(9000));
        point.vectors = {{"a", VectorOf(dim_)}};
        if (!OneOf(4)) point.vectors.emplace_back("b", VectorOf(kDimB));
        if (OneOf(20)) point.vectors.emplace_back("rows", MatrixOf(1 + Below(4)));
        const std::string group = std::to_string(Below(10));
        point.payload = *ParsePayloadJson(R"({"known":)" + group + R"(,"plain":)" + group + "}");
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
    }
  }
  void Kill(uint64_t count) {
    std::vector<PointId> ids;
    for (uint64_t i = 0; i < count; ++i) ids.push_back(PointId(Below(9000)));
    ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  }

  // One segment with a graph, others with codes alone, dead points in all of them, and a head.
  void Fill() {
    Create();
    ASSERT_NO_FATAL_FAILURE(Store(5000));
    ASSERT_TRUE(collection_->Seal().ok());
    clock_.Advance(std::chrono::seconds(20));
    ASSERT_TRUE(collection_->Merge().ok());
    if (GetParam().metric != Metric::kManhattan) {
      ASSERT_GT(collection_->stats().graph_vectors, 0u);
    }
    ASSERT_NO_FATAL_FAILURE(Store(500));
    ASSERT_TRUE(collection_->Seal().ok());
    ASSERT_NO_FATAL_FAILURE(Store(300));
    ASSERT_NO_FATAL_FAILURE(Kill(400));
    ASSERT_GE(collection_->stats().segments, 2u);
    ASSERT_GT(collection_->stats().head_rows, 0u);
  }

  std::shared_ptr<const Filter> RandomFilter() {
    auto filter = std::make_shared<Filter>();
    const auto group = static_cast<int64_t>(Below(11));  // nothing is in group 10
    switch (Below(5)) {
      case 0:
        return nullptr;
      case 1:
        filter->must.push_back(FieldCondition{*PayloadPath::Parse("known"), MatchValue{group}});
        break;
      case 2:
        filter->must_not.push_back(FieldCondition{*PayloadPath::Parse("plain"), MatchValue{group}});
        break;
      case 3:
        filter->must.push_back(FieldCondition{*PayloadPath::Parse("plain"), MatchValue{group}});
        break;
      default: {
        std::vector<PointId> ids;
        for (int i = 0; i < 20; ++i) ids.push_back(PointId(Below(9000)));
        filter->must.push_back(HasIdCondition(std::move(ids)));
      }
    }
    return filter;
  }

  // The queries stay in `queries`, and plans in `plans`.
  SearchRequest RandomSearch(std::deque<DenseVector>& queries, std::deque<SearchPlan>& plans) {
    SearchRequest request;
    const bool of_rows = OneOf(12);
    request.vector_name = of_rows ? "rows" : OneOf(3) ? "b" : "a";
    queries.push_back(of_rows ? MatrixOf(1 + Below(3))
                              : VectorOf(request.vector_name == "a" ? dim_ : kDimB));
    request.query = queries.back();
    request.query_row_dim = queries.back().row_dim;
    request.filter = RandomFilter();
    request.limit = OneOf(10) ? 1 + Below(700) : 1 + Below(20);
    if (OneOf(3)) request.offset = Below(12);
    if (OneOf(4)) request.distance_max = static_cast<float>(Below(9000)) - 1000;
    request.exact = OneOf(3);
    if (OneOf(3)) request.ef = 4 + Below(60);
    if (OneOf(4)) request.recall = 0.9 + 0.01 * static_cast<double>(Below(11));
    if (OneOf(2)) request.with_payload = PayloadSelector::All();
    if (OneOf(3)) request.with_vectors.mode = VectorSelector::Mode::kAll;
    if (!OneOf(4)) request.plan = &plans.emplace_back();
    return request;
  }

  void ExpectTheSame(const std::vector<Hit>& alone, const std::vector<Hit>& together) {
    ASSERT_EQ(alone.size(), together.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(alone[i].id, together[i].id);
      EXPECT_EQ(alone[i].distance, together[i].distance);
      EXPECT_EQ(alone[i].seq, together[i].seq);
      EXPECT_EQ(alone[i].vectors, together[i].vectors);
      ASSERT_EQ(alone[i].payload.has_value(), together[i].payload.has_value());
      if (!alone[i].payload) continue;
      EXPECT_TRUE(std::ranges::equal(alone[i].payload->encoded(), together[i].payload->encoded()));
    }
  }
  void ExpectTheSame(const SearchPlan& alone, const SearchPlan& together) {
    EXPECT_EQ(alone.recall, together.recall);
    ASSERT_EQ(alone.sources.size(), together.sources.size());
    for (size_t i = 0; i < alone.sources.size(); ++i) {
      const SourcePlan& a = alone.sources[i];
      const SourcePlan& b = together.sources[i];
      EXPECT_EQ(a.sealed, b.sealed);
      EXPECT_EQ(a.rows, b.rows);
      EXPECT_EQ(a.way, b.way);
      EXPECT_EQ(a.admitted_share, b.admitted_share);
      EXPECT_EQ(a.ef, b.ef);
      EXPECT_EQ(a.walks, b.walks);
      EXPECT_EQ(a.estimated, b.estimated);
      EXPECT_EQ(a.compared, b.compared);
      EXPECT_EQ(a.bytes, b.bytes);
      EXPECT_EQ(a.shared_by, 1u);
      if (b.shared_by > 1) shared_.insert(b.way);
    }
  }

  // As many searches as `count`, together and one by one, of one state: segments are merged
  // whenever it suits the background.
  void Compare(size_t count) {
    std::deque<DenseVector> queries;
    std::deque<SearchPlan> plans;
    std::vector<SearchRequest> requests;
    for (size_t i = 0; i < count; ++i) requests.push_back(RandomSearch(queries, plans));
    const std::unique_ptr<const CollectionReader> reader = collection_->Pin();
    auto together = reader->SearchBatch(context_, requests);
    ASSERT_TRUE(together.ok()) << together.status().ToString();
    ASSERT_EQ(together->size(), count);
    for (size_t i = 0; i < count; ++i) {
      SCOPED_TRACE("search " + std::to_string(i) + " of " + std::to_string(count));
      SearchRequest request = requests[i];
      SearchPlan plan;
      if (request.plan != nullptr) request.plan = &plan;
      auto alone = reader->Search(context_, request);
      ASSERT_TRUE(alone.ok()) << alone.status().ToString();
      ASSERT_NO_FATAL_FAILURE(ExpectTheSame(*alone, (*together)[i]));
      if (request.plan != nullptr) ASSERT_NO_FATAL_FAILURE(ExpectTheSame(plan, *requests[i].plan));
    }
  }

  uint64_t seed_;
  uint32_t dim_ = kDim;  // of "a"
  std::mt19937_64 generator_;
  std::set<SearchWay> shared_;  // ways of searches that shared a pass
};

TEST_P(CollectionBatchTest, AnswersAsItsSearchesDoAlone) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(Fill());
  for (size_t count : {0, 1, 2, 3, 5, 17, 40, 100}) ASSERT_NO_FATAL_FAILURE(Compare(count));
  EXPECT_TRUE(shared_.contains(SearchWay::kVectors));
  if (GetParam().metric != Metric::kManhattan) EXPECT_TRUE(shared_.contains(SearchWay::kCodes));
}

constexpr Kind kKinds[] = {{Metric::kCosine, VectorDatatype::kFloat32},
                           {Metric::kDot, VectorDatatype::kFloat32},
                           {Metric::kEuclid, VectorDatatype::kFloat32},
                           {Metric::kManhattan, VectorDatatype::kFloat32},
                           {Metric::kCosine, VectorDatatype::kFloat16},
                           {Metric::kEuclid, VectorDatatype::kFloat16},
                           {Metric::kCosine, VectorDatatype::kUint8},
                           {Metric::kDot, VectorDatatype::kUint8},
                           {Metric::kManhattan, VectorDatatype::kUint8},
                           {Metric::kCosine, VectorDatatype::kFloat32, "compact"},
                           {Metric::kEuclid, VectorDatatype::kFloat32, "quality"}};
INSTANTIATE_TEST_SUITE_P(EveryKind, CollectionBatchTest, testing::ValuesIn(kKinds));

using CollectionOneBatchTest = CollectionBatchTest;

TEST_P(CollectionOneBatchTest, ABadSearchIsRefusedAsItWouldBeAlone) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  const DenseVector query = VectorOf(kDim);
  std::vector<SearchRequest> requests(3);
  for (SearchRequest& request : requests) {
    request.vector_name = "a";
    request.query = query;
  }
  requests[1].vector_name = "b";
  const Status alone = collection_->Search(context_, requests[1]).status();
  EXPECT_EQ(alone.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(collection_->SearchBatch(context_, requests).status().message(), alone.message());
}

TEST_P(CollectionOneBatchTest, TheHeadsCodesAreSharedAndThenTheVectorsOfTheRest) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  dim_ = 1024;
  config_.vectors["a"].dim = dim_;
  options_.head_rows_max = 5000;
  options_.head_bytes_max = 64u << 20;
  Create();
  ASSERT_NO_FATAL_FAILURE(Store(1200));
  ASSERT_NO_FATAL_FAILURE(Compare(4));  // asks for codes, which whoever writes makes
  ASSERT_NO_FATAL_FAILURE(Store(1000));
  ASSERT_NO_FATAL_FAILURE(Kill(100));
  ASSERT_EQ(collection_->stats().segments, 0u);
  shared_.clear();
  ASSERT_NO_FATAL_FAILURE(Compare(50));
  EXPECT_TRUE(shared_.contains(SearchWay::kCodes));
  EXPECT_TRUE(shared_.contains(SearchWay::kVectors));
}

TEST_P(CollectionOneBatchTest, StopsWhenItIsCancelledOrLate) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  const DenseVector query = VectorOf(kDim);
  std::vector<SearchRequest> requests(5);
  for (SearchRequest& request : requests) {
    request.vector_name = "a";
    request.query = query;
    request.exact = true;
  }
  RequestContext cancelled;
  cancelled.Cancel();
  EXPECT_EQ(collection_->SearchBatch(cancelled, requests).status().code(), ErrorCode::kCancelled);
  const RequestContext late(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(collection_->SearchBatch(late, requests).status().code(), ErrorCode::kDeadlineExceeded);
}

TEST_P(CollectionOneBatchTest, APinnedReaderSeesNothingThatIsWrittenLater) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  const DenseVector query = VectorOf(kDim);
  std::vector<SearchRequest> requests(3);
  for (SearchRequest& request : requests) {
    request.vector_name = "a";
    request.query = query;
  }
  const std::unique_ptr<const CollectionReader> reader = collection_->Pin();
  const auto before = reader->SearchBatch(context_, requests);
  ASSERT_TRUE(before.ok());
  ASSERT_TRUE(collection_->DeleteByFilter(context_, Filter()).ok());
  EXPECT_EQ(*collection_->Count(context_, nullptr), 0u);
  const auto after = reader->SearchBatch(context_, requests);
  ASSERT_TRUE(after.ok());
  ASSERT_EQ((*before)[0].size(), 10u);
  for (size_t i = 0; i < requests.size(); ++i) ExpectTheSame((*before)[i], (*after)[i]);
}

INSTANTIATE_TEST_SUITE_P(OneKind, CollectionOneBatchTest, testing::Values(kKinds[2]));

}  // namespace
}  // namespace akidb::engine
