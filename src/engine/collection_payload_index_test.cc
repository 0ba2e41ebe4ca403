// Payload indexes of a collection: durable, built in the background, left out when damaged, and of
// no influence on what filtered searches find.
#include "engine/indexed_collection_fixture.h"
#include "engine/segment_payload_indexes.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kClusters = 60;

class PayloadIndexesTest : public IndexedCollectionFixture {
 protected:
  PayloadIndexesTest() : IndexedCollectionFixture(kClusters) {}

  std::string PayloadOf(uint64_t id) const override {
    return R"({"cluster":)" + std::to_string(id % kClusters) + R"(,"name":"n)" +
           std::to_string(id % 7) + R"(","n":)" + std::to_string(id) + "}";
  }
  Status PutIndex(const std::string& field, PayloadFieldKind kind) {
    return collection_->PutPayloadIndex(context_, field, {kind, ""}).status();
  }
  PayloadIndexInfos Infos(const Collection& collection) {
    Result<PayloadIndexInfos> infos = collection.PayloadIndexes(context_);
    EXPECT_TRUE(infos.ok()) << infos.status().ToString();
    return infos.ok() ? *infos : PayloadIndexInfos();
  }
  uint64_t Count(const Filter& filter) {
    Result<uint64_t> count = collection_->Count(context_, &filter);
    EXPECT_TRUE(count.ok()) << count.status().ToString();
    return count.ok() ? *count : UINT64_MAX;
  }
  static std::shared_ptr<const Filter> Below(const char* field, double end) {
    auto filter = std::make_shared<Filter>();
    NumericRange range;
    range.lt = end;
    filter->must.push_back(FieldCondition{*PayloadPath::Parse(field), range});
    return filter;
  }
  // Of the 10 nearest to queries in `cluster`.
  double Recall(uint64_t cluster, const std::shared_ptr<const Filter>& filter) {
    return RecallOf(50'000 * kClusters + cluster, kClusters, filter);
  }
  std::vector<std::string> Files() { return *disk_->List(options_.directory + "/seg"); }
};

TEST_F(PayloadIndexesTest, SegmentsGetThemWhetherSealedBeforeOrAfter) {
  Create();
  Store(0, 900);
  Settle();
  const std::vector<std::string> files = Files();
  ASSERT_TRUE(PutIndex("cluster", PayloadFieldKind::kInteger).ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_NE(Files(), files);
  EXPECT_EQ(Infos(*collection_).at("cluster").points, 900u);
  Store(900, 50);  // in the head
  EXPECT_EQ(Infos(*collection_).at("cluster").points, 950u);
  Settle();
  EXPECT_EQ(Infos(*collection_).at("cluster").points, 950u);
  EXPECT_EQ(Count(*Below("cluster", 5)), 950u / kClusters * 5 + 5);
  const std::vector<std::string> indexed = Files();
  Reopen();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(Files(), indexed);
  EXPECT_EQ(Infos(*collection_).at("cluster").points, 950u);
  // Going needs no segment written anew, nor does coming back.
  ASSERT_TRUE(collection_->DropPayloadIndex(context_, "cluster").ok());
  EXPECT_TRUE(Infos(*collection_).empty());
  ASSERT_TRUE(PutIndex("cluster", PayloadFieldKind::kInteger).ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(Files(), indexed);
}

TEST_F(PayloadIndexesTest, ParametersComeBackAndAFieldHasOneIndex) {
  config_.payload_indexes["cluster"] = {PayloadFieldKind::kKeyword, R"({"type":"keyword"})"};
  Create();
  EXPECT_TRUE(collection_->config().payload_indexes.empty());
  EXPECT_EQ(Infos(*collection_).at("cluster").index.params_json, R"({"type":"keyword"})");
  ASSERT_TRUE(collection_
                  ->PutPayloadIndex(context_, R"("cluster")",
                                    {PayloadFieldKind::kInteger, R"({"type":"integer"})"})
                  .ok());
  Reopen();
  const PayloadIndexInfos infos = Infos(*collection_);
  ASSERT_EQ(infos.size(), 1u);
  EXPECT_EQ(infos.begin()->first, R"("cluster")");
  EXPECT_EQ(infos.begin()->second.index.kind, PayloadFieldKind::kInteger);
  EXPECT_EQ(infos.begin()->second.index.params_json, R"({"type":"integer"})");
  EXPECT_TRUE(collection_->DropPayloadIndex(context_, "unknown").ok());
  EXPECT_TRUE(collection_->DropPayloadIndex(context_, "cluster").ok());
  EXPECT_TRUE(Infos(*collection_).empty());
}

TEST_F(PayloadIndexesTest, BadFieldsAndTooManyAreRefused) {
  Create();
  for (const char* field : {"", "a[", "a..b", "\"a"}) {
    EXPECT_EQ(PutIndex(field, PayloadFieldKind::kKeyword).code(), ErrorCode::kValidation) << field;
  }
  EXPECT_EQ(PutIndex(std::string(1025, 'a'), PayloadFieldKind::kKeyword).code(),
            ErrorCode::kValidation);
  const PayloadFieldIndex long_params{PayloadFieldKind::kKeyword, std::string(5000, ' ')};
  EXPECT_EQ(collection_->PutPayloadIndex(context_, "a", long_params).status().code(),
            ErrorCode::kValidation);
  for (uint32_t i = 0; i < kPayloadIndexesMax; ++i) {
    ASSERT_TRUE(PutIndex("f" + std::to_string(i), PayloadFieldKind::kKeyword).ok());
  }
  EXPECT_EQ(PutIndex("more", PayloadFieldKind::kKeyword).code(), ErrorCode::kValidation);
  EXPECT_TRUE(PutIndex("f0", PayloadFieldKind::kInteger).ok());
  EXPECT_EQ(Infos(*collection_).size(), kPayloadIndexesMax);
}

// At every step of the change a power cut leaves the fields of before or of after, and every point.
TEST_F(PayloadIndexesTest, AChangeSurvivesPowerCuts) {
  Create();
  Store(0, 400);
  ASSERT_TRUE(PutIndex("name", PayloadFieldKind::kKeyword).ok());
  auto fields_after_crash = [&](uint64_t seed) {
    auto disk = disk_->CloneAfterCrash(seed);
    CollectionEnvironment parts = Parts(*disk);
    parts.optimizer = nullptr;
    parts.alarms = nullptr;
    auto opened = Collection::Open(options_, parts);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (!opened.ok()) return std::set<std::string>();
    EXPECT_EQ(*(*opened)->Count(context_, nullptr), 400u);
    std::set<std::string> fields;
    for (const auto& [field, info] : Infos(**opened)) fields.insert(field);
    return fields;
  };
  const std::set<std::string> before{"name"};
  const std::set<std::string> after{"cluster", "name"};
  size_t steps = 0;
  std::set<std::set<std::string>> seen;
  fs_.SetWatch([&](WatchedFileSystem::Kind, const std::string& path) {
    if (path.find("MANIFEST") == std::string::npos && path.find("CURRENT") == std::string::npos) {
      return;
    }
    ++steps;
    for (uint64_t seed = 0; seed < 4; ++seed) seen.insert(fields_after_crash(seed));
  });
  ASSERT_TRUE(PutIndex("cluster", PayloadFieldKind::kInteger).ok());
  fs_.SetWatch({});
  EXPECT_GE(steps, 4u);
  for (const std::set<std::string>& fields : seen) {
    EXPECT_TRUE(fields == before || fields == after) << fields.size();
  }
  for (uint64_t seed = 0; seed < 4; ++seed) EXPECT_EQ(fields_after_crash(seed), after);
  ASSERT_TRUE(collection_->DropPayloadIndex(context_, "name").ok());
  for (uint64_t seed = 0; seed < 4; ++seed) {
    EXPECT_EQ(fields_after_crash(seed), std::set<std::string>{"cluster"});
  }
}

TEST_F(PayloadIndexesTest, AChangeDuringAMergeIsNotLost) {
  Create();
  Store(0, 900);
  ASSERT_TRUE(collection_->Seal().ok());
  std::promise<void> go_on = HoldOptimizer();
  ASSERT_TRUE(PutIndex("cluster", PayloadFieldKind::kInteger).ok());
  bool reached = false;
  fs_.SetWatch([&](WatchedFileSystem::Kind kind, const std::string& path) {
    if (reached || kind != WatchedFileSystem::Kind::kRename || !IsSegment(path)) return;
    reached = true;
    EXPECT_TRUE(PutIndex("name", PayloadFieldKind::kKeyword).ok());
  });
  go_on.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  fs_.SetWatch({});
  EXPECT_TRUE(reached);
  EXPECT_EQ(Infos(*collection_).at("name").points, 900u);
  Reopen();
  EXPECT_EQ(Infos(*collection_).at("name").points, 900u);
}

TEST_F(PayloadIndexesTest, ADroppedCollectionIsLeftAlone) {
  Create();
  collection_->Drop();
  EXPECT_EQ(PutIndex("name", PayloadFieldKind::kKeyword).code(), ErrorCode::kNotFound);
}

TEST_F(PayloadIndexesTest, ADamagedSectionIsLeftOutAndBuiltAgain) {
  for (const char* field : {"n", "cluster"}) {
    config_.payload_indexes[field] = {PayloadFieldKind::kInteger, ""};
  }
  config_.payload_indexes["name"] = {PayloadFieldKind::kKeyword, ""};
  indexer_ = nullptr;
  Create();
  Store(0, 20'000);  // so that the section fills blocks of its own
  Settle();
  collection_.reset();  // and no merge is under way any more
  const std::vector<std::string> files = Files();
  std::string path;
  std::string bytes;  // of the largest
  for (const std::string& file : files) {
    std::string other = *env::ReadWholeFile(*disk_, "/data/c/seg/" + file, 64u << 20);
    if (other.size() < bytes.size()) continue;
    bytes = std::move(other);
    path = "/data/c/seg/" + file;
  }
  const uint64_t at = MiddleOfSection(bytes, storage::SectionId::kPayloadIndexes);
  ASSERT_TRUE(disk_->FlipBit(path, at * 8 + 3).ok());
  // The merge that builds it again begins with the opening.
  std::promise<void> go_on = HoldOptimizer();
  Reopen();
  EXPECT_TRUE(collection_->stats().merge_due);
  EXPECT_EQ(Count(*Below("n", 12'345)), 12'345u);
  go_on.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_NE(Files(), files);
  EXPECT_EQ(Infos(*collection_).at("n").points, 20'000u);
  EXPECT_EQ(Count(*Below("n", 12'345)), 12'345u);
}

// Rows as the builder reads them.
class PayloadRows final : public storage::SegmentRows {
 public:
  explicit PayloadRows(uint32_t rows) : rows_(rows) {}
  uint32_t rows() const override { return rows_; }
  PointId id(uint32_t row) const override { return PointId(row); }
  uint64_t seq(uint32_t) const override { return 1; }
  bool HasVector(uint32_t, size_t) const override { return false; }
  Result<std::span<const std::byte>> vector(uint32_t, size_t) const override {
    return std::span<const std::byte>();
  }
  Result<std::span<const std::byte>> payload(uint32_t row) const override {
    payload_ = *ParsePayloadJson(R"({"long":")" + std::string(500, 'x') + std::to_string(row) +
                                 R"(","short":1})");
    return payload_.encoded();
  }

 private:
  const uint32_t rows_;
  mutable Payload payload_;  // the one read last
};

TEST_F(PayloadIndexesTest, WhatWouldTakeTooMuchMemoryIsLeftOut) {
  auto schema = PayloadIndexSchema::Make(
      {{"long", {PayloadFieldKind::kKeyword, ""}}, {"short", {PayloadFieldKind::kInteger, ""}}});
  ASSERT_TRUE(schema.ok());
  std::atomic<bool> stop{false};
  const PayloadIndexSectionBuilder builder(**schema, stop, *log_);
  Result<std::optional<IndexSection>> built = builder.Build(PayloadRows(5000), 1 << 20);
  ASSERT_TRUE(built.ok() && *built);
  Result<PayloadIndexSection> section = PayloadIndexSection::Open((*built)->bytes, 5000);
  ASSERT_TRUE(section.ok());
  ASSERT_EQ(section->indexes().size(), 1u);
  EXPECT_EQ(section->indexes()[0].path().text(), "short");
  EXPECT_FALSE((*schema)->IsCoveredBy(*section));
  stop = true;
  EXPECT_EQ(builder.Build(PayloadRows(5000)).status().code(), ErrorCode::kCancelled);
}

// Clusters are what a filter goes along with: those that it leaves are near the query, or far.
TEST_F(PayloadIndexesTest, FilteredRecallIsThatWithoutAFilter) {
  Create();
  Store(0, 6000);
  Settle();
  clock_.Advance(options_.idle_after);
  ASSERT_TRUE(collection_->Merge().ok());
  ASSERT_LE(collection_->stats().segments, 2u);  // so at least one has a graph
  const double unfiltered = Recall(3, nullptr);
  EXPECT_GT(unfiltered, 0.98);
  for (const char* field : {"cluster", "n"}) {
    ASSERT_TRUE(PutIndex(field, PayloadFieldKind::kInteger).ok());
  }
  ASSERT_TRUE(collection_->Merge().ok());
  for (double clusters : {1, 5, 13, 30, 45, 59}) {
    const std::string share = std::to_string(static_cast<int>(clusters)) + " of 60 clusters";
    EXPECT_GT(Recall(0, Below("cluster", clusters)), unfiltered - 0.01) << share << ", near";
    EXPECT_GT(Recall(59, Below("cluster", clusters)), unfiltered - 0.01) << share << ", far";
    EXPECT_GT(Recall(3, Below("n", 100 * clusters)), unfiltered - 0.01) << share << ", any";
  }
  // Fewer than are wanted: all of them.
  EXPECT_EQ(Search(1, false, 10, Below("n", 7)).size(), 7u);
  EXPECT_EQ(Search(1, false, 5000, Below("n", 4000)).size(), 4000u);
}

}  // namespace
}  // namespace akidb::engine
