// Snapshots of a collection that is written to, sealed and merged meanwhile, and what becomes of
// them: exactly the writes up to the one that the snapshot names.
#include <atomic>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "engine/collection.h"
#include "engine/snapshot_restore.h"
#include "env/simulated_file_system.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

// Every point by id: the number of the write that stored it.
using State = std::map<uint64_t, int64_t>;

constexpr char kPath[] = "/data/snapshots/s";

class CollectionSnapshotTest : public testing::Test {
 protected:
  CollectionSnapshotTest() {
    for (const char* folder : {"/data/snapshots", "/data/collections"}) {
      EXPECT_TRUE(disk_.CreateDirectories(folder).ok());
    }
    EXPECT_TRUE(disk_.SyncDirectory("/data").ok() && disk_.SyncDirectory("/").ok());
    config_.vectors[""] = {.dim = 2, .metric = Metric::kEuclid};
    collection_ = *Collection::Create(Options(1), config_, Parts(disk_));
  }
  ~CollectionSnapshotTest() override {
    collection_.reset();
    background_.Stop();
  }

  CollectionOptions Options(int number) {
    CollectionOptions options;
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a" + std::to_string(number));
    options.directory = "/data/collections/" + options.uuid.ToString();
    options.head_rows_max = 64;
    return options;
  }
  CollectionEnvironment Parts(env::FileSystem& fs) {
    return {.fs = fs, .random = *random_, .background = background_, .log = *log_};
  }

  // Write number `write` stores one point, or deletes one: its sequence number is `write`.
  void Write(int64_t write) {
    const auto id = static_cast<uint64_t>(write * 7 % 50);
    if (write % 5 == 0) {
      const PointId ids[] = {PointId(id)};
      ASSERT_TRUE(collection_->Delete(context_, ids).ok());
      return;
    }
    Point point;
    point.id = PointId(id);
    point.vectors = {{"", {static_cast<float>(id), static_cast<float>(write)}}};
    point.payload = *ParsePayloadJson(R"({"w":)" + std::to_string(write) + "}");
    std::vector<Point> points;
    points.push_back(std::move(point));
    auto written = collection_->Upsert(context_, std::move(points));
    ASSERT_TRUE(written.ok()) << written.status().ToString();
  }
  static State StateAfter(int64_t writes) {
    State state;
    for (int64_t write = 1; write <= writes; ++write) {
      const auto id = static_cast<uint64_t>(write * 7 % 50);
      if (write % 5 == 0) {
        state.erase(id);
      } else {
        state[id] = write;
      }
    }
    return state;
  }
  State Read(Collection& collection) {
    ScrollRequest request;
    request.limit = 1000;
    auto page = collection.Scroll(context_, request);
    EXPECT_TRUE(page.ok());
    State state;
    for (const PointRecord& record : page->points) {
      state[record.id.number()] = record.payload->root().Member("w")->AsInt();
    }
    return state;
  }

  Status Snapshot(env::FileSystem&) {
    return collection_->WriteSnapshot(context_, {.path = kPath, .collection = "manual"}).status();
  }
  Result<SnapshotSummary> RestoreTo(env::FileSystem& fs, int number) {
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SnapshotFile> snapshot,
                           storage::SnapshotFile::Open(fs, kPath));
    return RestoreSnapshotFiles(context_, fs,
                                {*snapshot, Options(number).directory, Options(number).uuid});
  }
  // What is in the snapshot must be exactly the writes up to its own number.
  void CheckRestored(env::FileSystem& fs, int number) {
    auto summary = RestoreTo(fs, number);
    ASSERT_TRUE(summary.ok()) << summary.status().ToString();
    auto restored = Collection::Open(Options(number), Parts(fs));
    ASSERT_TRUE(restored.ok()) << restored.status().ToString();
    EXPECT_EQ((*restored)->stats().last_seq, summary->contents.seq);
    EXPECT_EQ(Read(**restored), StateAfter(static_cast<int64_t>(summary->contents.seq)));
    // It goes on as a collection of its own, also after its own seals.
    EXPECT_TRUE((*restored)->Seal().ok());
    restored->reset();
    auto again = Collection::Open(Options(number), Parts(fs));
    ASSERT_TRUE(again.ok()) << again.status().ToString();
    EXPECT_EQ(Read(**again), StateAfter(static_cast<int64_t>(summary->contents.seq)));
  }

  RequestContext context_;
  env::SimulatedFileSystem disk_{1};
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(7);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  Executor background_{{.name = "background", .threads = 1}};
  CollectionConfig config_;
  std::shared_ptr<Collection> collection_;
};

TEST_F(CollectionSnapshotTest, HoldsWhatWasWritten) {
  int number = 2;
  for (int64_t writes : {0, 1, 10, 200}) {
    for (int64_t write = static_cast<int64_t>(collection_->stats().last_seq) + 1; write <= writes;
         ++write) {
      Write(write);
    }
    ASSERT_TRUE(Snapshot(disk_).ok());
    auto verified = VerifySnapshot(context_, disk_, kPath);
    ASSERT_TRUE(verified.ok()) << verified.status().ToString();
    EXPECT_EQ(verified->contents.seq, static_cast<uint64_t>(writes));
    EXPECT_EQ(verified->contents.collection, "manual");
    CheckRestored(disk_, number++);
  }
}

TEST_F(CollectionSnapshotTest, IsOfOneMomentWhileWritesAndSealsGoOn) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int64_t write = 1; !stop; ++write) Write(write);
  });
  for (int number = 2; number < 8; ++number) {
    ASSERT_TRUE(Snapshot(disk_).ok());
    CheckRestored(disk_, number);
  }
  stop = true;
  writer.join();
  // Nothing of it is left over, and the collection itself is as it was.
  EXPECT_EQ(*disk_.List("/data/snapshots"), std::vector<std::string>{"s"});
  EXPECT_EQ(Read(*collection_), StateAfter(static_cast<int64_t>(collection_->stats().last_seq)));
}

// A byte of a segment that nobody has read since it was damaged makes no snapshot.
TEST_F(CollectionSnapshotTest, ADamagedSegmentMakesNone) {
  for (int64_t write = 1; write <= 200; ++write) Write(write);
  ASSERT_TRUE(collection_->Seal().ok());
  background_.Stop();  // what is sealed stays where it is
  const std::string folder = Options(1).directory + "/seg";
  int segments = 0;
  const std::vector<std::string> names = *disk_.List(folder);
  for (const std::string& name : names) {
    if (!name.ends_with(".seg")) continue;
    ++segments;
    const std::string path = env::JoinPath(folder, name);
    const uint64_t bits = 8 * *(*disk_.Open(path, env::OpenMode::kRead))->Size();
    for (const uint64_t bit : {uint64_t{8}, bits / 3, bits / 2, bits - 1000, bits - 1}) {
      ASSERT_TRUE(disk_.FlipBit(path, bit).ok());
      EXPECT_EQ(Snapshot(disk_).code(), ErrorCode::kCorruption) << name << " " << bit;
      EXPECT_FALSE(*disk_.Exists(kPath));
      ASSERT_TRUE(disk_.FlipBit(path, bit).ok());
    }
  }
  EXPECT_GT(segments, 0);
  EXPECT_TRUE(Snapshot(disk_).ok());
}

TEST_F(CollectionSnapshotTest, ASnapshotOfARestoredOneCanBeRestored) {
  for (int64_t write = 1; write <= 100; ++write) Write(write);
  ASSERT_TRUE(Snapshot(disk_).ok());
  ASSERT_TRUE(RestoreTo(disk_, 2).ok());
  collection_ = *Collection::Open(Options(2), Parts(disk_));
  for (int64_t write = 101; write <= 150; ++write) Write(write);
  ASSERT_TRUE(Snapshot(disk_).ok());
  CheckRestored(disk_, 3);
}

TEST_F(CollectionSnapshotTest, PowerCutsWhileRestoringLeaveAllOrWhatDoesNotCount) {
  for (int64_t write = 1; write <= 100; ++write) Write(write);
  ASSERT_TRUE(Snapshot(disk_).ok());
  bool finished = false;
  for (uint64_t cut = 0; !finished; ++cut) {
    ASSERT_LT(cut, 1000u);
    auto disk = disk_.CloneAfterCrash(cut);
    disk->PowerOffAfter(cut);
    finished = RestoreTo(*disk, 2).ok();
    disk->Crash(cut);
    auto opened = Collection::Open(Options(2), Parts(*disk));
    EXPECT_TRUE(!finished || opened.ok()) << cut;
    if (opened.ok()) EXPECT_EQ(Read(**opened), StateAfter(100)) << cut;
    EXPECT_TRUE(VerifySnapshot(context_, *disk, kPath).ok()) << cut;
  }
}

TEST_F(CollectionSnapshotTest, AnOperationThatFailsWhileOneIsMadeLeavesTheCollectionAsItWas) {
  for (int64_t write = 1; write <= 100; ++write) Write(write);
  ASSERT_TRUE(collection_->Seal().ok());
  bool finished = false;
  for (uint64_t failing = 0; !finished; ++failing) {
    ASSERT_LT(failing, 1000u);
    std::atomic<uint64_t> left{failing};
    disk_.SetFaultHook([&](const env::SimulatedOperation& operation) {
      if (operation.path.find("/snapshots/") == std::string_view::npos) return OkStatus();
      return left-- == 0 ? IoError("injected") : OkStatus();
    });
    finished = Snapshot(disk_).ok();
    disk_.SetFaultHook({});
    if (finished && left > UINT64_MAX / 2) finished = false;  // only tidying up has failed
    if (auto exists = disk_.Exists(kPath); *exists) {
      EXPECT_TRUE(VerifySnapshot(context_, disk_, kPath).ok()) << failing;
    }
  }
  EXPECT_EQ(Read(*collection_), StateAfter(100));
  Write(101);
  EXPECT_EQ(Read(*collection_), StateAfter(101));
}

}  // namespace
}  // namespace akidb::engine
