// Snapshots of a database's collections in a folder: made while it is written to, verified, and
// restored.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/database.h"
#include "engine/folder_storage.h"
#include "engine/snapshot_restore.h"
#include "storage/snapshot/snapshot_folder.h"

namespace akidb::engine {
namespace {

namespace stdfs = std::filesystem;
using storage::SnapshotFolder;

class FolderSnapshotTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = testing::TempDir() + "akidb_folder_snapshot_XXXXXX";
    ASSERT_NE(mkdtemp(form.data()), nullptr);
    root_ = form;
    backup_ = root_ + "/backup";
    auto opened = Database::Open({.directory = root_ + "/data", .head_rows_max = 64},
                                 {*files_, *random_, *log_});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    ASSERT_TRUE(database_->CreateCollection("a", config).ok());
  }
  void TearDown() override {
    database_.reset();
    stdfs::remove_all(root_);
  }

  void Fill(uint64_t from, uint64_t to) {
    for (uint64_t id = from; id < to; ++id) {
      Point point;
      point.id = PointId(id);
      point.vectors = {{"", {1, 2}}};
      ASSERT_TRUE((*database_->FindCollection("a"))->Upsert(context_, {point}).ok());
    }
  }
  uint64_t CountOf(const std::string& name) {
    auto collection = database_->FindCollection(name);
    if (!collection.ok()) {
      ADD_FAILURE() << collection.status().ToString();
      return 0;
    }
    return *(*collection)->Count(context_, nullptr);
  }
  storage::FileRef Snapshot() {
    auto folder = SnapshotFolder::OpenToChange(*files_, backup_);
    EXPECT_TRUE(folder.ok()) << folder.status().ToString();
    auto made = database_->CreateFolderSnapshot(context_, "a", **folder);
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    copied_ = (*folder)->copied();
    return made.ok() ? *made : storage::FileRef();
  }
  Status Restore(const std::string& name, const std::string& as) {
    AKIDB_ASSIGN_OR_RETURN(const auto folder, SnapshotFolder::Open(*files_, backup_));
    AKIDB_ASSIGN_OR_RETURN(auto archive, folder->OpenArchive(name));
    AKIDB_ASSIGN_OR_RETURN(const auto snapshot,
                           storage::SnapshotFile::Open(std::move(archive), name));
    return database_->RestoreSnapshot(context_, as, *snapshot);
  }
  FolderVerdict Verify() {
    auto folder = SnapshotFolder::Open(*files_, backup_);
    EXPECT_TRUE(folder.ok()) << folder.status().ToString();
    auto verdict = VerifySnapshotFolder(context_, **folder);
    EXPECT_TRUE(verdict.ok()) << verdict.status().ToString();
    return *verdict;
  }
  // The largest file, a segment.
  std::string LargestFile() {
    std::string largest;
    uintmax_t bytes = 0;
    for (const auto& entry : stdfs::directory_iterator(backup_ + "/files")) {
      if (entry.file_size() <= bytes) continue;
      bytes = entry.file_size();
      largest = entry.path();
    }
    return largest;
  }

  std::string root_;
  std::string backup_;
  std::unique_ptr<env::FileSystem> files_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<Database> database_;
  RequestContext context_;
  uint64_t copied_ = 0;
};

TEST_F(FolderSnapshotTest, ALaterOneCopiesOnlyWhatIsNew) {
  Fill(0, 100);
  ASSERT_TRUE((*database_->FindCollection("a"))->Seal().ok());
  const storage::FileRef first = Snapshot();
  EXPECT_EQ(copied_, first.bytes);
  Fill(100, 110);
  const storage::FileRef second = Snapshot();
  EXPECT_LT(copied_, second.bytes - stdfs::file_size(LargestFile()) + 1);
  EXPECT_NE(first.name, second.name);
  ASSERT_TRUE(Restore(first.name, "first").ok());
  ASSERT_TRUE(Restore(second.name, "second").ok());
  EXPECT_EQ(CountOf("first"), 100u);
  EXPECT_EQ(CountOf("second"), 110u);
  const FolderVerdict verdict = Verify();
  EXPECT_EQ(verdict.snapshots, 2u);
  EXPECT_TRUE(verdict.damaged.empty());
  EXPECT_EQ(verdict.files,
            static_cast<size_t>(std::distance(stdfs::directory_iterator(backup_ + "/files"), {})));
  // Each stands by itself.
  ASSERT_TRUE(SnapshotFolder::OpenToChange(*files_, backup_).value()->Remove(first.name).ok());
  ASSERT_TRUE(Restore(second.name, "second").ok());
  EXPECT_EQ(CountOf("second"), 110u);
  EXPECT_EQ(Restore(first.name, "first").code(), ErrorCode::kNotFound);
  EXPECT_EQ(CountOf("first"), 100u);
}

TEST_F(FolderSnapshotTest, NothingIsLeftBesideTheSnapshots) {
  Fill(0, 10);
  Snapshot();
  std::vector<std::string> names = *files_->List(backup_);
  EXPECT_EQ(names, (std::vector<std::string>{"FORMAT", "LOCK", "files", "snapshots"}));
  auto folder = SnapshotFolder::OpenToChange(*files_, backup_);
  EXPECT_EQ(database_->CreateFolderSnapshot(context_, "none", **folder).status().code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(Restore("none", "b").code(), ErrorCode::kNotFound);
}

TEST_F(FolderSnapshotTest, VerifyingTellsWhichAreDamaged) {
  Fill(0, 100);
  ASSERT_TRUE((*database_->FindCollection("a"))->Seal().ok());
  const storage::FileRef first = Snapshot();
  const std::string segment = LargestFile();
  Fill(100, 110);
  const storage::FileRef second = Snapshot();
  {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(500);
    file.put('\x5A');
  }
  FolderVerdict verdict = Verify();
  ASSERT_EQ(verdict.damaged.size(), 2u);  // both have it
  EXPECT_NE(verdict.damaged[0].what.find("isn't its name"), std::string::npos);
  EXPECT_EQ(Restore(second.name, "b").code(), ErrorCode::kCorruption);
  EXPECT_FALSE(database_->CollectionExists("b"));
  // Taken away, it is copied again by the next one, and all are whole.
  stdfs::remove(segment);
  verdict = Verify();
  ASSERT_EQ(verdict.damaged.size(), 2u);
  EXPECT_NE(verdict.damaged[0].what.find("missing"), std::string::npos);
  Fill(110, 111);
  Snapshot();
  EXPECT_TRUE(Verify().damaged.empty());
  ASSERT_TRUE(Restore(first.name, "b").ok());
  EXPECT_EQ(CountOf("b"), 100u);
}

// A list that is sound but names what doesn't belong together.
TEST_F(FolderSnapshotTest, AListAgainstItsManifestIsDamage) {
  Fill(0, 100);
  ASSERT_TRUE((*database_->FindCollection("a"))->Seal().ok());
  const storage::FileRef made = Snapshot();
  auto folder = SnapshotFolder::Open(*files_, backup_);
  storage::SnapshotContents contents = *(*folder)->Contents(made.name);
  ASSERT_GE(contents.files.size(), 3u);
  contents.files.erase(contents.files.begin() + 1);
  ASSERT_TRUE(env::WriteFileAtomically(*files_, backup_ + "/snapshots/" + made.name + ".list",
                                       storage::EncodeSnapshotContents(contents))
                  .ok());
  EXPECT_EQ(Verify().damaged.size(), 1u);
  EXPECT_EQ(Restore(made.name, "b").code(), ErrorCode::kCorruption);
}

TEST_F(FolderSnapshotTest, OneOfTheWholeStorageNeedsThoseOfItsCollections) {
  Fill(0, 10);
  const storage::FileRef shared = Snapshot();
  Fill(10, 20);
  const storage::FileRef own = Snapshot();
  auto folder = *SnapshotFolder::OpenToChange(*files_, backup_);
  const auto stored = [](const std::string& name, const storage::FileRef& of) {
    return StoredCollection{name, {"", of.bytes, of.sha256}};
  };
  StorageContents contents{1, {stored("a", shared)}, {}};
  const std::string first = *AddFolderStorage(*folder, contents);
  contents = {2, {stored("a", shared), stored("b", own)}, {{"other", "b"}}};
  const std::string second = *AddFolderStorage(*folder, contents);
  EXPECT_EQ(*folder->Storages(), (std::vector<std::string>{first, second}));
  EXPECT_EQ(*FolderStorageWith(*folder, own.name), second);
  const auto read = ReadFolderStorage(*folder, second);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_TRUE(CheckFolderStorage(*read).ok());
  EXPECT_EQ(read->contents.collections[1].file.name, own.name);
  EXPECT_EQ(read->contents.aliases[0].collection, "b");
  EXPECT_EQ(Verify().snapshots, 4u);
  // What the first one needs stays.
  ASSERT_TRUE(RemoveFolderStorage(*folder, second).ok());
  EXPECT_EQ(*folder->List(), std::vector<std::string>{shared.name});
  EXPECT_TRUE(Verify().damaged.empty());
  // As a program that doesn't know of them would.
  ASSERT_TRUE(folder->Remove(shared.name).ok());
  ASSERT_EQ(Verify().damaged.size(), 1u);
  EXPECT_NE(Verify().damaged[0].what.find("`a`"), std::string::npos);
  EXPECT_EQ(RemoveFolderStorage(*folder, second).code(), ErrorCode::kNotFound);
  EXPECT_EQ(ReadFolderStorage(*folder, "../x").status().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(RemoveFolderStorage(*folder, first).ok());
  EXPECT_TRUE(folder->Storages()->empty());
}

TEST_F(FolderSnapshotTest, OneOfTheWholeStorageThatIsDamagedIsTold) {
  Fill(0, 10);
  const storage::FileRef made = Snapshot();
  auto folder = *SnapshotFolder::OpenToChange(*files_, backup_);
  const StorageContents contents{1, {{"a", {"", made.bytes, made.sha256}}}, {}};
  const std::string name = *AddFolderStorage(*folder, contents);
  const std::string path = backup_ + "/snapshots/" + name + ".storage";
  for (uint64_t at = 0; at < stdfs::file_size(path); ++at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1)).flush();
    EXPECT_FALSE(ReadFolderStorage(*folder, name).ok()) << at;
    EXPECT_EQ(Verify().damaged.size(), 1u) << at;
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte));
  }
  EXPECT_TRUE(Verify().damaged.empty());
}

}  // namespace
}  // namespace akidb::engine
