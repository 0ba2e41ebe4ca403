#include "engine/system_repair.h"

#include "engine/folder_repair_fixture.h"

namespace akidb::engine {
namespace {

// What the system log has lost, or may have, and the catalog knows.
class SystemRepairTest : public FolderRepairTest {
 protected:
  // Two collections, a model and an alias.
  void Fill() {
    Create("first");
    FillFurther();
  }
  void FillFurther() {
    Upsert("first", 1, 2);
    ASSERT_TRUE(database_->BindModel(UuidOf("first"), "", "m", "f").ok());
    Create("later");
    Upsert("later", 1, 3);
    AddAlias();
    database_.reset();
  }
  void AddAlias() {
    const AliasChange alias[] = {CreateAlias{"later", "other"}};
    ASSERT_TRUE(database_->ChangeAliases(alias).ok());
  }
  std::string System() const { return folder_ + "/system"; }
  fs::path Log() const { return FilesOf(System(), ".log").back(); }

  // A start is refused; a repair finds it and mends it with nothing lost, wherever it is cut off.
  void ExpectMended() {
    fs::copy(folder_, Whole(), fs::copy_options::recursive);
    bool finished = false;
    for (int64_t cut = 0; !finished; ++cut) {
      ASSERT_LT(cut, 1000);
      CopyBack();
      EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
      StoppingFileSystem stopping(*files_, cut);
      {
        auto repair = FolderRepair::Examine(stopping, *random_, *log_, folder_);
        ASSERT_TRUE(repair.ok()) << repair.status().ToString();
        ASSERT_EQ((*repair)->damages().size(), 1u);
        EXPECT_EQ((*repair)->damages().front().part, "system log");
        EXPECT_NE((*repair)->damages().front().lost.find("as far as is known nothing"),
                  std::string::npos)
            << (*repair)->damages().front().lost;
        EXPECT_EQ((*repair)->DropCatalog().status().code(), ErrorCode::kInvalidArgument);
        finished = (*repair)->Mend().ok();
      }
      auto again = Examine();
      if (!again->damages().empty()) ASSERT_TRUE(again->Mend().ok()) << cut;
      again = nullptr;
      ASSERT_TRUE(Examine()->damages().empty());
      ExpectAll();
    }
    auto repair = Examine();
    ASSERT_TRUE(repair->DropCatalog().ok());
    repair = nullptr;
    ExpectAll();
  }
  void ExpectAll() {
    Open();
    EXPECT_EQ(database_->ListCollections(), (std::vector<std::string>{"first", "later"}));
    EXPECT_EQ(CountOf("first"), 2u);
    EXPECT_EQ(CountOf("other"), 3u);
    EXPECT_EQ(database_->ModelOf("first", "")->id, "m");
    ASSERT_TRUE(database_->DeleteCollection("first").ok());
    Open();
    EXPECT_EQ(database_->ListCollections(), std::vector<std::string>{"later"});
    CreateAgain();
  }
  void CreateAgain() {
    Create("first");
    Upsert("first", 1, 2);
    ASSERT_TRUE(database_->BindModel(UuidOf("first"), "", "m", "f").ok());
    database_.reset();
  }
};

TEST_F(SystemRepairTest, ADamagedHeaderCostsNothing) {
  Fill();
  FlipByte(Log(), 100);
  ExpectMended();
}

TEST_F(SystemRepairTest, ADamagedRecordCostsNothing) {
  Fill();
  FlipByte(Log(), kFirstRecord + 40);
  ExpectMended();
}

TEST_F(SystemRepairTest, ALogThatLostItsEndCostsNothing) {
  Create("first");
  fs::copy(System(), folder_ + "_before");
  FillFurther();
  fs::remove_all(System());
  fs::rename(folder_ + "_before", System());
  const auto bytes = fs::file_size(Log());
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(fs::file_size(Log()), bytes);
  ExpectMended();
}

TEST_F(SystemRepairTest, AMissingLogCostsNothing) {
  Fill();
  fs::remove_all(System());
  ExpectMended();
}

TEST_F(SystemRepairTest, AMissingLogBehindACheckpointCostsNothing) {
  system_log_bytes_max_ = 1;
  Open();
  Fill();
  ASSERT_TRUE(fs::exists(System() + "/CHECKPOINT"));
  fs::remove(Log());
  ExpectMended();
}

// The server mends it by itself: the catalog has what it had.
TEST_F(SystemRepairTest, ADamagedCheckpointCostsNothing) {
  system_log_bytes_max_ = 1;
  Open();
  Fill();
  const std::string checkpoint = System() + "/CHECKPOINT";
  for (const bool missing : {false, true}) {
    if (missing) {
      fs::remove(checkpoint);
    } else {
      FlipByte(checkpoint, 50);
    }
    auto repair = Examine();
    ASSERT_EQ(repair->damages().size(), 1u);
    EXPECT_TRUE(repair->damages().front().lost.starts_with("nothing"));
    EXPECT_EQ(repair->DropCatalog().status().code(), ErrorCode::kInvalidArgument);
    if (missing) ASSERT_TRUE(repair->Mend().ok());
    repair = nullptr;
    ExpectAll();
    EXPECT_TRUE(ReadSystemCheckpoint(*files_, System()).ok());
    EXPECT_TRUE(Examine()->damages().empty());
    Open();
    AddAlias();
    database_.reset();
  }
}

// It knows later records, but of other collections.
TEST_F(SystemRepairTest, ACatalogOfAnotherFolderIsNotBelieved) {
  Fill();
  const std::string other = folder_ + "_other";
  {
    auto database = Database::Open({.directory = other}, {*files_, *random_, *log_});
    ASSERT_TRUE(database.ok());
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
    for (int i = 0; i < 9; ++i) {
      ASSERT_TRUE((*database)->CreateCollection("c" + std::to_string(i), config).ok());
    }
  }
  const std::string catalog = folder_ + "/catalog.db";
  fs::remove(catalog);
  fs::copy(other + "/catalog.db", catalog);
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  EXPECT_EQ(repair->damages().front().part, "catalog");
  ASSERT_TRUE(repair->Mend().ok());
  repair = nullptr;
  EXPECT_TRUE(Examine()->damages().empty());
  ExpectAll();
  // Nor is it where it would be the only one to know.
  fs::remove(catalog);
  fs::copy(other + "/catalog.db", catalog);
  FlipByte(Log(), 100);
  repair = Examine();
  ASSERT_EQ(repair->damages().size(), 2u);
  fs::remove_all(other);
}

TEST_F(SystemRepairTest, WithoutCheckpointAndCatalogNothingIsKnown) {
  system_log_bytes_max_ = 1;
  Open();
  Fill();
  fs::remove(System() + "/CHECKPOINT");
  fs::remove(folder_ + "/catalog.db");
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  auto repair = Examine();
  ASSERT_EQ(repair->damages().size(), 1u);
  EXPECT_FALSE(repair->damages().front().mendable);
  ASSERT_TRUE(repair->Mend().ok());
  repair = nullptr;
  EXPECT_EQ(TryOpen().status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ + "/collections"), {}), 2);
}

}  // namespace
}  // namespace akidb::engine
