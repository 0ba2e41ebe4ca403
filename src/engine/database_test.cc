#include "engine/database.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "types/payload_json.h"

namespace akidb::engine {
namespace {

namespace fs = std::filesystem;

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_database_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    fs::remove_all(folder_);
  }
  void TearDown() override {
    database_.reset();
    fs::remove_all(folder_);
  }

  Result<std::unique_ptr<Database>> TryOpen() {
    return Database::Open({.directory = folder_}, {*files_, *random_, *log_});
  }
  void Open() {
    database_.reset();
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  static CollectionConfig Config() {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    return config;
  }
  Status Upsert(const std::string& name, uint64_t id) {
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection, database_->FindCollection(name));
    Point point;
    point.id = PointId(id);
    point.vectors = {{"", {1, 2}}};
    return collection->Upsert(context_, {point}).status();
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
  NamedState StateOf(std::string_view name) {
    for (const NamedState& one : database_->States()) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no collection " << name;
    return {};
  }
  // The folder of the only collection.
  fs::path CollectionFolder() { return fs::directory_iterator(folder_ + "/collections")->path(); }
  static void FlipByte(const fs::path& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  }

  std::string folder_;
  std::unique_ptr<env::FileSystem> files_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<Database> database_;
  RequestContext context_;
};

TEST_F(DatabaseTest, KeepsCollectionsAndPointsOverRestarts) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("b", Config()).ok());
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  Status again = database_->CreateCollection("a", Config());
  EXPECT_EQ(again.code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(again.message(), "Collection `a` already exists!");
  ASSERT_TRUE(Upsert("a", 1).ok());
  for (int round = 0; round < 2; ++round) {
    Open();
    EXPECT_EQ(database_->ListCollections(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(CountOf("a"), 1u);
    EXPECT_EQ(CountOf("b"), 0u);
  }
  EXPECT_EQ(*database_->DeleteCollection("b"), true);
  EXPECT_EQ(*database_->DeleteCollection("b"), false);
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"a"});
  EXPECT_EQ(database_->FindCollection("b").status().message(), "Collection `b` doesn't exist!");
}

TEST_F(DatabaseTest, DeletingRemovesTheFolderAndANewOneOfTheNameIsEmpty) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  ASSERT_TRUE(Upsert("a", 1).ok());
  fs::path folder = CollectionFolder();
  ASSERT_TRUE(*database_->DeleteCollection("a"));
  EXPECT_FALSE(fs::exists(folder));
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  EXPECT_EQ(CountOf("a"), 0u);
}

TEST_F(DatabaseTest, RefusesAFolderInUse) {
  Open();
  auto second = TryOpen();
  EXPECT_EQ(second.status().code(), ErrorCode::kBusy);
  EXPECT_EQ(second.status().message(), "data folder " + folder_ + " is in use by another process");
}

TEST_F(DatabaseTest, RefusesAFolderOfANewerVersion) {
  Open();
  database_.reset();
  for (const char* version : {"3\n", "10\n"}) {
    std::ofstream(folder_ + "/VERSION") << version;
    EXPECT_EQ(TryOpen().status().code(), ErrorCode::kUnsupported) << version;
  }
}

TEST_F(DatabaseTest, AVersionThatIsNoNumberIsDamage) {
  Open();
  database_.reset();
  for (const char* version : {"", "1", "2", "\n", "!\n", "1\x0b", "01\n", "1\n1\n", "garbage\n"}) {
    std::ofstream(folder_ + "/VERSION") << version;
    const Status status = TryOpen().status();
    EXPECT_EQ(status.code(), ErrorCode::kCorruption) << version;
    EXPECT_NE(status.message().find("VERSION is damaged"), std::string::npos) << status.message();
  }
  for (const char* version : {"1\n", "2\n"}) {
    std::ofstream(folder_ + "/VERSION") << version;
    EXPECT_TRUE(TryOpen().ok());
  }
}

TEST_F(DatabaseTest, RebuildsALostOrDamagedCatalogFromTheSystemLog) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  ASSERT_TRUE(database_->CreateCollection("b", Config()).ok());
  ASSERT_TRUE(database_->BindModel(UuidOf("a"), "", "minilm", "f1").ok());
  ASSERT_TRUE(*database_->DeleteCollection("b"));
  ASSERT_TRUE(Upsert("a", 1).ok());
  for (bool lost : {true, false}) {
    database_.reset();
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(folder_ + "/catalog.db" + suffix);
    if (lost) {
      fs::remove(folder_ + "/catalog.db");
    } else {
      std::ofstream(folder_ + "/catalog.db") << "no database at all";
    }
    Open();
    EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"a"});
    EXPECT_EQ(CountOf("a"), 1u);
    EXPECT_EQ(database_->BindModel(UuidOf("a"), "", "other", "f2").code(),
              ErrorCode::kInvalidArgument);
  }
}

TEST_F(DatabaseTest, ADamagedCollectionIsQuarantinedAlone) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("bad", Config()).ok());
  ASSERT_TRUE(Upsert("bad", 1).ok());
  fs::path bad = CollectionFolder();
  ASSERT_TRUE(database_->CreateCollection("good", Config()).ok());
  ASSERT_TRUE(Upsert("good", 1).ok());
  database_.reset();
  FlipByte(bad / "MANIFEST-2", 30);
  Open();
  EXPECT_EQ(database_->ListCollections(), (std::vector<std::string>{"bad", "good"}));
  EXPECT_EQ(StateOf("bad").state, CollectionState::kClosed);
  EXPECT_EQ(CountOf("good"), 1u);
  auto found = database_->FindCollection("bad");
  EXPECT_EQ(found.status().code(), ErrorCode::kUnavailable);
  EXPECT_NE(found.status().message().find("quarantined"), std::string::npos);
  EXPECT_NE(found.status().message().find("MANIFEST-2"), std::string::npos);
  EXPECT_EQ(StateOf("bad").state, CollectionState::kQuarantined);
  EXPECT_NE(StateOf("bad").reason.find("MANIFEST-2"), std::string::npos);
  EXPECT_EQ(StateOf("good").state, CollectionState::kReady);
  EXPECT_EQ(StateOf("good").reason, "");
  // It can still be deleted.
  EXPECT_TRUE(*database_->DeleteCollection("bad"));
  EXPECT_FALSE(fs::exists(bad));
}

TEST_F(DatabaseTest, AFailureThatMayPassIsNotRemembered) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  ASSERT_TRUE(Upsert("a", 1).ok());
  database_.reset();
  // A folder in the way of a file: EISDIR, as any error of the system.
  fs::path current = CollectionFolder() / "CURRENT";
  fs::rename(current, folder_ + "/kept");
  fs::create_directory(current);
  Open();
  EXPECT_EQ(database_->FindCollection("a").status().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(StateOf("a").state, CollectionState::kUnavailable);
  EXPECT_NE(StateOf("a").reason.find("CURRENT"), std::string::npos);
  fs::remove(current);
  fs::rename(folder_ + "/kept", current);
  EXPECT_EQ(CountOf("a"), 1u);
  EXPECT_EQ(StateOf("a").state, CollectionState::kReady);
  EXPECT_EQ(StateOf("a").reason, "");
}

TEST_F(DatabaseTest, RemovesFoldersThatNoRecordNames) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  database_.reset();
  fs::path orphan = folder_ + "/collections/00000000-0000-4000-8000-000000000001";
  fs::create_directories(orphan / "seg");
  fs::path foreign = folder_ + "/collections/notes";
  fs::create_directories(foreign);
  Open();
  EXPECT_FALSE(fs::exists(orphan));
  EXPECT_TRUE(fs::exists(foreign));
  EXPECT_EQ(CountOf("a"), 0u);
}

// A system log that has lost its end, and no catalog: nothing tells that there was more.
TEST_F(DatabaseTest, SetsAsideWhatNoRecordNamesWhereTheCatalogWasLost) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  const fs::path deleted = CollectionFolder();
  ASSERT_TRUE(database_->DeleteCollection("a").ok());
  ASSERT_TRUE(database_->CreateCollection("c", Config()).ok());
  const fs::path named = CollectionFolder();
  fs::copy(folder_ + "/system", folder_ + "/before");
  ASSERT_TRUE(database_->CreateCollection("b", Config()).ok());
  ASSERT_TRUE(Upsert("b", 1).ok());
  fs::path lost;
  for (const auto& entry : fs::directory_iterator(folder_ + "/collections")) {
    if (entry.path() != named) lost = entry.path();
  }
  database_.reset();
  fs::create_directories(deleted / "seg");
  fs::remove_all(folder_ + "/system");
  fs::rename(folder_ + "/before", folder_ + "/system");
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(folder_ + "/catalog.db" + suffix);
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"c"});
  EXPECT_FALSE(fs::exists(deleted));
  EXPECT_FALSE(fs::exists(lost));
  EXPECT_TRUE(
      fs::exists(folder_ + "/repaired/1/collections/" + lost.filename().string() + "/CURRENT"));
}

TEST_F(DatabaseTest, CollectionsWithoutASystemLogAreKeptAndRefused) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  ASSERT_TRUE(Upsert("a", 1).ok());
  database_.reset();
  fs::remove_all(folder_ + "/system");
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(folder_ + "/catalog.db" + suffix);
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  EXPECT_FALSE(fs::is_empty(folder_ + "/collections"));
}

TEST_F(DatabaseTest, TellsTheModelOfAVector) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  EXPECT_FALSE(database_->ModelOf("a", ""));
  EXPECT_FALSE(database_->ModelOf("none", ""));
  ASSERT_TRUE(database_->BindModel(UuidOf("a"), "", "minilm", "f1").ok());
  EXPECT_EQ(database_->ModelOf("a", "")->fingerprint, "f1");
  EXPECT_EQ((*database_->ModelOf(UuidOf("a"), ""))->fingerprint, "f1");
}

TEST_F(DatabaseTest, AVectorHoldsTextsOfOneModel) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  ASSERT_TRUE(database_->BindModel(UuidOf("a"), "", "minilm", "f1").ok());
  ASSERT_TRUE(database_->BindModel(UuidOf("a"), "", "minilm", "f1").ok());
  Open();
  Status other = database_->BindModel(UuidOf("a"), "", "bge", "f2");
  EXPECT_EQ(other.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(other.message().find("minilm"), std::string::npos);
  EXPECT_NE(other.message().find("bge"), std::string::npos);
}

TEST_F(DatabaseTest, RefusesNamesAndConfigurationsOutOfBounds) {
  Open();
  for (const std::string& name : {std::string(), std::string(256, 'x'), std::string("a/b")}) {
    EXPECT_EQ(database_->CreateCollection(name, Config()).code(), ErrorCode::kValidation) << name;
  }
  CollectionConfig config = Config();
  config.vectors[""].dim = 0;
  EXPECT_EQ(database_->CreateCollection("a", config).code(), ErrorCode::kValidation);
  EXPECT_TRUE(database_->ListCollections().empty());
}

TEST_F(DatabaseTest, ANewCollectionIsSmall) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  uint64_t blocks = 0;
  for (const auto& entry : fs::recursive_directory_iterator(CollectionFolder())) {
    if (entry.is_regular_file()) blocks += (fs::file_size(entry.path()) + 4095) / 4096;
  }
  EXPECT_LT(blocks * 4096, 64u << 10);
}

TEST_F(DatabaseTest, DeletingWhileRequestsRunIsSafe) {
  Open();
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
    ASSERT_TRUE(Upsert("a", 1).ok());
    std::atomic<bool> deleted{false};
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (uint64_t id = 0; !deleted || id % 8 != 0; ++id) {
          auto collection = database_->FindCollection("a");
          if (!collection.ok()) {
            EXPECT_EQ(collection.status().code(), ErrorCode::kNotFound);
            return;
          }
          Point point;
          point.id = PointId(id * 4 + i);
          point.vectors = {{"", {1, 2}}};
          Status written = (*collection)->Upsert(context_, {point}).status();
          EXPECT_TRUE(written.ok() || deleted || written.code() == ErrorCode::kNotFound)
              << written.ToString();
          EXPECT_TRUE((*collection)->Count(context_, nullptr).ok());
          if (i == 0 && id % 16 == 0) static_cast<void>((*collection)->Seal());
        }
      });
    }
    while (CountOf("a") < 50) std::this_thread::yield();
    deleted = true;
    ASSERT_TRUE(*database_->DeleteCollection("a"));
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(fs::is_empty(folder_ + "/collections"));
  }
}

TEST_F(DatabaseTest, AliasesAreNamesThatOutliveAStart) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  ASSERT_TRUE(database_->CreateCollection("b", Config()).ok());
  ASSERT_TRUE(Upsert("a", 1).ok());
  const AliasChange made[] = {CreateAlias{"a", "x"}, CreateAlias{"b", "y"}, RenameAlias{"y", "z"},
                              DeleteAlias{"none"}};
  ASSERT_TRUE(database_->ChangeAliases(made).ok());
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(database_->Aliases().size(), 2u);
    EXPECT_EQ(database_->Aliases()[0].name, "x");
    EXPECT_EQ(database_->Aliases()[1].collection, "b");
    EXPECT_EQ(CountOf("x"), 1u);
    EXPECT_TRUE(database_->CollectionExists("z"));
    EXPECT_EQ(database_->ListCollections().size(), 2u);
    Open();
  }
  // Without the catalog, from the log.
  database_.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(folder_ + "/catalog.db" + suffix);
  Open();
  EXPECT_EQ(CountOf("x"), 1u);
  // An alias is no collection to be deleted, and goes with its collection.
  EXPECT_FALSE(*database_->DeleteCollection("x"));
  EXPECT_TRUE(*database_->DeleteCollection("a"));
  EXPECT_FALSE(database_->CollectionExists("x"));
  EXPECT_EQ(database_->Aliases().size(), 1u);
}

TEST_F(DatabaseTest, AliasesChangeTogetherOrNotAtAll) {
  Open();
  ASSERT_TRUE(database_->CreateCollection("a", Config()).ok());
  ASSERT_TRUE(database_->CreateCollection("b", Config()).ok());
  const AliasChange first[] = {CreateAlias{"a", "x"}};
  ASSERT_TRUE(database_->ChangeAliases(first).ok());
  const auto refused = [&](AliasChange last) {
    const AliasChange changes[] = {CreateAlias{"b", "x"}, CreateAlias{"b", "y"}, std::move(last)};
    const Status status = database_->ChangeAliases(changes);
    EXPECT_EQ(database_->Aliases().size(), 1u);
    EXPECT_EQ(database_->Aliases()[0].collection, "a");
    return status;
  };
  EXPECT_EQ(refused(CreateAlias{"none", "z"}).message(), "Collection `none` doesn't exist!");
  EXPECT_EQ(refused(RenameAlias{"none", "z"}).message(), "Alias `none` doesn't exist!");
  EXPECT_TRUE(refused(CreateAlias{"b", "z/"}).message().starts_with("[alias_name: `z/` holds"));
  EXPECT_EQ(refused(CreateAlias{"a", "b"}).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused(CreateAlias{"a", "no/name"}).code(), ErrorCode::kValidation);
  EXPECT_EQ(database_->CreateCollection("x", Config()).code(), ErrorCode::kAlreadyExists);
  // An alias may go over to another collection.
  const AliasChange moved[] = {CreateAlias{"b", "x"}};
  ASSERT_TRUE(database_->ChangeAliases(moved).ok());
  EXPECT_EQ(database_->Aliases()[0].collection, "b");
}

}  // namespace
}  // namespace akidb::engine
