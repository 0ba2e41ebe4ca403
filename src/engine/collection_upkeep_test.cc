// What the background does for a collection, and when it can't: ends, full and damaged disks, heads
// at rest, writers that are too fast, indexes over segments.
#include <atomic>
#include <thread>

#include "engine/collection_merge_fixture.h"

namespace akidb::engine {
namespace {

using std::chrono::seconds;
using Kind = WatchedFileSystem::Kind;
using CollectionUpkeepTest = CollectionMergeFixture;

TEST_F(CollectionUpkeepTest, DroppingAndClosingStopAMerge) {
  for (bool drop : {true, false}) {
    ASSERT_TRUE(disk_->RemoveAll("/data/c").ok());
    model_.clear();
    Create();
    std::promise<void> hold = HoldOptimizer();
    MakeSegments(3, 50);
    std::promise<void> merging;
    std::promise<void> go_on;
    std::atomic<bool> reached{false};
    std::atomic<int> renamed{0};
    fs_.SetWatch([&](Kind kind, const std::string& path) {
      if (kind == Kind::kRename && IsSegment(path)) ++renamed;
      if (kind != Kind::kCreate || !IsNewSegment(path) || reached.exchange(true)) return;
      merging.set_value();
      go_on.get_future().wait();
    });
    hold.set_value();
    merging.get_future().wait();
    std::thread end([&] {
      if (drop) {
        collection_->Drop();
      } else {
        // Of a closing nobody can be told; it has begun when Merge, which waits, is told.
        collection_.reset();
      }
    });
    if (drop) {
      while (collection_->Merge().code() != ErrorCode::kNotFound) std::this_thread::yield();
    }
    go_on.set_value();
    end.join();
    fs_.SetWatch({});
    if (drop) EXPECT_EQ(renamed, 0);
    collection_.reset();
    auto opened = Collection::Open(options_, Parts(fs_));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    collection_ = *opened;
    ExpectTheModel("after a restart");
    collection_.reset();
  }
}

TEST_F(CollectionUpkeepTest, AQueuedMergeOfACollectionThatIsGoneIsNone) {
  Create();
  std::promise<void> hold = HoldOptimizer();
  MakeSegments(3, 50);
  EXPECT_TRUE(collection_->stats().merge_due);
  collection_.reset();
  hold.set_value();
  optimizer_.Stop();
  EXPECT_EQ(SegmentFiles(), 3u);
}

TEST_F(CollectionUpkeepTest, WithoutRoomAMergeWaitsForIt) {
  options_.head_bytes_max = 64 << 10;
  Create();
  std::promise<void> hold = HoldOptimizer();
  MakeSegments(4, 200);
  const uint64_t used = (uint64_t{1} << 40) - [&] {
    disk_->SetCapacity(uint64_t{1} << 40);
    return *disk_->FreeBytes("/data");
  }();
  disk_->SetCapacity(used + (65 << 10));
  hold.set_value();
  Status full = collection_->Merge();
  EXPECT_EQ(full.code(), ErrorCode::kStorageFull) << full.ToString();
  EXPECT_NE(collection_->stats().merge_failure, "");
  EXPECT_TRUE(collection_->stats().merge_due);
  EXPECT_EQ(collection_->stats().segments, 4u);
  ExpectTheModel("on a full disk");
  // It is tried again by itself: after 1 s, then 2 s later.
  clock_.Advance(seconds(1));
  EXPECT_EQ(alarms_.RingDue(), 1u);
  while (collection_->stats().merging) std::this_thread::yield();
  HoldOptimizer().set_value();
  EXPECT_EQ(collection_->stats().segments, 4u);
  disk_->SetCapacity(uint64_t{1} << 40);
  clock_.Advance(seconds(1));
  EXPECT_EQ(alarms_.RingDue(), 0u);
  clock_.Advance(seconds(1));
  EXPECT_EQ(alarms_.RingDue(), 1u);
  HoldOptimizer().set_value();
  EXPECT_LE(collection_->stats().segments, 2u);
  EXPECT_EQ(collection_->stats().merge_failure, "");
  ExpectTheModel("with room again");
}

TEST_F(CollectionUpkeepTest, ADiskThatFillsUpDuringAMergeLosesNothing) {
  Create();
  std::promise<void> hold = HoldOptimizer();
  MakeSegments(3, 200);
  // Each operation on the new files fails in its turn.
  hold.set_value();
  HoldOptimizer().set_value();
  for (uint64_t failing = 0; failing < 40; ++failing) {
    std::promise<void> again = HoldOptimizer();
    ASSERT_TRUE(Put(1000 + failing * 10, 10).ok());
    ASSERT_TRUE(collection_->Seal().ok());
    ASSERT_TRUE(Put(2000 + failing * 10, 10).ok());
    ASSERT_TRUE(collection_->Seal().ok());
    uint64_t count = 0;
    disk_->SetFaultHook([&](const env::SimulatedOperation& operation) {
      using Operation = env::SimulatedOperation::Kind;
      if (operation.kind != Operation::kWrite && operation.kind != Operation::kCreate &&
          operation.kind != Operation::kSyncData) {
        return OkStatus();
      }
      return count++ == failing ? StorageFullError("no space") : OkStatus();
    });
    again.set_value();
    Status status = collection_->Merge();
    EXPECT_TRUE(status.ok() || status.code() == ErrorCode::kStorageFull) << status.ToString();
    disk_->SetFaultHook({});
    Result<State> found = Read(*collection_);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_EQ(*found, model_) << "operation " << failing;
    Result<State> after = ReadAfterCrash(failing);
    ASSERT_TRUE(after.ok()) << after.status().ToString();
    ASSERT_EQ(*after, model_) << "operation " << failing;
    ASSERT_TRUE(collection_->Merge().ok());
    ASSERT_EQ(SegmentFiles(), collection_->stats().segments) << "operation " << failing;
  }
}

TEST_F(CollectionUpkeepTest, WritersWaitForMergesThatLagAndAreThenRefused) {
  options_.room_wait_max = std::chrono::milliseconds(1);
  options_.merge_policy.waiting_max = 3;
  Create();
  std::promise<void> hold = HoldOptimizer();
  MakeSegments(6, 256);
  ASSERT_TRUE(Put(10'000, 256).ok());
  State kept = model_;
  EXPECT_FALSE(collection_->HasRoom(1));
  Status refused = Put(20'000, 1);
  EXPECT_EQ(refused.code(), ErrorCode::kResourceExhausted) << refused.ToString();
  EXPECT_NE(refused.message().find("merged"), std::string_view::npos);
  model_ = kept;
  // Reads and deletes are not held up.
  EXPECT_TRUE(Delete(5, 1).ok());
  EXPECT_EQ(*Read(*collection_), model_);
  hold.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_TRUE(collection_->HasRoom(1));
  EXPECT_TRUE(Put(20'000, 1).ok());
  ExpectTheModel("after the merge");
}

TEST_F(CollectionUpkeepTest, AHeadAtRestIsSealed) {
  options_.head_rows_max = 4096;
  Create();
  ASSERT_TRUE(Put(0, 1000).ok());
  clock_.Advance(seconds(5));
  EXPECT_EQ(alarms_.RingDue(), 0u);  // too few rows
  ASSERT_TRUE(Put(1000, 1).ok());
  clock_.Advance(std::chrono::milliseconds(700));
  ASSERT_TRUE(Delete(3, 1).ok());
  clock_.Advance(std::chrono::milliseconds(700));
  EXPECT_EQ(alarms_.RingDue(), 1u);  // written to meanwhile
  EXPECT_EQ(collection_->stats().head_rows, 1001u);
  clock_.Advance(std::chrono::milliseconds(300));
  EXPECT_EQ(alarms_.RingDue(), 1u);
  ASSERT_TRUE(collection_->Seal().ok());  // waits for what the alarm began
  EXPECT_EQ(collection_->stats().segments, 1u);
  EXPECT_EQ(collection_->stats().live_rows, 1000u);
  clock_.Advance(seconds(5));
  EXPECT_EQ(alarms_.RingDue(), 0u);  // nothing to do, nobody woken
  ExpectTheModel("after sealing");
  // So is what a restart finds in the log.
  ASSERT_TRUE(Put(5000, 1500).ok());
  Reopen();
  clock_.Advance(seconds(1));
  EXPECT_EQ(alarms_.RingDue(), 1u);
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(collection_->stats().segments, 2u);
}

TEST_F(CollectionUpkeepTest, ADamagedSegmentIsLeftAloneAndTheOthersMerged) {
  // So long that their rows have blocks of their own, which opening doesn't check.
  config_.vectors[""].dim = 1000;
  Create();
  std::promise<void> hold = HoldOptimizer();
  for (uint64_t segment = 0; segment < 5; ++segment) {
    std::vector<Point> points;
    for (uint64_t i = 0; i < 50; ++i) {
      points.push_back(MakePoint(segment * 50 + i, 1));
      points.back().vectors = {{"", DenseVector(1000, static_cast<float>(i))}};
    }
    ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
    ASSERT_TRUE(collection_->Seal().ok());
  }
  collection_.reset();
  hold.set_value();
  const std::string path = "/data/c/seg/" + disk_->List("/data/c/seg")->at(0);
  ASSERT_TRUE(disk_->FlipBit(path, uint64_t{8} * 100'000).ok());
  // The first try is that of the opening; it finds the damage, and the next one goes around it.
  Reopen();
  HoldOptimizer().set_value();
  EXPECT_NE(collection_->stats().merge_failure.find(path), std::string::npos);
  EXPECT_TRUE(collection_->Merge().ok());
  EXPECT_LE(collection_->stats().segments, 3u);
  EXPECT_FALSE(collection_->stats().merge_due);
  EXPECT_TRUE(*disk_->Exists(path));
  EXPECT_EQ(*collection_->Count(context_, nullptr), 250u);
}

class CountingIndexer final : public SegmentIndexer {
 public:
  static constexpr storage::SectionKey kKey{static_cast<storage::SectionId>(31)};

  class Index final : public SegmentIndex {
   public:
    explicit Index(std::atomic<int>& opened) : opened_(opened) { ++opened_; }
    ~Index() override { --opened_; }
    const VectorIndex* vector(size_t) const override { return nullptr; }
    bool wanting() const override { return false; }
    bool damaged() const override { return false; }

   private:
    std::atomic<int>& opened_;
  };

  uint64_t RowsMax(const VectorSchema&) const override { return UINT64_MAX; }
  uint64_t GraphRowsMin(const VectorSchema&) const override { return UINT64_MAX; }
  bool Fits(const storage::SegmentReader&, const SegmentIndex&,
            const VectorSchema&) const override {
    return true;
  }

  Result<std::vector<IndexSection>> Build(const storage::SegmentRows& rows,
                                          const VectorSchema& schema,
                                          const IndexBuild& how) const override {
    EXPECT_FALSE(how.stop);
    EXPECT_EQ(schema.size(), 1u);
    // From the last to the first: any order is possible.
    for (uint32_t row = rows.rows(); row-- > 0;) {
      AKIDB_RETURN_IF_ERROR(rows.vector(row, 0).status());
    }
    const uint32_t count = rows.rows();
    auto bytes = std::as_bytes(std::span(&count, 1));
    return std::vector<IndexSection>{{kKey, {bytes.begin(), bytes.end()}}};
  }
  Result<std::shared_ptr<const SegmentIndex>> Open(const storage::SegmentReader& reader,
                                                   const VectorSchema&) const override {
    AKIDB_ASSIGN_OR_RETURN(auto bytes, reader.Section(kKey));
    EXPECT_TRUE(bytes.has_value());
    uint32_t count = 0;
    std::copy(bytes->begin(), bytes->end(), std::as_writable_bytes(std::span(&count, 1)).begin());
    EXPECT_EQ(count, reader.rows());
    return std::shared_ptr<const SegmentIndex>(std::make_shared<Index>(opened));
  }

  mutable std::atomic<int> opened{0};
};

TEST_F(CollectionUpkeepTest, WhatIsBuiltOverASegmentLiesInItsFile) {
  CountingIndexer indexer;
  indexer_ = &indexer;
  Create();
  MakeSegments(5, 30);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(static_cast<uint64_t>(indexer.opened), collection_->stats().segments);
  Reopen();
  EXPECT_EQ(static_cast<uint64_t>(indexer.opened), collection_->stats().segments);
  collection_.reset();
  EXPECT_EQ(indexer.opened, 0);
  // Who doesn't know the section reads the rest.
  indexer_ = nullptr;
  Reopen();
  ExpectTheModel("without the indexer");
}

}  // namespace
}  // namespace akidb::engine
