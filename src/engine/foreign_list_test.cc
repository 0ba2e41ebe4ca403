// Lists of collections (system log, checkpoint, catalog) that are damaged together, and those of
// another data folder: a start that can't tell changes nothing.
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "engine/folder_repair_fixture.h"
#include "engine/unread_pages.h"

namespace akidb::engine {
namespace {

class ForeignListTest : public FolderRepairTest {
 protected:
  void TearDown() override {
    FolderRepairTest::TearDown();
    fs::remove_all(Other());
  }
  std::string Other() const { return folder_ + "_other"; }
  std::string Catalog() const { return folder_ + "/catalog.db"; }
  std::string Checkpoint() const { return folder_ + "/system/CHECKPOINT"; }

  // Two collections that hold something.
  void Fill() {
    Create("a");
    Upsert("a", 1, 3);
    Create("b");
    Upsert("b", 1, 2);
  }
  // Another data folder, closed, in which so many more collections were made. By
  // `log_bytes_max` its list is in the checkpoint or in the log.
  void MakeOther(int collections, bool deleted, uint64_t log_bytes_max = 1) {
    auto database = *Database::Open({.directory = Other(), .system_log_bytes_max = log_bytes_max},
                                    {*files_, *random_, *log_});
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    const int begin = static_cast<int>(database->ListCollections().size());
    for (int i = begin; i < begin + collections; ++i) {
      const std::string name = "c" + std::to_string(i);
      ASSERT_TRUE(database->CreateCollection(name, config).ok());
      if (deleted) ASSERT_TRUE(database->DeleteCollection(name).ok());
    }
  }
  void TakeFromOther(const std::string& name) {
    fs::remove_all(folder_ + "/" + name);
    fs::copy(Other() + "/" + name, folder_ + "/" + name, fs::copy_options::recursive);
  }
  static std::string Content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::map<std::string, std::string> SystemFiles() const {
    std::map<std::string, std::string> files;
    for (const auto& file : fs::directory_iterator(folder_ + "/system")) {
      files[file.path().filename()] = Content(file.path());
    }
    return files;
  }
  // Refused; catalog, system log and folders are as they were.
  std::string ExpectRefused(env::FileSystem& files) {
    database_.reset();
    const std::string catalog = Content(Catalog());
    const auto system = SystemFiles();
    auto opened =
        Database::Open({.directory = folder_, .system_log_bytes_max = system_log_bytes_max_},
                       {files, *random_, *log_});
    EXPECT_EQ(opened.status().code(), ErrorCode::kCorruption) << opened.status().ToString();
    EXPECT_EQ(Content(Catalog()), catalog);
    EXPECT_TRUE(SystemFiles() == system);
    EXPECT_FALSE(fs::exists(folder_ + "/repaired"));
    return opened.ok() ? "" : std::string(opened.status().message());
  }
  void ExpectAll() {
    Open();
    EXPECT_EQ(database_->ListCollections(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(CountOf("a"), 3u);
    EXPECT_EQ(CountOf("b"), 2u);
  }
  void Mend() {
    auto repair = Examine();
    ASSERT_FALSE(repair->damages().empty());
    for (const FolderDamage& damage : repair->damages()) EXPECT_TRUE(damage.mendable);
    ASSERT_TRUE(repair->Mend().ok());
    repair = nullptr;
    EXPECT_TRUE(Examine()->damages().empty());
  }
};

// It is the only one to know what a repair needs.
TEST_F(ForeignListTest, ARefusedStartLeavesACatalogThatItCanNotRead) {
  Fill();
  database_.reset();
  FlipByte(FilesOf(folder_ + "/system", ".log").back(), kFirstRecord + 40);
  const BadRange bad = [](const std::string& path, env::FileRange) {
    return path.ends_with("/catalog.db");
  };
  UnreadPages files(*files_, bad);
  ExpectRefused(files);
  Mend();
  ExpectAll();
}

TEST_F(ForeignListTest, ARefusedStartLeavesADamagedCatalog) {
  system_log_bytes_max_ = 1;
  Open();
  Fill();
  database_.reset();
  fs::remove(Checkpoint());
  FlipByte(Catalog(), fs::file_size(Catalog()) - 100);
  const std::string refused = ExpectRefused(*files_);
  EXPECT_NE(refused.find("system/ and catalog.db from one backup"), std::string::npos) << refused;
}

TEST_F(ForeignListTest, ADamagedCatalogIsSetAside) {
  Fill();
  database_.reset();
  FlipByte(Catalog(), fs::file_size(Catalog()) - 100);
  const std::string damaged = Content(Catalog());
  ExpectAll();
  EXPECT_EQ(Content(folder_ + "/repaired/1/catalog.db"), damaged);
}

TEST_F(ForeignListTest, ALogShorterThanTheCatalogTellsWhoSaysSo) {
  Fill();
  database_.reset();
  MakeOther(7, false);
  TakeFromOther("catalog.db");
  const std::string refused = ExpectRefused(*files_);
  EXPECT_NE(refused.find("catalog.db goes up to record 7; ask `akidb repair`"), std::string::npos)
      << refused;
}

// All that it names is there; but most of what is there it doesn't name.
TEST_F(ForeignListTest, AnEmptyCatalogOfAnotherFolderIsNotBelieved) {
  Fill();
  database_.reset();
  MakeOther(5, /*deleted=*/true);
  TakeFromOther("catalog.db");
  ExpectRefused(*files_);
  Mend();
  ExpectAll();
}

TEST_F(ForeignListTest, AStartWithoutCheckpointDoesNotBelieveIt) {
  system_log_bytes_max_ = 1;
  Open();
  Fill();
  database_.reset();
  MakeOther(1, /*deleted=*/true);
  fs::remove(Checkpoint());
  TakeFromOther("catalog.db");
  const std::string refused = ExpectRefused(*files_);
  EXPECT_NE(refused.find("seems to be of another data folder"), std::string::npos) << refused;
}

TEST_F(ForeignListTest, ACheckpointOfAnotherFolderSetsNothingAside) {
  for (const bool deleted : {false, true}) {
    database_.reset();
    fs::remove_all(folder_);
    Open();
    Fill();
    database_.reset();
    fs::remove_all(Other());
    MakeOther(5, deleted);
    fs::copy(Other() + "/system/CHECKPOINT", Checkpoint());
    ExpectRefused(*files_);
    Mend();  // the catalog is this folder's
    ExpectAll();
  }
}

TEST_F(ForeignListTest, AListOfAnotherFolderIsRefusedAndARepairTellsWhatItMoves) {
  Fill();
  database_.reset();
  const std::string backup = folder_ + "_backup";
  fs::remove_all(backup);
  fs::copy(folder_, backup, fs::copy_options::recursive);
  MakeOther(2, /*deleted=*/true);
  TakeFromOther("system");
  TakeFromOther("catalog.db");
  const std::string refused = ExpectRefused(*files_);
  EXPECT_NE(refused.find("2 folders: "), std::string::npos) << refused;
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  const FolderDamage damage = repair->damages().front();
  EXPECT_NE(damage.lost.find("moved aside are 2 folders: "), std::string::npos) << damage.lost;
  for (const auto& folder : fs::directory_iterator(folder_ + "/collections")) {
    EXPECT_NE(damage.lost.find(folder.path().filename().string()), std::string::npos);
  }
  ASSERT_TRUE(repair->Mend().ok());
  repair = nullptr;
  Open();
  EXPECT_TRUE(database_->ListCollections().empty());
  const std::string kept = folder_ + "/repaired/1/collections";
  EXPECT_EQ(std::distance(fs::directory_iterator(kept), {}), 2);
  // As docs/ops/repair.md brings them back.
  database_.reset();
  for (const char* name : {"system", "catalog.db"}) {
    fs::remove_all(folder_ + "/" + name);
    fs::copy(backup + "/" + name, folder_ + "/" + name, fs::copy_options::recursive);
  }
  fs::remove(folder_ + "/collections");
  fs::rename(kept, folder_ + "/collections");
  ExpectAll();
  fs::remove_all(backup);
}

// With a checkpoint that goes as far as the log never went.
TEST_F(ForeignListTest, ARefusedStartLeavesTheLogForTheRightCheckpoint) {
  Fill();
  database_.reset();
  MakeOther(5, /*deleted=*/false);
  fs::copy(Other() + "/system/CHECKPOINT", Checkpoint());
  ExpectRefused(*files_);
  fs::remove(Checkpoint());
  ExpectAll();
}

// Records of the other folder would fit behind our list.
TEST_F(ForeignListTest, ARepairOfASystemLogOfAnotherFolderMayBeCutShort) {
  Fill();
  database_.reset();
  MakeOther(1, /*deleted=*/false);
  MakeOther(4, /*deleted=*/false, kSystemLogBytesMax);
  TakeFromOther("system");
  const auto foreign = SystemFiles();
  ASSERT_GE(foreign.size(), 2u);
  fs::copy(folder_, Whole(), fs::copy_options::recursive);
  bool finished = false;
  for (int64_t cut = 0; !finished; ++cut) {
    SCOPED_TRACE(cut);
    ASSERT_LT(cut, 1000);
    CopyBack();
    {
      StoppingFileSystem stopping(*files_, cut);
      auto repair = FolderRepair::Examine(stopping, *random_, *log_, folder_);
      ASSERT_TRUE(repair.ok()) << repair.status().ToString();
      finished = (*repair)->Mend().ok();
    }
    auto started = TryOpen();
    if (started.ok()) {
      EXPECT_EQ((*started)->ListCollections(), (std::vector<std::string>{"a", "b"}));
      started = CancelledError("closed");
    } else {
      EXPECT_EQ(started.status().code(), ErrorCode::kCorruption);
      Mend();
    }
    EXPECT_TRUE(Examine()->damages().empty());
    ExpectAll();
    database_.reset();
    std::map<std::string, std::string> kept;
    for (const auto& file : fs::recursive_directory_iterator(folder_ + "/repaired")) {
      if (file.is_regular_file()) kept[file.path().filename()] = Content(file.path());
    }
    EXPECT_TRUE(kept == foreign);
  }
}

TEST_F(ForeignListTest, ALongCatalogDoesNotKeepARepairFromWorking) {
  Fill();
  database_.reset();
  fs::resize_file(Catalog(), (uint64_t{256} << 20) + 4096);
  Mend();
  ExpectAll();
}

}  // namespace
}  // namespace akidb::engine
