// Changing parts of points, wherever the points are and whatever is done to their segments
// meanwhile.
#include <atomic>
#include <thread>

#include "engine/edit_fixture.h"
#include "engine/head_source.h"
#include "engine/view_reader.h"

namespace akidb::engine {
namespace {

using Kind = WatchedFileSystem::Kind;

class CollectionEditTest : public EditFixture {
 protected:
  Result<EditResult> Edit(const PointSelector& selector, const PayloadChange& change) {
    return collection_->ChangePayloads(context_, selector, change);
  }
  std::vector<std::string> Files(std::string_view ending) {
    std::vector<std::string> files;
    const auto names = disk_->List("/data/c/seg");
    for (const std::string& name : *names) {
      if (name.ends_with(ending)) files.push_back(name);
    }
    return files;
  }
  // One point in a segment, one in the head.
  void StoreTwo() {
    ASSERT_TRUE(Store(1, 1, R"({"a":1,"n":{"x":1}})").ok());
    ASSERT_TRUE(collection_->Seal().ok());
    ASSERT_TRUE(Store(2, 1, R"({"a":2})").ok());
  }
};

TEST_F(CollectionEditTest, PayloadsChangeInTheHeadAndInSegments) {
  Create();
  StoreTwo();
  const PointSelector both{Ids(1, 2), nullptr};
  ASSERT_TRUE(Change(both, SetTo(R"({"b":7})")).ok());
  ExpectThePoints("after setting");
  ASSERT_TRUE(
      Change(both, SetPayload{*ParsePayloadJson(R"({"y":2})"), *PayloadPath::Parse("n")}).ok());
  EXPECT_EQ(points_[1].payload, R"({"a":1,"n":{"x":1,"y":2},"b":7})");
  ExpectThePoints("after setting by key");
  ASSERT_TRUE(Change(both, DeletePayloadKeys{{*PayloadPath::Parse("n.x")}}).ok());
  ExpectThePoints("after deleting");
  ASSERT_TRUE(
      Change({{}, NumberIs("a", 2)}, OverwritePayload{*ParsePayloadJson(R"({"c":1})")}).ok());
  ExpectThePoints("after overwriting by filter");
  ASSERT_TRUE(Change({Ids(2, 1), nullptr}, ClearPayload{}).ok());
  ExpectThePoints("after clearing");
  ASSERT_TRUE(collection_->Seal().ok());
  ExpectThePoints("after a seal");
  ASSERT_TRUE(Change(both, SetTo(R"({"z":1})")).ok());
  Reopen();
  ExpectThePoints("after a restart");
}

TEST_F(CollectionEditTest, VectorsAreWrittenWithTheirPoint) {
  Create();
  StoreTwo();
  ASSERT_TRUE(PutVectors(1, {{"b", {7, 8, 9}}}).ok());
  ASSERT_TRUE(PutVectors(2, {{"", {5, 6}}, {"b", {1, 1, 1}}}).ok());
  ExpectThePoints("after updates");
  ASSERT_TRUE(RemoveVectors({Ids(1, 2), nullptr}, {"", "b"}).ok());
  EXPECT_TRUE(points_[1].vectors.empty());
  ExpectThePoints("after all are gone");
  ASSERT_TRUE(PutVectors(1, {{"", {5, 6}}}).ok());
  ASSERT_TRUE(RemoveVectors({{}, NumberIs("a", 1)}, {"b"}).ok());  // which it hasn't
  ExpectThePoints("after one came back");
  EXPECT_EQ(PutVectors(1, {{"", {1}}}).code(), ErrorCode::kInvalidArgument);
  const std::string unknown[] = {"c"};
  EXPECT_EQ(collection_->DeleteVectors(context_, {Ids(1, 1), nullptr}, unknown).status().message(),
            "Not existing vector name error: c");
}

TEST_F(CollectionEditTest, OfRepeatedIdsTheVectorsComeTogether) {
  Create();
  StoreTwo();
  std::vector<Point> points(3);
  for (Point& point : points) point.id = PointId(1);
  points[0].vectors = {{"", {1, 1}}};
  points[1].vectors = {{"b", {2, 2, 2}}};
  points[2].vectors = {{"", {3, 3}}};
  ASSERT_TRUE(collection_->UpdateVectors(context_, points, nullptr).ok());
  points_[1].vectors = {{"", {3, 3}}, {"b", {2, 2, 2}}};
  ExpectThePoints("after the update");
}

TEST_F(CollectionEditTest, AFilterOfAnUpdateLeavesOthersAlone) {
  Create();
  StoreTwo();
  std::vector<Point> points(2);
  points[0].id = PointId(1);
  points[1].id = PointId(2);
  points[0].vectors = points[1].vectors = {{"", {9, 9}}};
  auto filter = NumberIs("a", 2);
  auto edited = collection_->UpdateVectors(context_, points, filter.get());
  ASSERT_TRUE(edited.ok());
  EXPECT_FALSE(edited->not_found);  // it is there, only not meant
  points_[2].vectors[""] = {9, 9};
  ExpectThePoints("after the update");
}

TEST_F(CollectionEditTest, TheFirstIdThatIsNotThereIsNamedAndTheOthersChange) {
  Create();
  StoreTwo();
  auto edited = Edit({{PointId(1), PointId(99), PointId(50), PointId(2)}, nullptr}, ClearPayload{});
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ(edited->not_found, PointId(99));
  points_[1].payload = points_[2].payload = "{}";
  ExpectThePoints("after clearing");
  EXPECT_FALSE(Edit({{}, NumberIs("a", 5)}, ClearPayload{})->not_found);
  EXPECT_GT(Edit({{}, nullptr}, ClearPayload{})->write.seq, edited->write.seq);
}

TEST_F(CollectionEditTest, ChangesLieInADeltaAndTheSegmentStays) {
  Create();
  ASSERT_TRUE(Store(0, 200).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  const std::vector<std::string> segments = Files(".seg");
  ASSERT_TRUE(Change({Ids(10, 20), nullptr}, SetTo(R"({"g":1})")).ok());
  EXPECT_EQ(collection_->stats().replaced_rows, 20u);
  EXPECT_EQ(collection_->stats().dead_rows, 0u);
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(Files(".seg"), segments);
  const std::vector<std::string> deltas = Files(".delta");
  EXPECT_EQ(deltas.size(), 1u);
  Reopen();
  EXPECT_EQ(collection_->stats().replaced_rows, 20u);
  ExpectThePoints("after a restart");
  // Nothing is new, and the delta isn't written again.
  ASSERT_TRUE(Store(1000, 1).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(Files(".delta"), deltas);
  ASSERT_TRUE(Forget(10, 5).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  Reopen();
  EXPECT_EQ(collection_->stats().replaced_rows, 15u);  // without those of the dead
  ExpectThePoints("after deletes");
}

TEST_F(CollectionEditTest, VersionsAreThoseOfTheLastChange) {
  Create();
  ASSERT_TRUE(Store(0, 10).ok());
  auto version = [&](uint64_t id) {
    SearchRequest search;
    const DenseVector query{0, 0};
    search.query = query;
    search.limit = 100;
    auto hits = collection_->Search(context_, search);
    EXPECT_TRUE(hits.ok()) << hits.status().ToString();
    for (const Hit& hit : *hits) {
      if (hit.id == PointId(id)) return hit.seq;
    }
    return uint64_t{0};
  };
  const uint64_t first = version(3);
  const uint64_t in_head = Edit({Ids(3, 1), nullptr}, ClearPayload{})->write.seq;
  EXPECT_GT(in_head, first);
  EXPECT_EQ(version(3), in_head);
  EXPECT_EQ(version(4), first);
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(version(3), in_head);
  const uint64_t sealed = Edit({Ids(5, 1), nullptr}, ClearPayload{})->write.seq;
  EXPECT_EQ(version(5), sealed);
  ASSERT_TRUE(collection_->Seal().ok());
  Reopen();
  EXPECT_EQ(version(5), sealed);
  ASSERT_TRUE(Edit({Ids(6, 3), nullptr}, ClearPayload{}).ok());  // enough for a merge
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().replaced_rows, 0u);
  EXPECT_EQ(version(5), sealed);
  EXPECT_EQ(version(3), in_head);
  EXPECT_EQ(version(4), first);
}

// Who looks at what was written after a sequence number finds its beginning by bisection.
TEST_F(CollectionEditTest, RowsOfSegmentsAscendByTheirLastChange) {
  Create();
  auto expect_ascending = [&](const char* when) {
    for (const std::string& name : Files(".seg")) {
      const std::string path = "/data/c/seg/" + name;
      const Result<std::string> content = env::ReadWholeFile(*disk_, path, 1 << 20);
      ASSERT_TRUE(content.ok());
      auto reader = storage::SegmentReader::Open(
          *disk_, path, {*Uuid::Parse(name.substr(0, 36)), options_.uuid, content->size()});
      ASSERT_TRUE(reader.ok()) << reader.status().ToString();
      for (uint32_t row = 1; row < (*reader)->rows(); ++row) {
        ASSERT_LE((*reader)->SeqOf(row - 1), (*reader)->SeqOf(row)) << when;
      }
    }
  };
  ASSERT_TRUE(Store(0, 20).ok());
  ASSERT_TRUE(Edit({Ids(5, 2), nullptr}, ClearPayload{}).ok());
  ASSERT_TRUE(Store(20, 20).ok());
  ASSERT_TRUE(Edit({Ids(2, 2), nullptr}, ClearPayload{}).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  expect_ascending("after a seal");
  std::promise<void> hold = HoldOptimizer();
  for (uint64_t id : {9, 3, 30, 5, 1, 12, 0, 7, 38}) {
    ASSERT_TRUE(Edit({Ids(id, 1), nullptr}, ClearPayload{}).ok());
  }
  hold.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().replaced_rows, 0u);
  expect_ascending("after a merge");
}

// As a delete by filter does when it looks again.
TEST_F(CollectionEditTest, ALaterLookSeesWhatGotAnotherPayload) {
  const VectorSchema schema(config_);
  auto head = std::make_shared<Head>(schema, 10);
  auto payload = [](const char* json) {
    return std::make_shared<const Payload>(*ParsePayloadJson(json));
  };
  for (uint64_t id = 0; id < 4; ++id) {
    head->Add(1, AsPoint(id, {R"({"g":0})", {{"", {1, 1}}}}));
  }
  ASSERT_TRUE(head->Replace(PointId(1), 3, payload(R"({"g":5})")));
  ASSERT_TRUE(head->Replace(PointId(2), 6, payload(R"({"g":5})")));
  ASSERT_TRUE(head->Replace(PointId(3), 9, payload(R"({"g":5})")));
  View view;
  view.seq = 7;
  view.sources = {MakeHeadSource(head, head->rows(), view.seq)};
  const ViewReader reader(view, schema, context_);
  std::vector<PointId> ids = Ids(0, 4);
  ASSERT_TRUE(reader.KeepUnchanged(4, ids).ok());
  EXPECT_EQ(ids, (std::vector<PointId>{PointId(0), PointId(1), PointId(3)}));
  EXPECT_EQ(*reader.MatchingIds(*NumberIs("g", 5), 4), std::vector<PointId>{PointId(2)});
  EXPECT_EQ(reader.MatchingIds(*NumberIs("g", 5))->size(), 2u);
}

TEST_F(CollectionEditTest, ManyPointsTakeSeveralEdits) {
  options_.head_rows_max = 6000;
  Create();
  constexpr uint64_t kPoints = 2 * Collection::kEditPointsMax + 500;
  for (uint64_t first = 0; first < kPoints; first += 500) {
    ASSERT_TRUE(Store(first, std::min<uint64_t>(500, kPoints - first)).ok());
  }
  const uint64_t before = collection_->stats().last_seq;
  ASSERT_TRUE(Change({{}, NumberIs("g", 0)}, SetTo(R"({"g":1})")).ok());
  EXPECT_EQ(collection_->stats().last_seq, before + 3);
  ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after a change by filter"));
  PointSelector all{Ids(0, kPoints), nullptr};
  all.ids.push_back(PointId(5'000'000));
  auto edited = Edit(all, OverwritePayload{*ParsePayloadJson(R"({"o":1})")});
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ(edited->not_found, PointId(5'000'000));
  for (auto& [id, stored] : points_) stored.payload = R"({"o":1})";
  ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after a change by ids"));
  ASSERT_TRUE(RemoveVectors({{}, NumberIs("o", 1)}, {"b"}).ok());
  ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after vectors are gone"));
}

TEST_F(CollectionEditTest, LargePayloadsTakeSeveralEdits) {
  Create();
  ASSERT_TRUE(Store(0, 10).ok());
  const uint64_t before = collection_->stats().last_seq;
  const std::string large = R"({"t":")" + std::string(4 << 20, 'x') + R"("})";
  ASSERT_TRUE(Change({Ids(0, 10), nullptr}, SetTo(large)).ok());
  EXPECT_GE(collection_->stats().last_seq, before + 2);
  ExpectThePoints("after the change");
  // The same payload for all is there once.
  const uint64_t then = collection_->stats().last_seq;
  ASSERT_TRUE(Change({Ids(0, 10), nullptr}, OverwritePayload{*ParsePayloadJson(large)}).ok());
  EXPECT_EQ(collection_->stats().last_seq, then + 1);
}

TEST_F(CollectionEditTest, WhatCannotBeIsRefusedAndChangesNothing) {
  Create();
  StoreTwo();
  std::string deep = "a";
  for (int i = 0; i < 200; ++i) deep += ".a";
  const SetPayload too_deep{*ParsePayloadJson(R"({"y":1})"), *PayloadPath::Parse(deep)};
  EXPECT_EQ(Edit({Ids(1, 2), nullptr}, too_deep).status().code(), ErrorCode::kInvalidArgument);
  RequestContext cancelled(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  EXPECT_FALSE(collection_->ChangePayloads(cancelled, {Ids(1, 2), nullptr}, ClearPayload{}).ok());
  ExpectThePoints("after refusals");
}

TEST_F(CollectionEditTest, ManyReplacedPayloadsAreMergedIntoTheirSegment) {
  Create();
  ASSERT_TRUE(Store(0, 200).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_TRUE(Change({Ids(0, 30), nullptr}, SetTo(R"({"g":1})")).ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().replaced_rows, 30u);  // 15 %
  ASSERT_TRUE(Change({Ids(30, 1), nullptr}, SetTo(R"({"g":1})")).ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().replaced_rows, 0u);
  EXPECT_EQ(collection_->stats().merged_rows, 200u);
  ExpectThePoints("after the merge");
  ExpectTheFiltered(NumberIs("g", 1));
}

TEST_F(CollectionEditTest, BytesOfReplacedPayloadsAreBounded) {
  options_.merge_policy.replaced_bytes_max = 100'000;
  options_.replaced_bytes_max = 150'000;
  options_.room_wait_max = std::chrono::milliseconds(0);
  Create();
  ASSERT_TRUE(Store(0, 200).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  std::promise<void> hold = HoldOptimizer();
  const std::string text = R"({"t":")" + std::string(20'000, 'x') + R"("})";
  uint64_t changed = 0;
  Status status;
  while (status.ok() && changed < 100) {
    status = Edit({Ids(changed, 1), nullptr}, SetTo(text)).status();
    if (status.ok()) ++changed;
  }
  EXPECT_EQ(status.code(), ErrorCode::kResourceExhausted) << status.ToString();
  EXPECT_LT(changed, 10u);
  ASSERT_TRUE(Store(500, 5).ok());  // brings no such payload
  for (uint64_t id = 0; id < changed; ++id) {
    points_[id].payload = R"({"g":0,"t":")" + std::string(20'000, 'x') + R"("})";
  }
  hold.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().replaced_rows, 0u);
  ASSERT_TRUE(Change({Ids(changed, 1), nullptr}, SetTo(text)).ok());
  ExpectThePoints("after the merge");
}

TEST_F(CollectionEditTest, ChangesAtEveryMomentOfAMergeAreCarriedOver) {
  for (const Moment& moment : kMoments) {
    for (bool seal : {false, true}) {
      if (seal && !moment.may_seal) continue;
      SCOPED_TRACE(std::string(moment.name) + (seal ? ", with a seal" : ""));
      ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
      points_.clear();
      Create();
      std::promise<void> go_on = HoldOptimizer();
      for (uint64_t i = 0; i < 3; ++i) {
        ASSERT_TRUE(Store(i * 50, 50).ok());
        ASSERT_TRUE(collection_->Seal().ok());
      }
      ASSERT_TRUE(Change({Ids(2, 4), nullptr}, SetTo(R"({"before":1})")).ok());
      bool reached = false;
      fs_.SetWatch([&](Kind kind, const std::string& path) {
        if (reached || kind != moment.kind || !moment.of(path)) return;
        reached = true;
        EXPECT_TRUE(Change({Ids(4, 4), nullptr}, SetTo(R"({"first":1})")).ok());
        EXPECT_TRUE(Forget(5, 1).ok());  // changed, and deleted
        EXPECT_TRUE(Store(6, 1).ok());   // changed, and overwritten
        EXPECT_TRUE(PutVectors(7, {{"b", {1, 1, 1}}}).ok());
        EXPECT_TRUE(Change({Ids(60, 3), nullptr}, ClearPayload{}).ok());
        if (seal) EXPECT_TRUE(collection_->Seal().ok());
        EXPECT_TRUE(Change({Ids(61, 50), nullptr}, SetTo(R"({"second":1})")).ok());
        EXPECT_TRUE(Change({Ids(6, 2), nullptr}, SetTo(R"({"third":1})")).ok());
      });
      go_on.set_value();
      ASSERT_TRUE(collection_->Merge().ok());
      fs_.SetWatch({});
      EXPECT_TRUE(reached);
      ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after the merge"));
      ASSERT_TRUE(Change({Ids(20, 20), nullptr}, SetTo(R"({"last":1})")).ok());
      ASSERT_TRUE(collection_->Seal().ok());
      ASSERT_TRUE(collection_->Merge().ok());
      ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after the next seal and merge"));
      Reopen();
      ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after a restart"));
      collection_.reset();
    }
  }
}

TEST_F(CollectionEditTest, ChangesAtEveryMomentOfASealAreCarriedOver) {
  for (const Moment& moment : std::span(kMoments).first(4)) {
    SCOPED_TRACE(moment.name);
    ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
    points_.clear();
    Create();
    ASSERT_TRUE(Store(0, 50).ok());
    ASSERT_TRUE(Change({Ids(2, 4), nullptr}, SetTo(R"({"before":1})")).ok());
    ASSERT_TRUE(Change({Ids(3, 1), nullptr}, SetTo(R"({"again":1})")).ok());
    bool reached = false;
    fs_.SetWatch([&](Kind kind, const std::string& path) {
      if (reached || kind != moment.kind || !moment.of(path)) return;
      reached = true;
      EXPECT_TRUE(Change({Ids(4, 4), nullptr}, SetTo(R"({"during":1})")).ok());
      EXPECT_TRUE(Forget(5, 1).ok());
      EXPECT_TRUE(Store(6, 1).ok());
      EXPECT_TRUE(Change({Ids(6, 2), nullptr}, SetTo(R"({"later":1})")).ok());
    });
    ASSERT_TRUE(collection_->Seal().ok());
    fs_.SetWatch({});
    EXPECT_TRUE(reached);
    ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after the seal"));
    ASSERT_TRUE(collection_->Seal().ok());
    ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after the next seal"));
    Reopen();
    ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after a restart"));
    collection_.reset();
  }
}

// A record is in the log's queue and not yet durable when the segment of its points is replaced, by
// a merge or from a head by a seal.
TEST_F(CollectionEditTest, ChangesInFlightFollowTheirRows) {
  for (bool merge : {true, false}) {
    SCOPED_TRACE(merge ? "a merge" : "a seal");
    ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
    points_.clear();
    Create();
    std::promise<void> hold = HoldOptimizer();
    for (uint64_t i = 0; i < 3; ++i) {
      ASSERT_TRUE(Store(i * 50, 50).ok());
      if (merge || i < 2) ASSERT_TRUE(collection_->Seal().ok());
    }
    std::promise<void> synced;
    std::shared_future<void> may_sync = synced.get_future().share();
    std::atomic<bool> in_flight{false};
    std::thread writer;
    fs_.SetWatch([&](Kind kind, const std::string& path) {
      if (kind == Kind::kSyncData && path.find("/log/") != std::string::npos && in_flight) {
        may_sync.wait();
      }
      if (kind != Kind::kRename || !path.ends_with("CURRENT") || in_flight) return;
      in_flight = true;
      const uint64_t last = collection_->stats().last_seq;
      writer = std::thread([&] {
        EXPECT_TRUE(
            Edit({{PointId(7), PointId(77), PointId(120)}, nullptr}, SetTo(R"({"f":1})")).ok());
      });
      while (collection_->stats().last_seq == last) std::this_thread::yield();
    });
    if (merge) {
      hold.set_value();
      ASSERT_TRUE(collection_->Merge().ok());
    } else {
      ASSERT_TRUE(collection_->Seal().ok());
    }
    EXPECT_EQ(*ReadPoints(*collection_), points_);  // what isn't durable isn't visible
    synced.set_value();
    writer.join();
    fs_.SetWatch({});
    for (uint64_t id : {7, 77, 120}) points_[id].payload = R"({"g":0,"f":1})";
    ASSERT_NO_FATAL_FAILURE(ExpectThePoints("when the record is durable"));
    if (!merge) hold.set_value();
    ASSERT_TRUE(collection_->Seal().ok());
    ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after a seal"));
    Reopen();
    ASSERT_NO_FATAL_FAILURE(ExpectThePoints("after a restart"));
    collection_.reset();
  }
}

// Two records wait for two syncs; the first one's end shows nothing of the second.
TEST_F(CollectionEditTest, ChangesBecomeVisibleWithTheirRecord) {
  Create();
  ASSERT_TRUE(Store(0, 10).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  std::promise<void> reached[2];
  std::promise<void> synced[2];
  std::atomic<size_t> syncs{0};
  fs_.SetWatch([&](Kind kind, const std::string& path) {
    if (kind != Kind::kSyncData || path.find("/log/") == std::string::npos) return;
    const size_t number = syncs++;
    if (number >= 2) return;
    reached[number].set_value();
    synced[number].get_future().wait();
  });
  std::thread first([&] { EXPECT_TRUE(Edit({Ids(1, 1), nullptr}, ClearPayload{}).ok()); });
  reached[0].get_future().wait();
  const uint64_t last = collection_->stats().last_seq;
  std::thread second([&] { EXPECT_TRUE(Edit({Ids(1, 2), nullptr}, SetTo(R"({"s":2})")).ok()); });
  while (collection_->stats().last_seq == last) std::this_thread::yield();
  synced[0].set_value();
  reached[1].get_future().wait();
  first.join();
  points_[1].payload = "{}";
  EXPECT_EQ(*ReadPoints(*collection_), points_);
  synced[1].set_value();
  second.join();
  points_[1].payload = R"({"s":2})";
  points_[2].payload = R"({"g":0,"s":2})";
  EXPECT_EQ(*ReadPoints(*collection_), points_);
}

// A point that got another payload while a delete by filter looked is judged by that, also if a
// merge has written it into a new segment before the delete looks again.
TEST_F(CollectionEditTest, ADeleteByFilterJudgesNewPayloads) {
  options_.merge_policy.replaced_percent_max = 0;
  Create();
  ASSERT_TRUE(Store(0, 100).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  for (uint64_t round = 0; round < 40; ++round) {
    const auto to = static_cast<int64_t>(round + 1);
    std::thread changer([&] {
      ASSERT_TRUE(Edit({{PointId(round), PointId(round + 40)}, nullptr},
                       SetTo(R"({"g":)" + std::to_string(1000 + to) + "}"))
                      .ok());
      ASSERT_TRUE(collection_->Merge().ok());
    });
    // Point 99 shows that the delete is done.
    ASSERT_TRUE(Edit({Ids(99, 1), nullptr}, SetTo(R"({"g":5000})")).ok());
    auto filter = std::make_shared<Filter>();
    filter->should.push_back(NumberIs("g", 5000)->must[0]);
    filter->should.push_back(NumberIs("g", 1000 + to)->must[0]);
    ASSERT_TRUE(collection_->DeleteByFilter(context_, *filter).ok());
    changer.join();
    // Deleted both, or neither and then both have it.
    Points found = *ReadPoints(*collection_);
    EXPECT_FALSE(found.contains(99));
    EXPECT_EQ(found.contains(round), found.contains(round + 40));
    points_ = found;
    ASSERT_TRUE(Store(99, 1).ok());
    ASSERT_TRUE(Store(round, 1).ok());
    ASSERT_TRUE(Store(round + 40, 1).ok());
  }
}

// Several writers change different keys of the same points, by ids and by filter, while segments
// are sealed and merged; a reader sees each change whole. No change is lost.
TEST_F(CollectionEditTest, WritersLoseNoChangeOfOthers) {
  options_.merge_policy.replaced_percent_max = 5;
  Create();
  constexpr uint64_t kPoints = 60;
  constexpr int kRounds = 60;
  ASSERT_TRUE(Store(0, kPoints, R"({"g":1})").ok());
  std::atomic<int> running{3};
  auto write = [&](int writer) {
    const std::string key = "k" + std::to_string(writer);
    for (int round = 1; round <= kRounds; ++round) {
      PointSelector selector{Ids(0, kPoints), nullptr};
      if (writer == 1) selector = {{}, NumberIs("g", 1)};
      const std::string json = R"({")" + key + R"(":)" + std::to_string(round) + "}";
      EXPECT_TRUE(Edit(selector, SetTo(json)).ok());
      if (writer == 2) {
        Point point;
        point.id = PointId(static_cast<uint64_t>(round) % kPoints);
        point.vectors = {{"b", {1, 2, static_cast<float>(round)}}};
        EXPECT_TRUE(collection_->UpdateVectors(context_, {point}, nullptr).ok());
      }
      if (writer == 0 && round % 4 == 0) EXPECT_TRUE(collection_->Seal().ok());
      if (writer == 0 && round % 6 == 0) EXPECT_TRUE(collection_->Merge().ok());
    }
    --running;
  };
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) writers.emplace_back(write, i);
  while (running > 0) {
    RetrieveRequest request;
    request.ids = Ids(0, kPoints);
    auto records = collection_->Retrieve(context_, request);
    ASSERT_TRUE(records.ok());
    ASSERT_EQ(records->size(), kPoints);
    for (const PointRecord& record : *records) {
      ASSERT_EQ(JsonOf(record.payload->root()).size(),
                JsonOf((*records)[0].payload->root()).size());
      for (const char* key : {"k0", "k1", "k2"}) {
        auto one = record.payload->root().Member(key);
        auto first = (*records)[0].payload->root().Member(key);
        ASSERT_EQ(one.has_value(), first.has_value());
        if (one) ASSERT_EQ(one->AsInt(), first->AsInt());
      }
    }
  }
  for (std::thread& writer : writers) writer.join();
  const Result<Points> found = ReadPoints(*collection_);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  for (const auto& [id, stored] : *found) {
    for (const char* key : {"k0", "k1", "k2"}) {
      ASSERT_EQ(ParsePayloadJson(stored.payload)->root().Member(key)->AsInt(), kRounds) << key;
    }
  }
  Result<Points> after = ReadPointsAfterCrash(1);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(*after, *found);
}

}  // namespace
}  // namespace akidb::engine
