// Wide vectors that are coded and linked by their first components.
#include <string>

#include "engine/indexed_collection_fixture.h"
#include "engine/prefix_choice.h"

namespace akidb::engine {
namespace {

class PrefixIndexTest : public IndexedCollectionFixture {
 protected:
  PrefixIndexTest() : IndexedCollectionFixture(40) {
    options_.head_rows_max = 2000;
    options_.head_bytes_max = size_t{64} << 20;
    Prepare(1536, Metric::kCosine, "1536");
    Permit("[256,512,1024]");
  }

  std::string PayloadOf(uint64_t id) const override {
    return R"({"third":)" + std::to_string(id % 3) + "}";
  }
  // The later a component, the less it holds, as in a Matryoshka embedding.
  DenseVector VectorOf(uint64_t id) const override {
    std::mt19937_64 random(id * 7919 + 1);
    std::normal_distribution<float> normal;
    std::mt19937_64 centre(id % clusters_);
    DenseVector vector(config_.vectors.at("").dim);
    for (float& value : vector) value = normal(centre);
    for (float& value : vector) value += cluster_width_ * normal(random);
    for (size_t i = 0; i < vector.size(); ++i) {
      vector[i] *= std::pow(static_cast<float>(i + 1), -decay_);
    }
    return vector;
  }
  void Prepare(uint32_t dim, Metric metric, const std::string& folder) {
    config_.vectors[""] = {.dim = dim, .metric = metric};
    options_.directory = "/data/" + folder;
  }
  void Permit(const std::string& prefixes) {
    config_.echoed_json["metadata"] = R"({"akidb":{"matryoshka":)" + prefixes + "}}";
  }
  double Recall(const std::shared_ptr<const Filter>& filter = nullptr) {
    return RecallOf(1'000'000, 1, filter);
  }
  // Of codes, for each row in segments.
  double CodeBytes() const {
    const CollectionStats stats = collection_->stats();
    return static_cast<double>(stats.memory.codes) /
           static_cast<double>(stats.live_rows + stats.dead_rows);
  }
  // Of 4-bit codes, with the headers and centres of segments.
  static bool Holds(double bytes, uint32_t coded_dim) {
    const double codes = coded_dim / 2.0 + 8;
    return bytes >= codes && bytes < codes + 40;
  }

  float decay_ = 0.6f;
};

TEST_F(PrefixIndexTest, IsWalkedAtEveryWidth) {
  for (uint32_t dim : {1536u, 2560u, 4096u}) {
    Prepare(dim, Metric::kCosine, std::to_string(dim));
    Create();
    Store(0, 1200);
    Settle();
    EXPECT_EQ(collection_->stats().graph_vectors, 1200u) << dim;
    EXPECT_TRUE(Holds(CodeBytes(), 1024)) << CodeBytes();
    EXPECT_GT(Recall(), 0.98) << dim;
    Reopen();
    EXPECT_TRUE(Holds(CodeBytes(), 1024)) << CodeBytes();
    EXPECT_GT(Recall(), 0.98) << dim;
    collection_.reset();
  }
}

TEST_F(PrefixIndexTest, IsWalkedByEveryMetricOfTheCodes) {
  for (Metric metric : {Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
    Prepare(1536, metric, std::string(MetricName(metric)));
    Create();
    Store(0, 1000);
    Settle();
    EXPECT_TRUE(Holds(CodeBytes(), metric == Metric::kManhattan ? 1536 : 1024)) << CodeBytes();
    EXPECT_GT(Recall(), 0.98) << MetricName(metric);
    collection_.reset();
  }
}

TEST_F(PrefixIndexTest, IsWalkedInEveryMemoryMode) {
  for (const char* mode : {"quality", "compact"}) {
    Prepare(1536, Metric::kCosine, mode);
    config_.echoed_json["metadata"] =
        R"({"akidb":{"matryoshka":[1024],"memory":")" + std::string(mode) + "\"}}";
    Create();
    Store(0, 1000);
    Settle();
    const double bytes = mode == std::string("quality") ? 1024 + 8 : 1024 / 8 + 8;
    EXPECT_GE(CodeBytes(), bytes) << mode;
    EXPECT_LT(CodeBytes(), bytes + 20) << mode;
    EXPECT_GT(Recall(), 0.98) << mode;
    collection_.reset();
  }
}

// Whoever permits nothing, or too little, gets what there was before.
TEST_F(PrefixIndexTest, WithoutPermissionWholeVectorsAreCoded) {
  for (const char* prefixes : {"{}", "[64,256]", R"({"other":[1024]})", "[1536]"}) {
    Permit(prefixes);
    Create();
    Store(0, 900);
    Settle();
    EXPECT_TRUE(Holds(CodeBytes(), 1536)) << prefixes << ": " << CodeBytes();
    EXPECT_GT(Recall(), 0.98) << prefixes;
    collection_.reset();
    ASSERT_TRUE(fs_.RemoveAll(options_.directory).ok());
  }
}

// The last components hold the most.
TEST_F(PrefixIndexTest, APrefixThatSaysTooLittleIsRefused) {
  Permit("[512]");
  decay_ = -1;
  cluster_width_ = 3;
  Create();
  Store(0, 1200);
  Settle();
  EXPECT_EQ(collection_->stats().graph_vectors, 1200u);
  EXPECT_TRUE(Holds(CodeBytes(), 1536)) << CodeBytes();
  EXPECT_GT(Recall(), 0.98);
  Store(1200, 700);
  Settle();
  EXPECT_TRUE(Holds(CodeBytes(), 1536)) << CodeBytes();
  EXPECT_GT(Recall(), 0.98);
}

// A prefix that seemed good enough is given up when the graph over it has been measured.
TEST_F(PrefixIndexTest, AGraphThatFindsTooLittleIsBuiltAgainOverWholeVectors) {
  const std::unique_ptr<SegmentIndexer> strict =
      MakeVectorIndexer({.graph_rows_min = 800, .prefix_recall_min = 1.1}, *log_);
  indexer_ = strict.get();
  Create();
  Store(0, 700);
  Settle();
  EXPECT_TRUE(Holds(CodeBytes(), 1024)) << CodeBytes();
  Store(700, 800);
  Settle();
  EXPECT_EQ(collection_->stats().graph_vectors, 1500u);
  EXPECT_TRUE(Holds(CodeBytes(), 1536)) << CodeBytes();
  EXPECT_GT(Recall(), 0.98);
  Reopen();
  EXPECT_GT(Recall(), 0.98);
  collection_.reset();
}

// So wide that a few rows are worth their codes.
TEST_F(PrefixIndexTest, OfAFewRowsNothingIsKnown) {
  decay_ = 0;
  Prepare(6000, Metric::kEuclid, "few");
  Permit("[1024]");
  Create();
  Store(0, 190);
  Settle();
  EXPECT_TRUE(Holds(CodeBytes() - 6000 * 4 / 190.0, 6016)) << CodeBytes();
  EXPECT_GT(Recall(), 0.99);
}

TEST_F(PrefixIndexTest, CodesWithoutAGraphAreScanned) {
  for (Metric metric : {Metric::kCosine, Metric::kEuclid, Metric::kDot}) {
    config_.echoed_json["hnsw_config"] = R"({"m":0})";
    Prepare(1536, metric, std::string(MetricName(metric)));
    Create();
    Store(0, 1000);  // more than 4 MiB
    Settle();
    EXPECT_EQ(collection_->stats().graph_vectors, 0u);
    EXPECT_TRUE(Holds(CodeBytes(), 1024)) << CodeBytes();
    EXPECT_GT(Recall(), 0.99) << MetricName(metric);
    collection_.reset();
  }
}

TEST_F(PrefixIndexTest, FiltersAndDeadPointsAreKept) {
  options_.merge_policy.dead_percent_max = 60;
  Create();
  Store(0, 1500);
  Settle();
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < 1500; id += 4) ids.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  EXPECT_GT(Recall(), 0.98);
  auto filter = std::make_shared<Filter>();
  filter->must.push_back(FieldCondition{*PayloadPath::Parse("third"), MatchValue{int64_t{1}}});
  EXPECT_GT(Recall(filter), 0.98);
}

// The permission of a model comes with its first text; segments of both kinds stand side by side,
// and are merged to one by the prefix.
TEST_F(PrefixIndexTest, WhatAModelDeclaresHoldsForSegmentsFromThenOn) {
  config_.echoed_json.erase("metadata");
  Create();
  EXPECT_EQ(collection_->PermitPrefixes("no such vector", {}).code(), ErrorCode::kInvalidArgument);
  Store(0, 400);
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_NEAR(CodeBytes(), 776, 30);
  const std::vector<uint32_t> prefixes = {512, 1024, 1536};
  ASSERT_TRUE(collection_->PermitPrefixes("", prefixes).ok());
  ASSERT_TRUE(collection_->PermitPrefixes("", prefixes).ok());
  Reopen();
  Store(400, 600);
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_GT(Recall(), 0.98);
  Settle();
  EXPECT_TRUE(Holds(CodeBytes(), 1024)) << CodeBytes();
  EXPECT_GT(Recall(), 0.98);
  // Extends the graph.
  Store(1000, 600);
  Settle();
  EXPECT_TRUE(Holds(CodeBytes(), 1024)) << CodeBytes();
  EXPECT_GT(Recall(), 0.98);
  // What the model no longer declares ends with the next merge.
  ASSERT_TRUE(collection_->PermitPrefixes("", {}).ok());
  Store(2000, 900);
  Settle();
  EXPECT_TRUE(Holds(CodeBytes(), 1536)) << CodeBytes();
  EXPECT_GT(Recall(), 0.98);
}

TEST_F(PrefixIndexTest, DamagedCodesAreBuiltAgain) {
  Create();
  Store(0, 1200);
  Settle();
  const std::string folder = options_.directory + "/seg";
  const std::vector<std::string> files = *disk_->List(folder);
  ASSERT_EQ(files.size(), 1u);
  const std::string path = folder + "/" + files[0];
  const std::string bytes = *env::ReadWholeFile(*disk_, path, 64u << 20);
  collection_.reset();
  const uint64_t middle = MiddleOfSection(bytes, storage::SectionId::kCodes);
  ASSERT_TRUE(disk_->FlipBit(path, middle * 8 + 3).ok());
  Reopen();
  EXPECT_TRUE(collection_->stats().merge_due);
  EXPECT_EQ(Recall(), 1);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_TRUE(Holds(CodeBytes(), 1024)) << CodeBytes();
  EXPECT_GT(Recall(), 0.98);
}

TEST(PrefixChoice, TakesThePermittedOneNearestTo1024) {
  VectorConfig config{.dim = 2560};
  auto chosen = [&](std::vector<uint32_t> permitted) { return ChoosePrefix(config, permitted); };
  EXPECT_EQ(chosen({}), 0u);
  EXPECT_EQ(chosen({64, 256, 511}), 0u);
  EXPECT_EQ(chosen({512}), 512u);
  EXPECT_EQ(chosen({512, 1024, 2048}), 1024u);
  EXPECT_EQ(chosen({768, 1280}), 1280u);
  EXPECT_EQ(chosen({256, 2048}), 2048u);
  EXPECT_EQ(chosen({2560}), 0u);
  config.metric = Metric::kManhattan;
  EXPECT_EQ(chosen({1024}), 0u);
  config.metric = Metric::kDot;
  EXPECT_EQ(chosen({1024}), 1024u);
  config.multivector = true;
  EXPECT_EQ(chosen({1024}), 0u);
  config = {.dim = 1535};
  EXPECT_EQ(chosen({1024}), 0u);
}

TEST(PrefixChoice, TheGraphMustFindEnoughWithFewCandidates) {
  auto enough = [](uint32_t ef, float recall, float compared) {
    const index::RecallCurve curve({{10, 0.5f, 100, 10}, {ef, recall, 1000, compared}}, 200);
    return FindsEnough(curve, 0.98);
  };
  EXPECT_TRUE(enough(100, 0.985f, 60));
  EXPECT_FALSE(enough(100, 0.97f, 60));
  EXPECT_FALSE(enough(1024, 0.99f, 60));
  EXPECT_FALSE(enough(100, 0.99f, 500));
  EXPECT_FALSE(FindsEnough({}, 0.98));
}

}  // namespace
}  // namespace akidb::engine
