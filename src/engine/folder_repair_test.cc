#include "engine/folder_repair.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/database.h"

namespace akidb::engine {
namespace {

namespace fs = std::filesystem;

class FolderRepairTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_repair_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    fs::remove_all(folder_);
    Open();
  }
  void TearDown() override {
    database_.reset();
    fs::remove_all(folder_);
  }

  Result<std::unique_ptr<Database>> TryOpen() {
    return Database::Open({.directory = folder_}, {*files_, *random_, *log_});
  }
  void Open() {
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    database_ = std::move(opened).value();
  }
  // Returns the collection's folder.
  fs::path Create(const std::string& name) {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    EXPECT_TRUE(database_->CreateCollection(name, config).ok());
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(folder_ + "/collections")) {
      if (seen_.insert(entry.path()).second) newest = entry.path();
    }
    return newest;
  }
  // Points first, first + 1, … each in a record of its own.
  void Upsert(const std::string& name, uint64_t first, uint64_t count) {
    auto collection = *database_->FindCollection(name);
    for (uint64_t id = first; id < first + count; ++id) {
      Point point;
      point.id = PointId(id);
      point.vectors = {{"", {1, 2}}};
      ASSERT_TRUE(collection->Upsert(context_, {point}).ok());
    }
  }
  void Seal(const std::string& name) {
    ASSERT_TRUE((*database_->FindCollection(name))->Seal().ok());
  }
  uint64_t CountOf(const std::string& name) {
    auto collection = database_->FindCollection(name);
    EXPECT_TRUE(collection.ok()) << collection.status().ToString();
    return collection.ok() ? *(*collection)->Count(context_, nullptr) : 0;
  }
  std::unique_ptr<FolderRepair> Examine() {
    database_.reset();
    auto repair = FolderRepair::Examine(*files_, *random_, *log_, folder_);
    EXPECT_TRUE(repair.ok()) << repair.status().ToString();
    return repair.ok() ? std::move(repair).value() : nullptr;
  }
  // Files of this ending, in order of their names.
  static std::vector<fs::path> FilesOf(const fs::path& folder, const std::string& ending) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().string().ends_with(ending)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static void FlipByte(const fs::path& path, uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ 0x20);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    ASSERT_TRUE(file.good()) << path;
  }

  const std::unique_ptr<env::FileSystem> files_ = env::MakePosixFileSystem();
  const std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::string folder_;
  std::unique_ptr<Database> database_;
  std::set<fs::path> seen_;
  RequestContext context_;
};

constexpr uint64_t kFirstRecord = 4096;  // behind a log file's header

TEST_F(FolderRepairTest, FindsNothingInAWholeFolder) {
  Create("a");
  Upsert("a", 1, 3);
  Seal("a");
  Upsert("a", 4, 3);
  auto repair = Examine();
  ASSERT_NE(repair, nullptr);
  EXPECT_TRUE(repair->damages().empty());
}

TEST_F(FolderRepairTest, RefusesFoldersThatAreInUseOrNotOurs) {
  EXPECT_EQ(FolderRepair::Examine(*files_, *random_, *log_, folder_).status().code(),
            ErrorCode::kBusy);
  EXPECT_EQ(FolderRepair::Examine(*files_, *random_, *log_, folder_ + "/system").status().code(),
            ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder_ + "/system/VERSION"));
}

TEST_F(FolderRepairTest, CutsADamagedLogAndKeepsWhatItCuts) {
  const fs::path folder = Create("bad");
  Upsert("bad", 1, 6);
  Create("good");
  Upsert("good", 1, 2);
  database_.reset();
  const fs::path log = FilesOf(folder / "log", ".log").front();
  const auto bytes = fs::file_size(log);
  // In the fourth record or so of six.
  FlipByte(log, kFirstRecord + (bytes - kFirstRecord) * 3 / 5);
  Open();
  EXPECT_FALSE(database_->FindCollection("bad").ok());
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  const FolderDamage& damage = repair->damages().front();
  EXPECT_EQ(damage.part, "collection `bad`");
  EXPECT_NE(damage.what.find(log.filename()), std::string::npos) << damage.what;
  EXPECT_NE(damage.lost.find("after record "), std::string::npos) << damage.lost;
  EXPECT_TRUE(damage.mendable);
  auto kept = repair->Mend();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  EXPECT_EQ(fs::file_size(fs::path(*kept) / folder.filename() / log.filename()), bytes);
  repair = nullptr;
  EXPECT_TRUE(Examine()->damages().empty());
  Open();
  EXPECT_EQ(CountOf("good"), 2u);
  const uint64_t left = CountOf("bad");
  EXPECT_GT(left, 0u);
  EXPECT_LT(left, 6u);
  Upsert("bad", 100, 1);
  database_.reset();
  Open();
  EXPECT_EQ(CountOf("bad"), left + 1);
}

TEST_F(FolderRepairTest, LeavesDamagedAndMissingSegmentsOut) {
  for (const bool missing : {false, true}) {
    const std::string name = missing ? "missing" : "damaged";
    const fs::path folder = Create(name);
    Upsert(name, 1, 5);
    Seal(name);
    Upsert(name, 6, 2);
    database_.reset();
    const fs::path segment = FilesOf(folder / "seg", ".seg").front();
    if (missing) {
      fs::remove(segment);
    } else {
      FlipByte(segment, fs::file_size(segment) - 10);
    }
    auto repair = Examine();
    ASSERT_EQ(repair->damages().size(), 1u);
    EXPECT_NE(repair->damages().front().lost.find("of 5 points"), std::string::npos);
    auto kept = repair->Mend();
    ASSERT_TRUE(kept.ok()) << kept.status().ToString();
    EXPECT_EQ(fs::exists(fs::path(*kept) / folder.filename() / segment.filename()), !missing);
    repair = nullptr;
    Open();
    EXPECT_EQ(CountOf(name), 2u);
  }
}

TEST_F(FolderRepairTest, TellsWhatItCanNotMendAndMendsTheRest) {
  const fs::path folder = Create("a");
  Upsert("a", 1, 2);
  const fs::path other = Create("b");
  Upsert("b", 1, 6);
  database_.reset();
  FlipByte(folder / "MANIFEST-1", 30);
  FlipByte(FilesOf(other / "log", ".log").front(), kFirstRecord + 10);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 2u);
  EXPECT_NE(repair->damages()[0].mendable, repair->damages()[1].mendable);
  ASSERT_TRUE(repair->Mend().ok());
  repair = nullptr;
  Open();
  EXPECT_FALSE(database_->FindCollection("a").ok());
  EXPECT_EQ(CountOf("b"), 0u);
}

TEST_F(FolderRepairTest, KeepsTheFoldersThatACutSystemLogNoLongerNames) {
  const fs::path first = Create("first");
  Upsert("first", 1, 2);
  const fs::path later = Create("later");
  Upsert("later", 1, 3);
  ASSERT_TRUE(database_->BindModel("first", "", "m", "f").ok());
  database_.reset();
  // Two records of creation, then a binding: in the second half of the first two.
  const fs::path log = FilesOf(folder_ + "/system", ".log").front();
  FlipByte(log, kFirstRecord + (fs::file_size(log) - kFirstRecord) / 2);
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  EXPECT_EQ(repair->damages().front().part, "system log");
  auto kept = repair->Mend();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  repair = nullptr;
  EXPECT_TRUE(fs::exists(fs::path(*kept) / "collections" / later.filename() / "CURRENT"));
  EXPECT_TRUE(fs::exists(fs::path(*kept) / "system" / log.filename()));
  Open();
  EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"first"});
  EXPECT_EQ(CountOf("first"), 2u);
}

TEST_F(FolderRepairTest, TheCatalogIsMadeAnewWhereItIsDropped) {
  Create("a");
  Upsert("a", 1, 2);
  auto repair = Examine();
  auto kept = repair->DropCatalog();
  ASSERT_TRUE(kept.ok()) << kept.status().ToString();
  EXPECT_TRUE(fs::exists(*kept + "/catalog.db"));
  EXPECT_FALSE(fs::exists(folder_ + "/catalog.db"));
  repair = nullptr;
  Open();
  EXPECT_EQ(CountOf("a"), 2u);
}

}  // namespace
}  // namespace akidb::engine
