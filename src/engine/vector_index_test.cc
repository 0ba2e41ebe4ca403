// A collection searched through codes and graphs: recall, damage, deletes and rest.
#include "engine/vector_index.h"

#include <set>

#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

class VectorIndexTest : public IndexedCollectionFixture {
 protected:
  VectorIndexTest() : IndexedCollectionFixture(40) {}

  std::string PayloadOf(uint64_t id) const override {
    return R"({"third":)" + std::to_string(id % 3) + "}";
  }
  std::vector<Hit> SearchFor(uint64_t number, bool exact, size_t limit) {
    return Search(kFirstQuery + number, exact, limit);
  }
  // Of a search that `request` asks for, by the vector of a point that isn't there.
  SearchPlan PlanOf(SearchRequest request) {
    DenseVector query = VectorOf(kFirstQuery);
    simd::Normalize(query);
    SearchPlan plan;
    request.query = query;
    request.plan = &plan;
    EXPECT_TRUE(collection_->Search(context_, request).ok());
    return plan;
  }
  // Merges may leave a small segment beside it.
  static SourcePlan Largest(const SearchPlan& plan) {
    return *std::max_element(
        plan.sources.begin(), plan.sources.end(),
        [](const SourcePlan& a, const SourcePlan& b) { return a.rows < b.rows; });
  }
  // How many of the 500 nearest 50 searches find that begin with few candidates.
  int FoundWithFewCandidates() {
    int found = 0;
    for (uint64_t number = 0; number < 50; ++number) {
      DenseVector query = VectorOf(kFirstQuery + number);
      simd::Normalize(query);
      SearchRequest request;
      request.query = query;
      request.ef = 10;
      std::set<PointId> exact;
      for (const Hit& hit : SearchFor(number, true, 10)) exact.insert(hit.id);
      const Result<std::vector<Hit>> hits = collection_->Search(context_, request);
      EXPECT_TRUE(hits.ok());
      for (const Hit& hit : *hits) found += exact.contains(hit.id) ? 1 : 0;
    }
    return found;
  }
  double Recall(const std::shared_ptr<const Filter>& filter = nullptr) {
    return RecallOf(kFirstQuery, 1, filter);
  }

 private:
  static constexpr uint64_t kFirstQuery = 1'000'000;
};

TEST_F(VectorIndexTest, FindsThroughTheGraphWhatAnExactSearchFinds) {
  Create();
  Store(0, 3000);
  Settle();
  EXPECT_GT(Recall(), 0.98);
  // And with a part in the head, which is compared exactly.
  Store(3000, 100);
  EXPECT_GT(Recall(), 0.98);
  Reopen();
  EXPECT_GT(Recall(), 0.98);
}

// A row of zeros is as far from every other as one at right angles.
TEST_F(VectorIndexTest, RowsOfZerosHideNothing) {
  Create();
  Store(0, 3000);
  std::vector<Point> zeros(60);
  for (uint64_t i = 0; i < zeros.size(); ++i) {
    zeros[i].id = PointId(10'000 + i);
    zeros[i].vectors = {{"", DenseVector(kDim)}};
  }
  ASSERT_TRUE(collection_->Upsert(context_, zeros).ok());
  Settle();
  EXPECT_GT(Recall(), 0.98);
  DenseVector query = VectorOf(5);
  for (float& value : query) value = -value;
  SearchRequest request;
  request.query = query;
  request.limit = 3060;
  const Result<std::vector<Hit>> all = collection_->Search(context_, request);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), 3060u);
}

// Whatever the codes are, what is missed by one kind is not found by chance.
TEST_F(VectorIndexTest, EveryMemoryModeFindsTheNearest) {
  uint64_t bytes = UINT64_MAX;
  for (const char* mode : {"quality", "balanced", "compact"}) {
    config_.echoed_json["metadata"] = std::string(R"({"akidb":{"memory":")") + mode + "\"}}";
    options_.directory = std::string("/data/") + mode;
    Create();
    Store(0, 3000);
    Settle();
    EXPECT_GT(Recall(), 0.97) << mode;
    Reopen();
    EXPECT_GT(Recall(), 0.97) << mode;
    SearchRequest request;
    request.ef = 10;
    const SourcePlan plan = Largest(PlanOf(request));
    if (mode == std::string("compact")) break;
    EXPECT_LT(plan.bytes / plan.estimated, bytes) << mode;
    bytes = plan.bytes / plan.estimated;
    collection_.reset();
  }
}

class WideVectorIndexTest : public IndexedCollectionFixture {
 protected:
  WideVectorIndexTest() : IndexedCollectionFixture(40, 512) {}
  std::string PayloadOf(uint64_t) const override { return "{}"; }
};

// Without a graph: every code is looked at, then finer ones.
TEST_F(WideVectorIndexTest, CompactCodesAreScanned) {
  config_.echoed_json["quantization_config"] = R"({"binary":{}})";
  config_.echoed_json["hnsw_config"] = R"({"m":0})";
  config_.vectors[""] = {.dim = 512, .metric = Metric::kCosine};
  options_.head_rows_max = 3000;  // one segment
  options_.head_bytes_max = size_t{64} << 20;
  Create();
  Store(0, 2500);  // more than 4 MiB
  Settle();
  const DenseVector query = VectorOf(1'000'000);
  SearchPlan plan;
  SearchRequest request;
  request.query = query;
  request.plan = &plan;
  ASSERT_TRUE(collection_->Search(context_, request).ok());
  EXPECT_EQ(plan.sources.back().rows, 2500u);
  EXPECT_EQ(plan.sources.back().way, SearchWay::kCodes);
  EXPECT_GT(RecallOf(1'000'000, 1), 0.98);
}

TEST_F(VectorIndexTest, EveryMetricIsServed) {
  for (Metric metric : {Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
    config_.vectors[""] = {.dim = kDim, .metric = metric};
    options_.directory = "/data/" + std::string(MetricName(metric));
    Create();
    Store(0, 1500);
    Settle();
    EXPECT_GT(Recall(), metric == Metric::kManhattan ? 0.9999 : 0.97) << MetricName(metric);
    collection_.reset();
  }
}

TEST_F(VectorIndexTest, EveryDatatypeIsServed) {
  common_ = 4;
  scale_ = 30;
  for (VectorDatatype datatype : {VectorDatatype::kFloat16, VectorDatatype::kUint8}) {
    for (Metric metric : {Metric::kCosine, Metric::kDot, Metric::kEuclid}) {
      config_.vectors[""] = {.dim = kDim, .metric = metric, .datatype = datatype};
      options_.directory =
          "/data/" + std::to_string(static_cast<int>(datatype)) + std::string(MetricName(metric));
      Create();
      Store(0, 1500);
      Settle();
      EXPECT_GT(Recall(), 0.97) << MetricName(metric);
      Reopen();
      EXPECT_GT(Recall(), 0.97) << MetricName(metric);
      collection_.reset();
    }
  }
}

TEST_F(VectorIndexTest, DeadPointsAreNotFoundAndHideNoOthers) {
  options_.merge_policy.dead_percent_max = 60;
  Create();
  Store(0, 2000);
  Settle();
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < 2000; id += 2) ids.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  for (const Hit& hit : SearchFor(1, false, 50)) EXPECT_EQ(hit.id.number() % 2, 1u);
  EXPECT_EQ(SearchFor(1, false, 50).size(), 50u);
  EXPECT_GT(Recall(), 0.97);
}

// Merges take over the graph of what is there, and find their way through it afterwards.
TEST_F(VectorIndexTest, GraphsAreExtendedByMergesAndFindAsMuch) {
  options_.merge_policy.dead_percent_max = 5;
  cluster_width_ = 1.5f;
  Create();
  Store(0, 3000);
  Settle();
  const int found = FoundWithFewCandidates();
  for (uint64_t round = 0; round < 4; ++round) {
    std::vector<PointId> ids;
    for (uint64_t i = 0; i < 300; ++i) ids.push_back(PointId(round * 300 + i));
    ASSERT_TRUE(collection_->Delete(context_, ids).ok());
    Store(3000 + round * 300, 300);
    Settle();
    EXPECT_GT(Recall(), 0.98) << round;
    // What a graph with wrong links does not find, a scan would: with few candidates there is none.
    EXPECT_GT(FoundWithFewCandidates(), found - 50) << round;
  }
  Reopen();
  EXPECT_GT(Recall(), 0.98);
}

// A whole cluster dies, and what lies behind it is found.
TEST_F(VectorIndexTest, ADeadClusterHidesNothing) {
  options_.merge_policy.dead_percent_max = 60;
  cluster_width_ = 0.3f;
  Create();
  Store(0, 4000);
  Settle();
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < 4000; id += 40) ids.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  for (uint64_t q : {0, 40, 80}) EXPECT_EQ(SearchFor(q, false, 20).size(), 20u);
  EXPECT_GT(Recall(), 0.97);
}

// Closer together than codes can tell: more is compared.
TEST_F(VectorIndexTest, TightClustersAreToldApart) {
  cluster_width_ = 0.02f;
  for (Metric metric : {Metric::kCosine, Metric::kEuclid}) {
    config_.vectors[""] = {.dim = kDim, .metric = metric};
    options_.directory = "/data/" + std::string(MetricName(metric));
    Create();
    Store(0, 3000);
    Settle();
    EXPECT_GT(Recall(), 0.98) << MetricName(metric);
    collection_.reset();
  }
}

TEST_F(VectorIndexTest, WhatAllVectorsHaveInCommonDoesNotMatter) {
  common_ = 30;
  Create();
  Store(0, 3000);
  Settle();
  EXPECT_GT(Recall(), 0.98);
}

TEST_F(VectorIndexTest, RowsOfVeryDifferentLengthsAreFoundByTheirProducts) {
  length_spread_ = 1.5f;
  config_.vectors[""] = {.dim = kDim, .metric = Metric::kDot};
  Create();
  Store(0, 3000);
  Settle();
  EXPECT_GT(Recall(), 0.99);
}

TEST_F(VectorIndexTest, ARowOfHugeLengthIsFound) {
  config_.vectors[""] = {.dim = kDim, .metric = Metric::kDot};
  Create();
  Store(0, 2000);
  Point huge;
  huge.id = PointId(5000);
  huge.vectors = {{"", DenseVector(kDim, 1e20f)}};
  ASSERT_TRUE(collection_->Upsert(context_, {huge}).ok());
  Settle();
  const DenseVector query(kDim, 1);
  SearchRequest request;
  request.query = query;
  Result<std::vector<Hit>> hits = collection_->Search(context_, request);
  ASSERT_TRUE(hits.ok());
  EXPECT_EQ(hits->at(0).id, PointId(5000));
}

TEST_F(VectorIndexTest, AnyNumberOfCandidatesMayBeAskedFor) {
  Create();
  Store(0, 1500);
  Settle();
  DenseVector query = VectorOf(77);
  simd::Normalize(query);
  for (size_t ef : {size_t{1}, size_t{1500}, size_t{1} << 62, ~size_t{0}}) {
    SearchRequest request;
    request.query = query;
    request.ef = ef;
    Result<std::vector<Hit>> hits = collection_->Search(context_, request);
    ASSERT_TRUE(hits.ok());
    EXPECT_EQ(hits->at(0).id, PointId(77)) << ef;
    EXPECT_EQ(hits->size(), 10u) << ef;
  }
}

TEST_F(VectorIndexTest, AFilterLeavesTheNearestThatItAdmits) {
  Create();
  Store(0, 2000);
  Settle();
  auto filter = std::make_shared<Filter>();
  filter->must.push_back(FieldCondition{*PayloadPath::Parse("third"), MatchValue{int64_t{1}}});
  EXPECT_GT(Recall(filter), 0.98);
}

TEST_F(VectorIndexTest, MoreThanThereIsReturnsEverything) {
  Create();
  Store(0, 1000);
  Settle();
  EXPECT_EQ(SearchFor(3, false, 5000).size(), 1000u);
}

TEST_F(VectorIndexTest, APlanTellsWhatWasDone) {
  cluster_width_ = 1.5f;
  Create();
  Store(0, 4000);
  Settle();
  Store(4000, 50);
  SearchRequest few_candidates;
  few_candidates.ef = 20;
  const SearchPlan plan = PlanOf(few_candidates);
  ASSERT_GE(plan.sources.size(), 2u);
  const SourcePlan& head = plan.sources[0];
  EXPECT_FALSE(head.sealed);
  EXPECT_EQ(head.way, SearchWay::kVectors);
  EXPECT_EQ(head.compared, 50u);
  EXPECT_EQ(head.bytes, 50u * kDim * sizeof(float));
  EXPECT_EQ(head.recall, 1);
  const SourcePlan segment = Largest(plan);
  EXPECT_TRUE(segment.sealed);
  EXPECT_GT(segment.rows, 1000u);
  EXPECT_EQ(segment.way, SearchWay::kGraph);
  EXPECT_GE(segment.ef, 20u);
  EXPECT_GT(segment.estimated, 100u);
  EXPECT_LT(segment.estimated, segment.rows);
  EXPECT_GE(segment.compared, 10u);
  EXPECT_GT(segment.recall, 0.7);
  EXPECT_LE(plan.recall, segment.recall);
  SearchRequest exact;
  exact.exact = true;
  EXPECT_EQ(Largest(PlanOf(exact)).way, SearchWay::kVectors);
  EXPECT_EQ(Largest(PlanOf(exact)).compared, segment.rows);
}

TEST_F(VectorIndexTest, ARecallThatIsAskedForIsFoundAndPromised) {
  cluster_width_ = 1.5f;
  Create();
  Store(0, 4000);
  Settle();
  Reopen();
  uint64_t estimated = 0;
  for (double recall : {0.5, 0.9, 0.97}) {
    SearchRequest request;
    request.recall = recall;
    const SearchPlan plan = PlanOf(request);
    // What a walk costs was measured beside whatever else runs here: a thorough one may seem dearer
    // than a scan of so few rows.
    if (recall < 0.9) EXPECT_EQ(Largest(plan).way, SearchWay::kGraph);
    EXPECT_GE(plan.recall, recall);
    EXPECT_GE(Largest(plan).estimated, estimated);
    estimated = Largest(plan).estimated;
    wanted_recall_ = recall;
    EXPECT_GT(Recall(), recall - 0.02) << recall;
  }
  // More than a walk can promise, and more than any estimate can.
  SearchRequest request;
  request.recall = 1;
  EXPECT_EQ(Largest(PlanOf(request)).way, SearchWay::kVectors);
  EXPECT_EQ(PlanOf(request).recall, 1);
}

TEST_F(VectorIndexTest, AllThatAFilterAdmitsIsAWholeAnswer) {
  Create();
  Store(0, 4000);
  Settle();
  for (const int64_t third : {int64_t{99}, int64_t{1}}) {
    SearchRequest request;
    auto filter = std::make_shared<Filter>();
    filter->must.push_back(FieldCondition{*PayloadPath::Parse("third"), MatchValue{third}});
    request.filter = filter;
    request.limit = 2000;  // 1,333 points pass at most
    EXPECT_EQ(PlanOf(request).recall, 1) << third;
  }
}

// A collection that nobody writes to any more gets its graph without being asked.
TEST_F(VectorIndexTest, AtRestSegmentsAreMergedUntilTheyHaveAGraph) {
  options_.merge_policy.resting_max = 6;
  options_.merge_policy.busy_more = 0;
  Create();
  Store(0, 1000);
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().segments, 2u);
  EXPECT_EQ(collection_->stats().graph_vectors, 0u);
  EXPECT_TRUE(collection_->stats().merge_due);
  clock_.Advance(options_.idle_after);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().segments, 1u);
  EXPECT_EQ(collection_->stats().graph_vectors, 1000u);
  EXPECT_GT(Recall(), 0.98);
}

TEST_F(VectorIndexTest, ADamagedIndexIsLeftAloneAndBuiltAgain) {
  for (storage::SectionId damaged :
       {storage::SectionId::kCodes, storage::SectionId::kSecondCodes, storage::SectionId::kGraph}) {
    config_.echoed_json["quantization_config"] = R"({"binary":{}})";
    options_.directory = "/data/" + std::to_string(static_cast<int>(damaged));
    const std::string folder = options_.directory + "/seg";
    Create();
    Store(0, 5000);  // so that the sections fill blocks of their own
    Settle();
    const std::vector<std::string> files = *disk_->List(folder);
    collection_.reset();
    // The one with a graph; a few rows more or less stand in another one.
    std::string path;
    std::string bytes;
    for (const std::string& file : files) {
      std::string content = *env::ReadWholeFile(*disk_, folder + "/" + file, 16u << 20);
      if (content.size() < bytes.size()) continue;
      bytes = std::move(content);
      path = folder + "/" + file;
    }
    ASSERT_TRUE(disk_->FlipBit(path, MiddleOfSection(bytes, damaged) * 8 + 3).ok());
    Reopen();
    EXPECT_TRUE(collection_->stats().merge_due);
    EXPECT_TRUE(PlanOf({}).degraded);
    EXPECT_EQ(Recall(), 1);
    ASSERT_TRUE(collection_->Merge().ok());
    EXPECT_FALSE(PlanOf({}).degraded);
    EXPECT_NE(*disk_->List(folder), files);
    EXPECT_GT(Recall(), 0.98);
    collection_.reset();
  }
}

// Segments of a program that knew no indexes are written anew with them.
TEST_F(VectorIndexTest, SegmentsWithoutAnIndexGetOne) {
  indexer_ = nullptr;
  Create();
  Store(0, 1000);
  Settle();
  const std::vector<std::string> files = *disk_->List("/data/c/seg");
  indexer_ = vector_indexer_.get();
  Reopen();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_NE(*disk_->List("/data/c/seg"), files);
  EXPECT_GT(Recall(), 0.98);
}

}  // namespace
}  // namespace akidb::engine
