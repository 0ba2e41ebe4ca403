// Folders of collections that nothing names, and the marks beside them, on the simulated disk.
#include "engine/orphan_folders.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/data_folder.h"
#include "engine/forwarding_file_system.h"
#include "env/simulated_file_system.h"

namespace akidb::engine {
namespace {

constexpr char kFolder[] = "/data";
constexpr char kCollections[] = "/data/collections";

class OneStays final : public ForwardingFileSystem {
 public:
  OneStays(env::FileSystem& truth, std::string folder)
      : ForwardingFileSystem(truth), folder_(std::move(folder)) {}
  Status Rename(const std::string& from, const std::string& to) override {
    return from == folder_ ? IoError("broken") : ForwardingFileSystem::Rename(from, to);
  }
  Status RemoveAll(const std::string& path) override {
    return path == folder_ ? IoError("broken") : ForwardingFileSystem::RemoveAll(path);
  }

 private:
  const std::string folder_;
};

class OrphanFoldersTest : public testing::Test {
 protected:
  void SetUp() override { Begin(); }
  void Begin() {
    registry_.reset();
    disk_ = std::make_unique<env::SimulatedFileSystem>(1);
    ASSERT_TRUE(disk_->CreateDirectories(kCollections).ok());
    ASSERT_TRUE(disk_->SyncDirectory("/").ok());
    ASSERT_TRUE(disk_->SyncDirectory(kFolder).ok());
    registry_ = *Registry::Open(kFolder, Environment(*disk_), reserve_);
    ASSERT_TRUE(disk_->SyncDirectory(kFolder).ok());
  }
  storage::LogEnvironment Environment(env::FileSystem& fs) { return {fs, *random_, *log_}; }

  // Of a collection, durable, with an empty folder of segments.
  std::string MakeFolder() {
    std::array<std::byte, 16> bytes;
    random_->Fill(bytes);
    uuid_ = Uuid::FromRandom(bytes);
    const std::string folder = env::JoinPath(kCollections, uuid_.ToString());
    EXPECT_TRUE(disk_->CreateDirectories(folder + "/seg").ok());
    EXPECT_TRUE(disk_->SyncDirectory(kCollections).ok());
    EXPECT_TRUE(disk_->SyncDirectory(folder).ok());
    return folder;
  }
  std::string MakeFullFolder() {
    std::string folder = MakeFolder();
    EXPECT_TRUE(env::WriteFileAtomically(*disk_, folder + "/seg/s.seg", {}).ok());
    return folder;
  }
  // Named by a record; it holds something.
  std::string MakeCollection() {
    std::string folder = MakeFullFolder();
    EXPECT_TRUE(
        registry_->Apply(CreateCollectionRecord{uuid_, uuid_.ToString(), R"({"vectors":{}})"})
            .ok());
    return folder;
  }
  static std::string Kept(const std::string& folder, int number = 1) {
    return "/data/repaired/" + std::to_string(number) + "/collections" +
           folder.substr(folder.rfind('/'));
  }

  std::unique_ptr<env::SimulatedFileSystem> disk_;
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(3);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  env::SimulatedFileSystem other_{1};
  SpaceReserve reserve_{other_, *log_, "/reserve"};
  std::unique_ptr<Registry> registry_;
  Uuid uuid_;
};

TEST_F(OrphanFoldersTest, AMarkIsDurableWhenItIsMade) {
  const std::string folder = MakeFullFolder();
  MarkUnneeded(Environment(*disk_), folder);
  for (uint64_t crash = 0; crash < 20; ++crash) {
    EXPECT_TRUE(*disk_->CloneAfterCrash(crash)->Exists(folder + ".unneeded"));
  }
}

// By the one who deletes the collection, and by the next start.
TEST_F(OrphanFoldersTest, AMarkStaysWhileAPowerCutMayBringTheFolderBack) {
  for (const bool by_start : {false, true}) {
    for (uint64_t cut = 0; cut < 12; ++cut) {
      Begin();
      const std::string folder = MakeFullFolder();
      MarkUnneeded(Environment(*disk_), folder);
      disk_->PowerOffAfter(cut);
      if (by_start) {
        RemoveOrphanFolders(Environment(*disk_), kFolder, *registry_);
      } else if (disk_->RemoveAll(folder).ok()) {
        UnmarkUnneeded(Environment(*disk_), folder);
      }
      for (uint64_t crash = 0; crash < 30; ++crash) {
        auto after = disk_->CloneAfterCrash(crash);
        const bool is_full = after->Exists(folder + "/seg/s.seg").value();
        EXPECT_TRUE(!is_full || *after->Exists(folder + ".unneeded")) << cut << ", " << crash;
      }
    }
  }
}

TEST_F(OrphanFoldersTest, WithoutCurrentSegmentsAndRecordsAreKeptToo) {
  const std::string empty = MakeFolder();
  const std::string with_segment = MakeFullFolder();
  const std::string with_record = MakeFolder();
  {
    storage::LogOptions options;
    options.directory = with_record + "/log";
    options.collection_uuid = uuid_;
    auto log = *storage::Log::Open(
        Environment(*disk_), options, [](const storage::LogRecord&) { return OkStatus(); },
        nullptr);
    ASSERT_TRUE(log->Wait(*log->Enqueue(1, {})).ok());
  }
  RemoveOrphanFolders(Environment(*disk_), kFolder, *registry_);
  EXPECT_TRUE(disk_->List(kCollections)->empty());
  EXPECT_FALSE(*disk_->Exists(Kept(empty)));
  EXPECT_TRUE(*disk_->Exists(Kept(with_segment) + "/seg/s.seg"));
  EXPECT_TRUE(*disk_->Exists(Kept(with_record) + "/log"));
}

TEST_F(OrphanFoldersTest, OneThatCanNotBeMovedDoesNotKeepTheOthers) {
  std::vector<std::string> folders;
  for (int i = 0; i < 3; ++i) folders.push_back(MakeFullFolder());
  std::sort(folders.begin(), folders.end());
  OneStays stuck(*disk_, folders[0]);
  RemoveOrphanFolders(Environment(stuck), kFolder, *registry_);
  EXPECT_EQ(disk_->List(kCollections)->size(), 1u);
  EXPECT_TRUE(*disk_->Exists(Kept(folders[1])));
  EXPECT_TRUE(*disk_->Exists(Kept(folders[2])));
  EXPECT_FALSE(*disk_->Exists("/data/repaired/2"));
  RemoveOrphanFolders(Environment(*disk_), kFolder, *registry_);
  EXPECT_TRUE(*disk_->Exists(Kept(folders[0], 2)));
}

// Whatever else fails: with another list the collection would be deleted for its mark.
TEST_F(OrphanFoldersTest, AMarkDoesNotStayBesideACollectionThatIsNamed) {
  const std::string living = MakeCollection();
  const std::string orphan = MakeFullFolder();
  MarkUnneeded(Environment(*disk_), living);
  OneStays stuck(*disk_, orphan);
  RemoveOrphanFolders(Environment(stuck), kFolder, *registry_);
  EXPECT_TRUE(*disk_->Exists(orphan));
  for (uint64_t crash = 0; crash < 20; ++crash) {
    auto after = disk_->CloneAfterCrash(crash);
    EXPECT_TRUE(*after->Exists(living + "/seg/s.seg"));
    EXPECT_FALSE(*after->Exists(living + ".unneeded"));
  }
}

// Half removed it may look as if it had lost something.
TEST_F(OrphanFoldersTest, AnOrphanThatCanNotBeRemovedIsMarked) {
  const std::string orphan = MakeFolder();
  OneStays stuck(*disk_, orphan);
  RemoveOrphanFolders(Environment(stuck), kFolder, *registry_);
  EXPECT_TRUE(*disk_->Exists(orphan));
  EXPECT_TRUE(*disk_->Exists(orphan + ".unneeded"));
  RemoveOrphanFolders(Environment(*disk_), kFolder, *registry_);
  EXPECT_TRUE(disk_->List(kCollections)->empty());
}

// Its name was renamed to before, and the sync of the folder failed.
TEST_F(OrphanFoldersTest, TheVersionOfAFolderIsDurableBehindAnAttemptThatFailed) {
  ASSERT_TRUE(WriteFolderVersion(*disk_, kFolder).ok());
  disk_->SetFaultHook([](const env::SimulatedOperation& operation) {
    const bool syncs = operation.kind == env::SimulatedOperation::Kind::kSyncDirectory;
    return syncs ? IoError("broken") : OkStatus();
  });
  EXPECT_FALSE(RaiseFolderVersion(*disk_, kFolder).ok());
  EXPECT_FALSE(RaiseFolderVersion(*disk_, kFolder).ok());
  disk_->SetFaultHook(nullptr);
  ASSERT_TRUE(RaiseFolderVersion(*disk_, kFolder).ok());
  for (uint64_t crash = 0; crash < 20; ++crash) {
    auto after = disk_->CloneAfterCrash(crash);
    EXPECT_EQ(*env::ReadWholeFile(*after, "/data/VERSION", 64), "2\n");
  }
}

}  // namespace
}  // namespace akidb::engine
