// Changes of collections of which only the next start can tell whether they count, and folders that
// nothing names.
#include <atomic>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "engine/folder_repair_fixture.h"
#include "engine/unread_pages.h"

namespace akidb::engine {
namespace {

// Syncs of files under some path are done, and said to have failed; likewise the syncs of folders
// that make a manifest durable.
class DoubtfulSyncs final : public ForwardingFileSystem {
 public:
  explicit DoubtfulSyncs(env::FileSystem& truth) : ForwardingFileSystem(truth) {}

  void FailBelow(const std::string& part, const std::string& except = "\n") {
    part_ = part;
    except_ = except;
  }
  void FailPublications(const Status& failure) {
    is_renamed_ = false;
    publications_ = failure;
  }
  Status Rename(const std::string& from, const std::string& to) override {
    if (to.ends_with("/CURRENT")) is_renamed_ = true;
    return ForwardingFileSystem::Rename(from, to);
  }
  Status SyncDirectory(const std::string& path) override {
    AKIDB_RETURN_IF_ERROR(ForwardingFileSystem::SyncDirectory(path));
    return is_renamed_ ? publications_ : OkStatus();
  }
  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, ForwardingFileSystem::Open(path, mode));
    return std::make_unique<File>(std::move(file), path, *this);
  }

 private:
  class File final : public ForwardingFile {
   public:
    File(std::unique_ptr<env::File> truth, std::string path, const DoubtfulSyncs& fs)
        : ForwardingFile(std::move(truth)), path_(std::move(path)), fs_(fs) {}
    Status SyncData() override {
      AKIDB_RETURN_IF_ERROR(ForwardingFile::SyncData());
      const bool fails = !fs_.part_.empty() && path_.find(fs_.part_) != std::string::npos &&
                         path_.find(fs_.except_) == std::string::npos;
      return fails ? IoError(path_ + ": can't sync") : OkStatus();
    }

   private:
    const std::string path_;
    const DoubtfulSyncs& fs_;
  };
  std::string part_;  // these are changed while nothing else happens
  std::string except_;
  bool is_renamed_ = false;
  Status publications_ = OkStatus();
};

class DatabaseDoubtTest : public FolderRepairTest {
 protected:
  void OpenDoubtful() {
    database_.reset();
    auto opened =
        Database::Open({.directory = folder_, .system_log_bytes_max = system_log_bytes_max_},
                       {doubtful_, *random_, *log_});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  Status TryUpsert(const std::string& name, uint64_t id) {
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection, database_->FindCollection(name));
    Point point;
    point.id = PointId(id);
    point.vectors = {{"", {1, 2}}};
    return collection->Upsert(context_, {point}).status();
  }
  void ExpectNoWrites(const std::string& name, uint64_t points) {
    const Status refused = TryUpsert(name, 1000);
    EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
    EXPECT_NE(refused.message().find("storage_failed"), std::string::npos) << refused.message();
    EXPECT_EQ(CountOf(name), points);
    EXPECT_NE(database_->SystemTrouble(), "");
  }

  DoubtfulSyncs doubtful_{*files_};
};

TEST_F(DatabaseDoubtTest, WhatMayHaveBeenDeletedTakesNoWrites) {
  for (const bool is_open : {true, false}) {
    Open();
    Create("a");
    Upsert("a", 1, 3);
    Create("b");
    OpenDoubtful();
    if (is_open) EXPECT_EQ(CountOf("a"), 3u);
    EXPECT_EQ(database_->SystemTrouble(), "");
    doubtful_.FailBelow("/system/");
    EXPECT_EQ(database_->DeleteCollection("a").status().code(), ErrorCode::kUnavailable);
    ExpectNoWrites("a", 3);
    // Of this one it is known that nothing happened.
    EXPECT_EQ(database_->DeleteCollection("b").status().code(), ErrorCode::kUnavailable);
    EXPECT_TRUE(TryUpsert("b", 1).ok());
    doubtful_.FailBelow("");
    Open();
    EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"b"});
    EXPECT_EQ(CountOf("b"), 1u);
    ASSERT_TRUE(database_->DeleteCollection("b").ok());
  }
}

// The mark tells the next start what the folder is, should the record be in its checkpoint alone.
TEST_F(DatabaseDoubtTest, ARetriedDeletionKeepsItsMark) {
  const fs::path folder = Create("a");
  const fs::path other = Create("b");
  OpenDoubtful();
  doubtful_.FailBelow("/system/");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(database_->DeleteCollection("a").status().code(), ErrorCode::kUnavailable);
    EXPECT_TRUE(fs::exists(folder.string() + ".unneeded")) << i;
    EXPECT_EQ(database_->DeleteCollection("b").status().code(), ErrorCode::kUnavailable);
    EXPECT_FALSE(fs::exists(other.string() + ".unneeded")) << i;
  }
  doubtful_.FailBelow("");
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"b"});
}

TEST_F(DatabaseDoubtTest, WhatMayHaveBeenDeletedIsNotSaidToExist) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
  Create("a");
  OpenDoubtful();
  EXPECT_EQ(database_->CreateCollection("a", config).code(), ErrorCode::kAlreadyExists);
  doubtful_.FailBelow("/system/");
  EXPECT_EQ(database_->DeleteCollection("a").status().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(database_->CreateCollection("a", config).code(), ErrorCode::kUnavailable);
  doubtful_.FailBelow("");
}

// They may be there from the next start on.
TEST_F(DatabaseDoubtTest, NothingIsSaidToBeGoneOrSetAlreadyWhileThereIsDoubt) {
  Create("a");
  OpenDoubtful();
  const std::vector<AliasChange> create = {CreateAlias{"a", "x"}};
  const std::vector<AliasChange> remove = {DeleteAlias{"x"}};
  ASSERT_TRUE(database_->ChangeAliases(remove).ok());
  ASSERT_FALSE(*database_->DeleteCollection("b"));
  doubtful_.FailBelow("/system/");
  EXPECT_EQ(database_->ChangeAliases(create).code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(database_->Aliases().empty());
  EXPECT_EQ(database_->ChangeAliases(remove).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(database_->DeleteCollection("b").status().code(), ErrorCode::kUnavailable);
  doubtful_.FailBelow("");
  Open();
  EXPECT_EQ(database_->Aliases().size(), 1u);
}

// Nothing is in doubt then, and nothing can be changed.
TEST_F(DatabaseDoubtTest, ASystemLogThatFailsWhileItIsCutIsTold) {
  system_log_bytes_max_ = 1;
  OpenDoubtful();
  doubtful_.FailBelow("/system/0000000000000002.log");
  Create("a");
  CollectionConfig config;
  config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
  EXPECT_EQ(database_->CreateCollection("b", config).code(), ErrorCode::kUnavailable);
  EXPECT_NE(database_->SystemTrouble(), "");
  doubtful_.FailBelow("");
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"a"});
}

// The folder of what was restored is there in both cases, and so are all points of the old one that
// were acknowledged.
TEST_F(DatabaseDoubtTest, ARestoreThatMayCountLosesNothing) {
  Create("a");
  Upsert("a", 1, 3);
  auto made = database_->CreateSnapshot(context_, "a");
  ASSERT_TRUE(made.ok());
  Upsert("a", 4, 2);
  const std::string snapshot = folder_ + "/snapshots/a/" + made->name;
  ASSERT_TRUE(fs::exists(snapshot));
  OpenDoubtful();
  doubtful_.FailBelow("/system/");
  EXPECT_EQ(database_->RestoreSnapshot(context_, "a", snapshot).code(), ErrorCode::kUnavailable);
  ExpectNoWrites("a", 5);
  doubtful_.FailBelow("");
  Open();
  EXPECT_EQ(CountOf("a"), 3u);
}

// What the next start finds has no place for what would be written with the old vectors.
TEST_F(DatabaseDoubtTest, WhatMayHaveOtherVectorsTakesNoWrites) {
  for (const Status& failure : {IoError("broken"), StorageFullError("full")}) {
    OpenDoubtful();
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    config.vectors["v"] = {.dim = 2, .metric = Metric::kDot};
    ASSERT_TRUE(database_->CreateCollection("a", config).ok());
    const auto upsert = [&](uint64_t id) {
      Point point;
      point.id = PointId(id);
      point.vectors = {{"", {1, 2}}, {"v", {3, 4}}};
      return (*database_->FindCollection("a"))->Upsert(context_, {point}).status();
    };
    ASSERT_TRUE(upsert(1).ok());
    Seal("a");
    const auto change = [](CollectionConfig& changed) {
      changed.vectors.erase("v");
      return OkStatus();
    };
    doubtful_.FailBelow("/CURRENT.tmp");
    EXPECT_FALSE(database_->ChangeVectors("a", change).ok());
    doubtful_.FailBelow("");
    ASSERT_TRUE(upsert(2).ok()) << "nothing has happened";
    Seal("a");
    doubtful_.FailPublications(failure);
    EXPECT_FALSE(database_->ChangeVectors("a", change).ok());
    const Status refused = upsert(3);
    EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
    EXPECT_NE(refused.message().find("whether the vectors were changed"), std::string::npos);
    EXPECT_EQ(CountOf("a"), 2u);
    doubtful_.FailPublications(OkStatus());
    Open();
    EXPECT_EQ(CountOf("a"), 2u);
    ASSERT_TRUE(database_->DeleteCollection("a").ok());
  }
}

// The change counts; the file that the log was to go on in can't be made durable.
TEST_F(DatabaseDoubtTest, ALogThatDiesBehindAChangeIsTold) {
  system_log_bytes_max_ = 1;
  OpenDoubtful();
  Create("a");
  EXPECT_EQ(database_->SystemTrouble(), "");
  // The one that is written to had this name, too.
  const std::string present = FilesOf(folder_ + "/system", ".log").back().filename().string();
  doubtful_.FailBelow(".log.tmp", present);
  for (int i = 0; i < 20 && database_->SystemTrouble().empty(); ++i) {
    const AliasChange alias[] = {CreateAlias{"a", "x" + std::to_string(i)}};
    ASSERT_TRUE(database_->ChangeAliases(alias).ok());
  }
  EXPECT_NE(database_->SystemTrouble().find("can't sync"), std::string::npos);
  doubtful_.FailBelow("");
  EXPECT_EQ(database_->DeleteCollection("a").status().code(), ErrorCode::kUnavailable);
  Open();
  EXPECT_EQ(CountOf("x0"), 0u);
}

// By whichever change; what was taken aside first is what may be of use.
TEST_F(DatabaseDoubtTest, ACatalogThatStaysBrokenFillsNoFolder) {
  OpenDoubtful();
  Create("a");
  doubtful_.FailBelow("/catalog.db");
  for (int i = 0; i < 5; ++i) {
    const AliasChange alias[] = {CreateAlias{"a", "x" + std::to_string(i)}};
    ASSERT_TRUE(database_->ChangeAliases(alias).ok());
  }
  doubtful_.FailBelow("");
  EXPECT_FALSE(fs::exists(folder_ + "/repaired/2"));
}

TEST_F(DatabaseDoubtTest, ACreationThatMayCountIsWhole) {
  OpenDoubtful();
  Create("a");
  CollectionConfig config;
  config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
  doubtful_.FailBelow("/system/");
  EXPECT_EQ(database_->CreateCollection("b", config).code(), ErrorCode::kUnavailable);
  EXPECT_NE(database_->SystemTrouble(), "");
  doubtful_.FailBelow("");
  Open();
  const std::vector<std::string> both = {"a", "b"};
  ASSERT_EQ(database_->ListCollections(), both);
  EXPECT_TRUE(TryUpsert("b", 1).ok());
  EXPECT_EQ(CountOf("b"), 1u);
}

TEST_F(DatabaseDoubtTest, ACatalogThatFailsRefusesNoChange) {
  OpenDoubtful();
  Create("a");
  doubtful_.FailBelow("/catalog.db");
  Create("b");
  ASSERT_TRUE(database_->DeleteCollection("a").ok());
  Create("c");
  EXPECT_EQ(database_->SystemTrouble(), "");
  doubtful_.FailBelow("");
  Create("d");
  const std::vector<std::string> expected = {"b", "c", "d"};
  EXPECT_EQ(database_->ListCollections(), expected);
  Open();
  EXPECT_EQ(database_->ListCollections(), expected);
}

TEST_F(DatabaseDoubtTest, ACatalogThatCanNotBeReadIsSetAside) {
  Create("a");
  Upsert("a", 1, 3);
  database_.reset();
  const BadRange bad = [](const std::string& path, env::FileRange) {
    return path.ends_with("catalog.db") && path.find("/repaired/") == std::string::npos;
  };
  {
    UnreadPages files(*files_, bad);
    auto repair = FolderRepair::Examine(files, *random_, *log_, folder_);
    ASSERT_TRUE(repair.ok()) << repair.status().ToString();
    ASSERT_EQ((*repair)->damages().size(), 1u);
    EXPECT_EQ((*repair)->damages().front().part, "catalog");
    EXPECT_TRUE((*repair)->damages().front().mendable);
  }
  // The new file is another one, which can be read.
  std::atomic<bool> is_old = true;
  const BadRange old = [&](const std::string& path, env::FileRange range) {
    if (!fs::exists(folder_ + "/repaired")) return bad(path, range);
    is_old = false;
    return false;
  };
  UnreadPages files(*files_, old);
  auto opened = Database::Open({.directory = folder_}, {files, *random_, *log_});
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  database_ = std::move(opened).value();
  EXPECT_FALSE(is_old);
  EXPECT_EQ(CountOf("a"), 3u);
  EXPECT_TRUE(fs::exists(folder_ + "/repaired/1/catalog.db"));
  database_.reset();  // before its files
}

// What is in it may be all that tells of later records.
TEST_F(DatabaseDoubtTest, AWalWithoutItsCatalogIsSetAside) {
  Create("a");
  database_.reset();
  fs::remove(folder_ + "/catalog.db");
  std::ofstream(folder_ + "/catalog.db-wal") << "pages";
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"a"});
  EXPECT_EQ(fs::file_size(folder_ + "/repaired/1/catalog.db-wal"), 5u);
  database_.reset();
  fs::remove(folder_ + "/catalog.db");
  Open();
  EXPECT_FALSE(fs::exists(folder_ + "/repaired/2")) << "nothing was there";
}

// The system log has lost its end, and the catalog is an older one: neither tells of it.
TEST_F(DatabaseDoubtTest, AFolderThatHoldsSomethingIsSetAside) {
  Create("a");
  database_.reset();
  fs::copy(folder_ + "/system", folder_ + "/before");
  fs::copy(folder_ + "/catalog.db", folder_ + "/before.db");
  Open();
  const fs::path lost = Create("b");
  Upsert("b", 1, 3);
  const fs::path empty = Create("c");
  database_.reset();
  fs::remove_all(folder_ + "/system");
  fs::rename(folder_ + "/before", folder_ + "/system");
  fs::remove(folder_ + "/catalog.db");
  fs::rename(folder_ + "/before.db", folder_ + "/catalog.db");
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"a"});
  EXPECT_FALSE(fs::exists(lost));
  EXPECT_FALSE(fs::exists(empty));
  EXPECT_TRUE(fs::exists(folder_ + "/repaired/1/collections/" + lost.filename().string()));
  EXPECT_FALSE(fs::exists(folder_ + "/repaired/2"));
}

// As a kill leaves it, and a checkpoint behind which the record is gone.
TEST_F(DatabaseDoubtTest, AFolderThatWasBeingDeletedIsRemoved) {
  system_log_bytes_max_ = 1;
  Open();
  const fs::path folder = Create("a");
  Upsert("a", 1, 3);
  database_.reset();
  fs::copy(folder, folder_ + "/kept", fs::copy_options::recursive);
  Open();
  ASSERT_TRUE(database_->DeleteCollection("a").ok());
  const fs::path other = Create("b");
  Upsert("b", 1, 2);
  database_.reset();
  fs::rename(folder_ + "/kept", folder);
  for (const fs::path& one : {folder, other}) std::ofstream(one.string() + ".unneeded");
  Open();
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_FALSE(fs::exists(folder_ + "/repaired"));
  EXPECT_FALSE(fs::exists(other.string() + ".unneeded"));
  EXPECT_EQ(CountOf("b"), 2u);
  ASSERT_TRUE(database_->DeleteCollection("b").ok());
  EXPECT_TRUE(fs::is_empty(folder_ + "/collections"));
}

}  // namespace
}  // namespace akidb::engine
