// Merging: few segments remain, with every point, whatever is written meanwhile.
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "engine/collection_merge_fixture.h"

namespace akidb::engine {
namespace {

using Kind = WatchedFileSystem::Kind;
using CollectionMergeTest = CollectionMergeFixture;

TEST_F(CollectionMergeTest, FewSegmentsRemainAndEveryPoint) {
  Create();
  MakeSegments(11, 40);
  ASSERT_TRUE(collection_->Merge().ok());
  CollectionStats stats = collection_->stats();
  EXPECT_LE(stats.segments, 2u);
  EXPECT_EQ(SegmentFiles(), stats.segments);
  EXPECT_EQ(stats.live_rows, 440u);
  EXPECT_EQ(stats.dead_rows, 0u);
  EXPECT_EQ(stats.sealed_rows, 440u);
  EXPECT_GE(stats.merged_rows, 400u);
  EXPECT_FALSE(stats.merging);
  EXPECT_FALSE(stats.merge_due);
  EXPECT_EQ(stats.merge_failure, "");
  ExpectTheModel("after merging");
  Reopen();
  ExpectTheModel("after a restart");
}

TEST_F(CollectionMergeTest, RowsOfInterleavedSegmentsAscendBySequenceNumber) {
  Create();
  ASSERT_TRUE(Put(0, 100).ok());
  MakeSegments(1, 100);
  // Of the first segments, those that are small are merged around a large one.
  for (uint64_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(Put(1000 + 10 * i, 10).ok());
    ASSERT_TRUE(Put(2000, 200).ok());
    ASSERT_TRUE(collection_->Seal().ok());
  }
  ASSERT_TRUE(collection_->Merge().ok());
  // A delete by filter looks for what was written after a moment by bisection over such rows.
  auto filter = std::make_shared<Filter>();
  filter->must.push_back(FieldCondition{*PayloadPath::Parse("w"), MatchValue{write_}});
  ASSERT_TRUE(collection_->DeleteByFilter(context_, *filter).ok());
  std::erase_if(model_, [&](const auto& entry) { return entry.second == write_; });
  ExpectTheModel("after a delete by filter");
}

TEST_F(CollectionMergeTest, DeadRowsGo) {
  Create();
  MakeSegments(2, 200);
  ASSERT_TRUE(Delete(0, 20).ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().dead_rows, 20u);  // 10 %: left alone
  ASSERT_TRUE(Delete(20, 20).ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().dead_rows, 0u);
  EXPECT_EQ(collection_->stats().live_rows, 360u);
  EXPECT_EQ(collection_->stats().segments, 2u);
  ExpectTheModel("after rewriting");
}

TEST_F(CollectionMergeTest, DeletingEverythingGivesTheSpaceBack) {
  disk_->SetCapacity(64 << 20);
  Create();
  const uint64_t before = *disk_->FreeBytes("/data");
  MakeSegments(8, 256);
  ASSERT_TRUE(Delete(0, 8 * 256).ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().segments, 0u);
  EXPECT_EQ(SegmentFiles(), 0u);
  ExpectTheModel("with nothing left");
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_LT(before - *disk_->FreeBytes("/data"), uint64_t{128} << 10);
  Reopen();
  ExpectTheModel("after a restart with nothing left");
}

TEST_F(CollectionMergeTest, WritesAtEveryMomentAreCarriedOver) {
  for (const Moment& moment : kMoments) {
    for (bool seal : {false, true}) {
      if (seal && !moment.may_seal) continue;
      for (Durability durability : {Durability::kSync, Durability::kInterval}) {
        SCOPED_TRACE(std::string(moment.name) + (seal ? ", with a seal" : ""));
        ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
        model_.clear();
        config_.durability = durability;
        Create();
        std::promise<void> go_on = HoldOptimizer();
        MakeSegments(3, 50);
        ASSERT_TRUE(Delete(3, 1).ok());
        bool reached = false;
        fs_.SetWatch([&](Kind kind, const std::string& path) {
          if (reached || kind != moment.kind || !moment.of(path)) return;
          reached = true;
          EXPECT_TRUE(Delete(10, 5).ok());  // in an input
          EXPECT_TRUE(Put(60, 5).ok());     // overwritten
          EXPECT_TRUE(Put(1000, 5).ok());   // new
          EXPECT_TRUE(Delete(61, 1).ok());  // overwritten, and deleted
          if (seal) EXPECT_TRUE(collection_->Seal().ok());
          EXPECT_TRUE(Delete(110, 5).ok());  // in an input, and behind the seal
        });
        go_on.set_value();
        ASSERT_TRUE(collection_->Merge().ok());
        fs_.SetWatch({});
        EXPECT_TRUE(reached);
        if (durability == Durability::kInterval) ASSERT_TRUE(collection_->Seal().ok());
        ASSERT_NO_FATAL_FAILURE(ExpectTheModel("after the merge"));
        ASSERT_TRUE(Delete(0, 30).ok());
        ASSERT_TRUE(collection_->Seal().ok());
        ASSERT_TRUE(collection_->Merge().ok());
        ASSERT_NO_FATAL_FAILURE(ExpectTheModel("after the next seal and merge"));
        Reopen();
        ASSERT_NO_FATAL_FAILURE(ExpectTheModel("after a restart"));
        collection_.reset();
      }
    }
  }
}

// With interval durability a kill is visible before it is durable. A merge that leaves its row out,
// or names it in a delta, makes it so: else a power cut would take the row and what had replaced
// it.
TEST_F(CollectionMergeTest, WhatAMergeTakesAwayIsDurable) {
  config_.durability = Durability::kInterval;
  Create();
  std::promise<void> hold = HoldOptimizer();
  MakeSegments(3, 50);
  ASSERT_TRUE(Put(0, 20).ok());
  bool reached = false;
  fs_.SetWatch([&](Kind kind, const std::string& path) {
    if (reached || kind != Kind::kRename || !IsSegment(path)) return;
    reached = true;
    EXPECT_TRUE(Put(60, 10).ok());  // too few for another merge
  });
  hold.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_TRUE(reached);
  ExpectTheModel("after the merge");
}

// A record is in the log's queue and not yet durable when its victim's segment is replaced.
TEST_F(CollectionMergeTest, KillsInFlightFollowTheirRows) {
  Create();
  std::promise<void> hold = HoldOptimizer();
  MakeSegments(3, 50);
  std::promise<void> synced;
  std::shared_future<void> may_sync = synced.get_future().share();
  std::atomic<bool> in_flight{false};
  std::thread writer;
  fs_.SetWatch([&](Kind kind, const std::string& path) {
    if (kind == Kind::kSyncData && path.find("/log/") != std::string::npos && in_flight)
      may_sync.wait();
    if (kind != Kind::kRename || !path.ends_with("CURRENT") || in_flight) return;
    in_flight = true;
    const uint64_t last = collection_->stats().last_seq;
    writer = std::thread([&] {
      std::vector<PointId> ids = {PointId(7), PointId(77)};
      EXPECT_TRUE(collection_->Delete(context_, ids).ok());
    });
    while (collection_->stats().last_seq == last) std::this_thread::yield();
  });
  hold.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_LE(collection_->stats().segments, 2u);
  EXPECT_EQ(*Read(*collection_), model_);  // what isn't durable isn't visible
  synced.set_value();
  writer.join();
  fs_.SetWatch({});
  model_.erase(7);
  model_.erase(77);
  ExpectTheModel("when the record is durable");
  ASSERT_TRUE(collection_->Seal().ok());
  ExpectTheModel("after a seal");
  Reopen();
  ExpectTheModel("after a restart");
}

TEST_F(CollectionMergeTest, AnInputThatDiesMeanwhileLeavesNothing) {
  for (uint64_t dead_segments : {1, 3}) {
    ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
    model_.clear();
    Create();
    std::promise<void> hold = HoldOptimizer();
    MakeSegments(3, 50);
    bool reached = false;
    fs_.SetWatch([&](Kind kind, const std::string& path) {
      if (reached || kind != Kind::kRename || !IsSegment(path)) return;
      reached = true;
      EXPECT_TRUE(Delete(0, 50 * dead_segments).ok());
      EXPECT_TRUE(collection_->Seal().ok());  // drops the segments
    });
    hold.set_value();
    ASSERT_TRUE(collection_->Merge().ok());
    fs_.SetWatch({});
    EXPECT_TRUE(reached);
    ASSERT_NO_FATAL_FAILURE(ExpectTheModel("after the merge"));
    EXPECT_EQ(collection_->stats().dead_rows, 0u);
    EXPECT_EQ(SegmentFiles(), collection_->stats().segments);
    Reopen();
    ASSERT_NO_FATAL_FAILURE(ExpectTheModel("after a restart"));
    collection_.reset();
  }
}

TEST_F(CollectionMergeTest, SealsGoOnBesideAMerge) {
  Create();
  std::promise<void> hold = HoldOptimizer();
  MakeSegments(3, 50);
  std::promise<void> merging;
  std::promise<void> go_on;
  std::atomic<bool> reached{false};
  fs_.SetWatch([&](Kind kind, const std::string& path) {
    if (kind != Kind::kCreate || !IsNewSegment(path) || reached.exchange(true)) return;
    merging.set_value();
    go_on.get_future().wait();
  });
  hold.set_value();
  merging.get_future().wait();
  EXPECT_TRUE(collection_->stats().merging);
  EXPECT_TRUE(collection_->stats().merge_due);
  ASSERT_TRUE(Put(500, 20).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(collection_->stats().segments, 4u);
  EXPECT_EQ(*Read(*collection_), model_);
  go_on.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  ExpectTheModel("after both");
}

// The end of a collection doesn't wait for a merge to be done, only to notice.
// Counts rows; enough to see that the bytes reach the file and come back.
// Writers, a reader and merges at once: each batch is seen whole or not at all, and in the end all
// is as the model says.
TEST_F(CollectionMergeTest, ReadersSeeWholeBatchesWhileSegmentsAreMerged) {
  options_.merge_policy.dead_percent_max = 5;
  Create();
  constexpr uint64_t kIds = 300;
  constexpr int64_t kRounds = 150;
  std::atomic<bool> done{false};
  // Each round overwrites a window of ids with its number, so that at every moment the points of a
  // window that no later one touches have the same one.
  std::thread writer([&] {
    std::mt19937_64 random(7);
    for (int64_t round = 0; round < kRounds; ++round) {
      const uint64_t first = random() % (kIds - 40);
      EXPECT_TRUE(Put(first, 40).ok());
      if (round % 5 == 0) EXPECT_TRUE(Delete(first + 10, 10).ok());
      if (round % 3 == 0) EXPECT_TRUE(collection_->Seal().ok());
      // Ids 1000 to 1009 always have one number, and never vanish.
      std::vector<Point> points;
      for (uint64_t id = 1000; id < 1010; ++id) points.push_back(MakePoint(id, write_));
      for (uint64_t id = 1000; id < 1010; ++id) model_[id] = write_;
      EXPECT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
    }
    done = true;
  });
  int64_t last = 0;
  while (!done) {
    RetrieveRequest request;
    for (uint64_t id = 1000; id < 1010; ++id) request.ids.push_back(PointId(id));
    auto records = collection_->Retrieve(context_, request);
    ASSERT_TRUE(records.ok());
    if (records->empty() && last == 0) continue;
    ASSERT_EQ(records->size(), 10u);
    const int64_t write = (*records)[0].payload->root().Member("w")->AsInt();
    for (const PointRecord& record : *records) {
      ASSERT_EQ(record.payload->root().Member("w")->AsInt(), write);
    }
    ASSERT_GE(write, last);
    last = write;
    // No id twice, from however many sources.
    SearchRequest search;
    DenseVector query{0, 0};
    search.query = query;
    search.limit = 100'000;
    auto hits = collection_->Search(context_, search);
    ASSERT_TRUE(hits.ok());
    std::set<uint64_t> ids;
    for (const Hit& hit : *hits) ASSERT_TRUE(ids.insert(hit.id.number()).second);
  }
  writer.join();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_GT(collection_->stats().merged_rows, 0u);
  ExpectTheModel("in the end");
}

// Without an index there is nothing else that would wake it.
TEST_F(CollectionMergeTest, WhatMayStayWhileItIsWrittenToIsMergedAtRest) {
  options_.merge_policy = MergePolicy();
  Create();
  const size_t resting_max = options_.merge_policy.resting_max;
  MakeSegments(resting_max + 2, 20);
  EXPECT_EQ(collection_->stats().segments, resting_max + 2);
  EXPECT_EQ(collection_->stats().merged_rows, 0u);
  clock_.Advance(options_.idle_after);
  alarms_.RingDue();
  // The optimizer runs one task after the other.
  std::promise<void> done;
  ASSERT_TRUE(optimizer_.Submit([&] { done.set_value(); }).ok());
  done.get_future().wait();
  EXPECT_LE(collection_->stats().segments, resting_max);
  EXPECT_GT(collection_->stats().merged_rows, 0u);
  EXPECT_FALSE(collection_->stats().merge_due);
  ExpectTheModel("at rest");
}

}  // namespace
}  // namespace akidb::engine
