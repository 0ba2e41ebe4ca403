// Snapshots of a database's collections, made while it is written to, and restored: at any moment
// and after any cut either the old or the new collection is found.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/sha256.h"
#include "engine/database.h"
#include "engine/folder_repair.h"
#include "engine/forwarding_file_system.h"
#include "engine/snapshot_restore.h"
#include "engine/storage_snapshot.h"
#include "storage/snapshot/snapshot_file.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

namespace fs = std::filesystem;

// From some change on everything fails, as if the process had been killed there.
class DyingFileSystem final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

  void DieAfter(int64_t changes) { left_ = changes; }
  void Live() { left_ = INT64_MAX; }

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (mode == env::OpenMode::kCreate) AKIDB_RETURN_IF_ERROR(Change());
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, ForwardingFileSystem::Open(path, mode));
    return std::unique_ptr<env::File>(std::make_unique<DyingFile>(std::move(file), *this));
  }
  Status Rename(const std::string& from, const std::string& to) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Rename(from, to);
  }
  Status Remove(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::Remove(path);
  }
  Status RemoveAll(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::RemoveAll(path);
  }
  Status CreateDirectories(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::CreateDirectories(path);
  }
  Status SyncDirectory(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(Change());
    return ForwardingFileSystem::SyncDirectory(path);
  }

 private:
  class DyingFile final : public ForwardingFile {
   public:
    DyingFile(std::unique_ptr<env::File> truth, DyingFileSystem& fs)
        : ForwardingFile(std::move(truth)), fs_(fs) {}
    Status WriteAt(uint64_t offset, std::span<const std::byte> data) override {
      AKIDB_RETURN_IF_ERROR(fs_.Change());
      return ForwardingFile::WriteAt(offset, data);
    }
    Status SyncData() override {
      AKIDB_RETURN_IF_ERROR(fs_.Change());
      return ForwardingFile::SyncData();
    }

   private:
    DyingFileSystem& fs_;
  };

  Status Change() { return left_-- > 0 ? OkStatus() : IoError("the process is gone"); }

  std::atomic<int64_t> left_{INT64_MAX};
};

// Does something, once, before a segment is opened to be copied.
class MeanwhileFileSystem final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

  std::function<void()> meanwhile;
  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    if (path.ends_with(".seg") && meanwhile) std::exchange(meanwhile, {})();
    return ForwardingFileSystem::Open(path, mode);
  }
};

class DatabaseSnapshotTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_snapshots_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    fs::remove_all(folder_);
    Open();
  }
  void TearDown() override {
    database_.reset();
    fs::remove_all(folder_);
  }

  void Open() {
    database_.reset();
    files_.Live();
    auto opened =
        Database::Open({.directory = folder_, .head_rows_max = 64}, {files_, *random_, *log_});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  Status Create(const std::string& name) {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    return database_->CreateCollection(name, config);
  }
  Status Upsert(const std::string& name, uint64_t id) {
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection, database_->FindCollection(name));
    Point point;
    point.id = PointId(id);
    point.vectors = {{"", {1, 2}}};
    return collection->Upsert(context_, {point}).status();
  }
  void Fill(const std::string& name, uint64_t from, uint64_t to) {
    for (uint64_t id = from; id < to; ++id) ASSERT_TRUE(Upsert(name, id).ok());
  }
  Uuid UuidOf(const std::string& name) { return (*database_->FindCollection(name))->uuid(); }
  uint64_t CountOf(const std::string& name) {
    auto collection = database_->FindCollection(name);
    if (!collection.ok()) {
      ADD_FAILURE() << collection.status().ToString();
      return 0;
    }
    return *(*collection)->Count(context_, nullptr);
  }
  // The path of a new snapshot.
  std::string Snapshot(const std::string& name) {
    auto info = database_->CreateSnapshot(context_, name);
    if (!info.ok()) {
      ADD_FAILURE() << info.status().ToString();
      return "";
    }
    return *database_->snapshots().PathOf(*database_->NameOf(name), info->name);
  }
  static void Flip(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  }
  size_t Folders() {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_ + "/collections")) {
      count += entry.is_directory() ? 1 : 0;
    }
    return count;
  }

  std::string folder_;
  std::unique_ptr<env::FileSystem> truth_ = env::MakePosixFileSystem();
  DyingFileSystem files_{*truth_};
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<Database> database_;
  RequestContext context_;
};

TEST_F(DatabaseSnapshotTest, TellsNameSizeTimeAndChecksum) {
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 0, 100);
  auto info = database_->CreateSnapshot(context_, "a");
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  auto listed = database_->snapshots().List("a");
  ASSERT_EQ(listed->size(), 1u);
  const SnapshotInfo& snapshot = listed->front();
  EXPECT_EQ(snapshot.name, info->name);
  const std::string path = *database_->snapshots().PathOf("a", info->name);
  EXPECT_EQ(snapshot.bytes, fs::file_size(path));
  EXPECT_EQ(snapshot.checksum, ToHex(*storage::HashFile(context_, files_, path)));
  EXPECT_GT(snapshot.created_s.value_or(0), 1'600'000'000u);
  EXPECT_EQ(database_->CreateSnapshot(context_, "none").status().code(), ErrorCode::kNotFound);
}

// The collection is opened anew then, and nothing keeps the files that the snapshot began with.
TEST_F(DatabaseSnapshotTest, BeginsAnewWhereVectorsChangeMeanwhile) {
  MeanwhileFileSystem files(files_);
  database_.reset();
  auto opened = Database::Open({.directory = folder_}, {files, *random_, *log_});
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  database_ = std::move(opened).value();
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 1, 10);
  ASSERT_TRUE((*database_->FindCollection("a"))->Seal().ok());
  const auto add = [](CollectionConfig& config) {
    config.vectors["v"] = {.dim = 2, .metric = Metric::kDot};
    return OkStatus();
  };
  bool changed = false;
  files.meanwhile = [&] {
    changed = database_->ChangeVectors("a", add).ok();
    std::vector<PointId> ids;
    for (uint64_t id = 1; id < 10; ++id) ids.emplace_back(id);
    const auto collection = *database_->FindCollection("a");
    EXPECT_TRUE(collection->Delete(context_, ids).ok());
    EXPECT_TRUE(Upsert("a", 20).ok());
    EXPECT_TRUE(collection->Seal().ok());
  };
  const std::string path = Snapshot("a");
  EXPECT_TRUE(changed);
  ASSERT_TRUE(database_->RestoreSnapshot(context_, "b", path).ok());
  EXPECT_EQ(CountOf("b"), 1u);
  EXPECT_TRUE((*database_->FindCollection("b"))->config().vectors.contains("v"));
  database_.reset();
}

TEST_F(DatabaseSnapshotTest, BecomesANewCollectionOrReplacesOne) {
  ASSERT_TRUE(Create("a").ok());
  ASSERT_TRUE(database_->BindModel(UuidOf("a"), "", "model", "print").ok());
  Fill("a", 0, 100);
  const std::string path = Snapshot("a");
  Fill("a", 100, 150);
  const AliasChange alias[] = {CreateAlias{"a", "x"}};
  ASSERT_TRUE(database_->ChangeAliases(alias).ok());
  ASSERT_TRUE(database_->RestoreSnapshot(context_, "b", path).ok());
  EXPECT_EQ(CountOf("b"), 100u);
  EXPECT_EQ(CountOf("a"), 150u);
  EXPECT_EQ(database_->ModelOf("b", "")->id, "model");
  auto old = *database_->FindCollection("a");
  // By its alias, which stays one.
  ASSERT_TRUE(database_->RestoreSnapshot(context_, "x", path).ok());
  // A request that has begun before finds what there was; nothing is written to it.
  EXPECT_EQ(*old->Count(context_, nullptr), 150u);
  Point point;
  point.id = PointId(uint64_t{1});
  point.vectors = {{"", {1, 2}}};
  EXPECT_FALSE(old->Upsert(context_, {point}).ok());
  old.reset();  // none outlives its database
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(CountOf("a"), 100u);
    EXPECT_EQ(CountOf("x"), 100u);
    EXPECT_EQ(CountOf("b"), 100u + static_cast<uint64_t>(round));
    EXPECT_EQ(database_->Aliases().front().collection, "a");
    EXPECT_EQ(database_->ModelOf("x", "")->fingerprint, "print");
    EXPECT_EQ(Folders(), 2u);
    ASSERT_TRUE(Upsert("b", 1000).ok());
    if (round == 0) Open();
  }
}

TEST_F(DatabaseSnapshotTest, TheCatalogCanBeMadeAnewFromTheLog) {
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 0, 10);
  const std::string path = Snapshot("a");
  Fill("a", 10, 20);
  ASSERT_TRUE(database_->RestoreSnapshot(context_, "a", path).ok());
  database_.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(folder_ + "/catalog.db" + suffix);
  Open();
  EXPECT_EQ(CountOf("a"), 10u);
}

TEST_F(DatabaseSnapshotTest, RepairFindsARestoredCollectionSound) {
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 0, 200);
  ASSERT_TRUE(database_->RestoreSnapshot(context_, "a", Snapshot("a")).ok());
  Fill("a", 200, 300);
  ASSERT_TRUE((*database_->FindCollection("a"))->Seal().ok());
  Fill("a", 300, 310);
  database_.reset();
  auto repair = FolderRepair::Examine(*truth_, *random_, *log_, folder_);
  ASSERT_TRUE(repair.ok()) << repair.status().ToString();
  for (const FolderDamage& damage : (*repair)->damages()) ADD_FAILURE() << damage.what;
}

TEST_F(DatabaseSnapshotTest, ADamagedOneChangesNothing) {
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 0, 100);
  const std::string path = Snapshot("a");
  const auto bytes = fs::file_size(path);
  fs::resize_file(path, bytes - 1);
  EXPECT_EQ(database_->RestoreSnapshot(context_, "a", path).code(), ErrorCode::kCorruption);
  EXPECT_EQ(database_->RestoreSnapshot(context_, "b", path).code(), ErrorCode::kCorruption);
  EXPECT_EQ(database_->RestoreSnapshot(context_, "b", path + "x").code(), ErrorCode::kNotFound);
  EXPECT_EQ(database_->RestoreSnapshot(context_, "b/c", path).code(), ErrorCode::kValidation);
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"a"});
  EXPECT_EQ(CountOf("a"), 100u);
  EXPECT_EQ(Folders(), 1u);
}

TEST_F(DatabaseSnapshotTest, IsOfOneMomentWhileItIsWrittenAndReplaced) {
  ASSERT_TRUE(Create("a").ok());
  std::atomic<bool> stop{false};
  // Point n is stored after point n - 1: any prefix of the writes has no hole.
  std::thread writer([&] {
    for (uint64_t id = 0; !stop && id < 5000; ++id) ASSERT_TRUE(Upsert("a", id).ok());
  });
  std::thread reader([&] {
    while (!stop) {
      auto collection = database_->FindCollection("copy");
      if (collection.ok()) EXPECT_TRUE((*collection)->Count(context_, nullptr).ok());
    }
  });
  for (int round = 0; round < 5; ++round) {
    const std::string path = Snapshot("a");
    auto summary = VerifySnapshot(context_, files_, path);
    ASSERT_TRUE(summary.ok()) << summary.status().ToString();
    ASSERT_TRUE(database_->RestoreSnapshot(context_, "copy", path).ok());
    EXPECT_EQ(CountOf("copy"), summary->contents.seq);
    auto copy = *database_->FindCollection("copy");
    ScrollRequest request;
    request.limit = 10'000;
    auto page = copy->Scroll(context_, request);
    ASSERT_TRUE(page.ok());
    ASSERT_EQ(page->points.size(), summary->contents.seq);
    if (!page->points.empty()) {
      EXPECT_EQ(page->points.back().id, PointId(summary->contents.seq - 1));
    }
  }
  stop = true;
  writer.join();
  reader.join();
  EXPECT_EQ(Folders(), 2u);
}

TEST_F(DatabaseSnapshotTest, TheWholeStorageIsOneFile) {
  ASSERT_TRUE(Create("a").ok());
  ASSERT_TRUE(Create("b").ok());
  Fill("a", 0, 100);
  const AliasChange alias[] = {CreateAlias{"a", "x"}};
  ASSERT_TRUE(database_->ChangeAliases(alias).ok());
  auto info = database_->CreateStorageSnapshot(context_);
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  auto listed = database_->snapshots().List(SnapshotStore::kWholeStorage);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().checksum, info->checksum);
  EXPECT_GT(listed->front().created_s.value_or(0), 0u);
  const std::string path = *database_->snapshots().PathOf(SnapshotStore::kWholeStorage, info->name);
  EXPECT_TRUE(IsStorageSnapshot(files_, path));
  const std::string folder = folder_ + "/unpacked";
  fs::create_directory(folder);
  auto contents = UnpackStorageSnapshot(context_, files_, path, folder);
  ASSERT_TRUE(contents.ok()) << contents.status().ToString();
  ASSERT_EQ(contents->collections.size(), 2u);
  EXPECT_EQ(contents->collections[0].name, "a");
  ASSERT_EQ(contents->aliases.size(), 1u);
  EXPECT_EQ(contents->aliases[0].collection, "a");
  ASSERT_TRUE(database_->RestoreSnapshot(context_, "copy", folder + "/1.snapshot").ok());
  EXPECT_EQ(CountOf("copy"), 100u);
  // Nothing of it is believed without its hash.
  const auto bytes = static_cast<std::streamoff>(fs::file_size(path));
  for (std::streamoff at = 0; at < bytes; at += at < 2000 ? 1 : 97) {
    Flip(path, at);
    EXPECT_FALSE(UnpackStorageSnapshot(context_, files_, path, "").ok()) << at;
    Flip(path, at);
  }
  EXPECT_TRUE(UnpackStorageSnapshot(context_, files_, path, "").ok());
  EXPECT_FALSE(UnpackStorageSnapshot(context_, files_, Snapshot("a"), "").ok());
}

TEST_F(DatabaseSnapshotTest, WhatLacksAFileIsNotTakenForDeleted) {
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 0, 100);
  for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/collections")) {
    if (entry.path().extension() == ".log") fs::remove(entry.path());
  }
  ASSERT_TRUE(Create("b").ok());
  const Status status = database_->CreateStorageSnapshot(context_).status();
  EXPECT_NE(status.message().find("collection `a`"), std::string::npos) << status.ToString();
  EXPECT_TRUE(database_->snapshots().List(SnapshotStore::kWholeStorage)->empty());
}

TEST_F(DatabaseSnapshotTest, ACutAnywhereLeavesTheOldOrTheNewOne) {
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 0, 100);
  const std::string path = Snapshot("a");
  Fill("a", 100, 130);
  const AliasChange alias[] = {CreateAlias{"a", "x"}};
  ASSERT_TRUE(database_->ChangeAliases(alias).ok());
  bool restored = false;
  for (int64_t cut = 0; !restored; ++cut) {
    ASSERT_LT(cut, 1000);
    if (CountOf("a") == 100) Fill("a", 100, 130);
    ASSERT_EQ(CountOf("a"), 130u);
    files_.DieAfter(cut);
    restored = database_->RestoreSnapshot(context_, "a", path).ok();
    Open();
    const uint64_t found = CountOf("a");
    EXPECT_TRUE(restored ? found == 100 : found == 100 || found == 130) << cut << ": " << found;
    EXPECT_EQ(CountOf("x"), found) << cut;
    EXPECT_EQ(Folders(), 1u) << cut;
    EXPECT_TRUE(VerifySnapshot(context_, files_, path).ok()) << cut;
  }
}

TEST_F(DatabaseSnapshotTest, ACutWhileOneIsMadeLeavesAWholeOneOrNone) {
  ASSERT_TRUE(Create("a").ok());
  Fill("a", 0, 100);
  bool made = false;
  size_t before = 0;
  for (int64_t cut = 0; !made; ++cut) {
    ASSERT_LT(cut, 1000);
    files_.DieAfter(cut);
    made = database_->CreateSnapshot(context_, "a").ok();
    Open();
    auto listed = database_->snapshots().List("a");
    ASSERT_TRUE(listed.ok());
    EXPECT_LE(listed->size(), before + 1);
    EXPECT_TRUE(!made || listed->size() == before + 1);
    before = listed->size();
    size_t entries = 0;
    const std::string snapshots = folder_ + "/snapshots/a";
    if (fs::exists(snapshots)) {
      for ([[maybe_unused]] const auto& entry : fs::directory_iterator(snapshots)) ++entries;
    }
    size_t with_checksum = 0;
    for (const SnapshotInfo& info : *listed) {
      with_checksum += info.checksum.empty() ? 0 : 1;
      EXPECT_TRUE(VerifySnapshot(context_, files_, snapshots + "/" + info.name).ok()) << cut;
    }
    EXPECT_EQ(entries, before + with_checksum) << cut;
    EXPECT_EQ(CountOf("a"), 100u);
  }
}

}  // namespace
}  // namespace akidb::engine
