// The configuration of a collection that is there: options change what is built over segments, and
// a successor opens the folder with other vectors.
#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kClusters = 40;

class OptionsTest : public IndexedCollectionFixture {
 protected:
  OptionsTest() : IndexedCollectionFixture(kClusters) {}

  std::string PayloadOf(uint64_t) const override { return "{}"; }
  Status Set(const std::string& key, const std::string& json) {
    return collection_->ChangeOptions(context_, [&](CollectionConfig& config) {
      config.echoed_json[key] = json;
      return OkStatus();
    });
  }
  // What it had to do is done, but for what that has begun.
  void WaitForOptimizer() {
    std::promise<void> done;
    ASSERT_TRUE(optimizer_.Submit([&] { done.set_value(); }).ok());
    done.get_future().wait();
  }
  std::vector<std::string> Files() { return *disk_->List(options_.directory + "/seg"); }
  double Recall() { return RecallOf(50'000 * kClusters, kClusters, nullptr); }
  void OpenWith(const CollectionEnvironment& parts) {
    collection_.reset();
    auto opened = Collection::Open(options_, parts);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    collection_ = std::move(opened).value();
  }
  void Succeed(const OptionsChange& change) {
    ASSERT_TRUE(collection_->Retire(change).ok());
    OpenWith(Parts(fs_));
  }
};

TEST_F(OptionsTest, AreDurableAndRewriteWhatIsBuiltOtherwise) {
  Create();
  Store(0, 1200);
  Settle();
  const uint64_t balanced = collection_->stats().memory.codes;
  const std::vector<std::string> files = Files();
  ASSERT_TRUE(Set("optimizers_config", R"({"indexing_threshold":1})").ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(Files(), files);  // nothing is built by it

  ASSERT_TRUE(Set("metadata", R"({"akidb":{"memory":"quality"}})").ok());
  EXPECT_TRUE(collection_->stats().merge_due);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_FALSE(collection_->stats().merge_due);
  EXPECT_GT(collection_->stats().memory.codes, balanced * 3 / 2);
  const uint64_t links = collection_->stats().memory.graphs;
  ASSERT_GT(links, 0u);

  ASSERT_TRUE(Set("hnsw_config", R"({"m":4})").ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_LT(collection_->stats().memory.graphs, links / 2);
  EXPECT_GT(Recall(), 0.9);

  const CollectionConfig before = *collection_->current_config();
  EXPECT_EQ(before.echoed_json.at("hnsw_config"), R"({"m":4})");
  EXPECT_EQ(collection_->config().echoed_json.count("hnsw_config"), 0u);
  Reopen();
  EXPECT_EQ(collection_->current_config()->echoed_json, before.echoed_json);
  EXPECT_FALSE(collection_->stats().merge_due);
}

// Segments that need no merge for themselves, and have no graph because none was wanted.
TEST_F(OptionsTest, GraphsThatAreWantedNowAreBuiltAtRest) {
  options_.merge_policy.resting_max = 6;
  options_.merge_policy.busy_more = 0;
  config_.echoed_json["hnsw_config"] = R"({"m":0})";
  Create();
  for (uint64_t i = 0; i < 4; ++i) {
    Store(300 * i, 300);
    ASSERT_TRUE(collection_->Seal().ok());
  }
  clock_.Advance(std::chrono::seconds(20));
  ASSERT_TRUE(collection_->Merge().ok());
  ASSERT_EQ(collection_->stats().segments, 4u);
  EXPECT_FALSE(collection_->stats().merge_due);
  ASSERT_TRUE(Set("hnsw_config", R"({"m":16})").ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().graph_vectors, 1200u);
  EXPECT_FALSE(collection_->stats().merge_due);
  // One alone is as large as those with a graph are.
  ASSERT_TRUE(Set("hnsw_config", R"({"m":0})").ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().graph_vectors, 0u);
  options_.rows_without_graph_max = 1000;
  Reopen();
  EXPECT_FALSE(collection_->stats().graph_due);
  ASSERT_TRUE(Set("hnsw_config", R"({"m":16})").ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().graph_vectors, 1200u);
  EXPECT_FALSE(collection_->stats().graph_due);
}

// A segment is judged by what it was written by, not by what was wanted when the process began.
TEST_F(OptionsTest, SegmentsThatAreToHaveNoGraphAreWrittenOnce) {
  Create();
  Store(0, 1200);
  Settle();
  ASSERT_EQ(collection_->stats().graph_vectors, 1200u);
  ASSERT_TRUE(Set("hnsw_config", R"({"m":0})").ok());
  clock_.Advance(std::chrono::seconds(20));
  alarms_.RingDue();
  // What is merged is scheduled again until there is nothing more; each round writes once.
  const uint64_t merged = collection_->stats().merged_rows;
  for (int round = 0; round < 5 && collection_->stats().merge_due; ++round) {
    WaitForOptimizer();
  }
  EXPECT_FALSE(collection_->stats().merge_due);
  EXPECT_EQ(collection_->stats().graph_vectors, 0u);
  EXPECT_LE(collection_->stats().merged_rows, merged + 1200u);
}

TEST_F(OptionsTest, AnErrorOfTheChangeChangesNothing) {
  Create();
  const OptionsChange refused = [](CollectionConfig& config) {
    config.echoed_json["metadata"] = "{}";
    return InvalidArgumentError("no");
  };
  EXPECT_EQ(collection_->ChangeOptions(context_, refused).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(collection_->Retire(refused).code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(collection_->current_config()->echoed_json.empty());
  Store(0, 10);
  EXPECT_EQ(collection_->stats().points, 10u);
}

TEST_F(OptionsTest, ASuccessorHasOtherVectorsAndTheSamePoints) {
  Create();
  Store(0, 1000);
  Settle();
  Store(1000, 50);  // in the head
  const std::shared_ptr<Collection> old = collection_;
  const auto pinned = old->Pin();
  Succeed([](CollectionConfig& config) {
    config.vectors["second"] = {.dim = 2, .metric = Metric::kDot};
    return OkStatus();
  });
  EXPECT_EQ(old->Upsert(context_, {}).status().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(*pinned->Count(context_, nullptr), 1050u);
  EXPECT_EQ(*collection_->Count(context_, nullptr), 1050u);
  Point point;
  point.id = PointId(1);
  point.vectors = {{"second", {3, 4}}};
  ASSERT_TRUE(collection_->UpdateVectors(context_, {point}, nullptr).ok());
  Settle();
  SearchRequest request;
  const DenseVector query = {1, 1};
  request.vector_name = "second";
  request.SearchBy(query);
  auto hits = collection_->Search(context_, request);
  ASSERT_TRUE(hits.ok()) << hits.status().ToString();
  ASSERT_EQ(hits->size(), 1u);
  EXPECT_EQ((*hits)[0].id, PointId(1));
  EXPECT_GT(Recall(), 0.9);
}

TEST_F(OptionsTest, AVectorThatWasLeftOutComesBackEmptyOnceItsRowsAreGone) {
  config_.vectors["second"] = {.dim = 2, .metric = Metric::kDot};
  Create();
  Store(0, 100);
  Point point;
  point.id = PointId(1);
  point.vectors = {{"second", {3, 4}}};
  ASSERT_TRUE(collection_->UpdateVectors(context_, {point}, nullptr).ok());
  const OptionsChange leave_out = [](CollectionConfig& config) {
    config.vectors.erase("second");
    return OkStatus();
  };
  ASSERT_TRUE(collection_->Retire(leave_out).ok());
  const OptionsChange again = [](CollectionConfig& config) {
    config.vectors["second"] = {.dim = 3, .metric = Metric::kDot};
    return OkStatus();
  };
  // Without an optimizer they stay.
  CollectionEnvironment parts = Parts(fs_);
  parts.optimizer = nullptr;
  parts.alarms = nullptr;
  OpenWith(parts);
  EXPECT_EQ(collection_->Retire(again).code(), ErrorCode::kUnavailable);
  OpenWith(Parts(fs_));
  Settle();
  Succeed(again);
  RetrieveRequest request;
  request.ids = {PointId(1)};
  request.with_vectors.mode = VectorSelector::Mode::kAll;
  auto records = collection_->Retrieve(context_, request);
  ASSERT_TRUE(records.ok() && records->size() == 1);
  ASSERT_EQ((*records)[0].vectors->size(), 1u);
  EXPECT_EQ((*records)[0].vectors->front().first, "");
  EXPECT_EQ(*collection_->Count(context_, nullptr), 100u);
  EXPECT_EQ(collection_->details().vectors.size(), 2u);
}

TEST_F(OptionsTest, DetailsTellWhatIsBuiltOverEachVector) {
  Create();
  Store(0, 1000);
  Settle();
  const CollectionDetails details = collection_->details();
  ASSERT_EQ(details.vectors.size(), 1u);
  const VectorMemoryUse& use = details.vectors.at("");
  const MemoryUse memory = collection_->stats().memory;
  EXPECT_EQ(use.vectors, memory.vectors);
  EXPECT_EQ(use.codes, memory.codes + memory.second_codes);
  EXPECT_EQ(use.index, memory.graphs);
  uint64_t points = 0;
  for (const SegmentState& segment : details.segments) points += segment.points;
  EXPECT_EQ(points, 1000u);
}

}  // namespace
}  // namespace akidb::engine
