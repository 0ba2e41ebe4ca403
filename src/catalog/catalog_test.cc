#include "catalog/catalog.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace akidb::catalog {
namespace {

class CatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_catalog_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Catalog> MustOpen() {
    Result<std::unique_ptr<Catalog>> catalog = Catalog::Open(*files_, path());
    EXPECT_TRUE(catalog.ok()) << catalog.status().ToString();
    return std::move(catalog).value();
  }
  std::string path() const { return folder_ + "/catalog.db"; }

  static Uuid MakeUuid(uint8_t last) {
    Uuid uuid;
    uuid.bytes[15] = last;
    return uuid;
  }

 protected:
  std::unique_ptr<env::FileSystem> files_ = env::MakePosixFileSystem();

 private:
  std::string folder_;
};

TEST_F(CatalogTest, KeepsCollectionsAndAppliedSeqAcrossOpen) {
  {
    auto catalog = MustOpen();
    EXPECT_EQ(catalog->applied_seq(), 0u);
    ASSERT_TRUE(catalog->AddCollection(3, {MakeUuid(1), "b", "{}"}).ok());
    ASSERT_TRUE(catalog->AddCollection(4, {MakeUuid(2), "a", "{\"x\":1}"}).ok());
  }
  auto catalog = MustOpen();
  EXPECT_EQ(catalog->applied_seq(), 4u);
  auto rows = catalog->Collections();
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].name, "a");
  EXPECT_EQ((*rows)[0].config_json, "{\"x\":1}");
  EXPECT_EQ((*rows)[0].uuid, MakeUuid(2));
}

TEST_F(CatalogTest, KeepsAliasesUntilTheirCollectionGoes) {
  {
    auto catalog = MustOpen();
    ASSERT_TRUE(catalog->AddCollection(1, {MakeUuid(1), "one", "{}"}).ok());
    ASSERT_TRUE(catalog->AddCollection(2, {MakeUuid(2), "two", "{}"}).ok());
    const AliasRow rows[] = {{"b", MakeUuid(1)}, {"a", MakeUuid(2)}, {"c", MakeUuid(9)}};
    ASSERT_TRUE(catalog->SetAliases(3, rows).ok());
    const AliasRow changes[] = {{"b", MakeUuid(2)}, {"none", std::nullopt}};
    ASSERT_TRUE(catalog->SetAliases(4, changes).ok());
  }
  auto catalog = MustOpen();
  EXPECT_EQ(catalog->applied_seq(), 4u);
  auto aliases = catalog->Aliases();
  ASSERT_TRUE(aliases.ok());
  ASSERT_EQ(aliases->size(), 2u);
  EXPECT_EQ((*aliases)[0].name, "a");
  EXPECT_EQ((*aliases)[1].collection, MakeUuid(2));
  ASSERT_TRUE(catalog->RemoveCollection(5, MakeUuid(2)).ok());
  EXPECT_TRUE(catalog->Aliases()->empty());
}

TEST_F(CatalogTest, RemovingACollectionRemovesItsBindings) {
  auto catalog = MustOpen();
  ASSERT_TRUE(catalog->AddCollection(1, {MakeUuid(1), "a", "{}"}).ok());
  ASSERT_TRUE(catalog->BindModel(2, {MakeUuid(1), "", "m", "f"}).ok());
  ASSERT_EQ(catalog->ModelBindings()->size(), 1u);
  ASSERT_TRUE(catalog->RemoveCollection(3, MakeUuid(1)).ok());
  EXPECT_TRUE(catalog->ModelBindings()->empty());
  EXPECT_TRUE(catalog->Collections()->empty());
}

TEST_F(CatalogTest, AReplacementTakesNameAndAliasesAndBringsItsOwnBindings) {
  {
    auto catalog = MustOpen();
    ASSERT_TRUE(catalog->AddCollection(1, {MakeUuid(1), "a", "{}"}).ok());
    ASSERT_TRUE(catalog->BindModel(2, {MakeUuid(1), "", "old", "f"}).ok());
    const AliasRow rows[] = {{"x", MakeUuid(1)}};
    ASSERT_TRUE(catalog->SetAliases(3, rows).ok());
    ASSERT_TRUE(catalog
                    ->ReplaceCollection(4, {.row = {MakeUuid(2), "a", R"({"x":1})"},
                                            .replaced = MakeUuid(1),
                                            .models = {{MakeUuid(2), "v", "new", "g"}}})
                    .ok());
    ASSERT_TRUE(
        catalog
            ->ReplaceCollection(
                5, {.row = {MakeUuid(3), "b", "{}"}, .replaced = std::nullopt, .models = {}})
            .ok());
  }
  auto catalog = MustOpen();
  auto collections = catalog->Collections();
  ASSERT_EQ(collections->size(), 2u);
  EXPECT_EQ((*collections)[0].uuid, MakeUuid(2));
  EXPECT_EQ((*collections)[0].name, "a");
  EXPECT_EQ((*collections)[0].config_json, R"({"x":1})");
  EXPECT_EQ((*collections)[1].uuid, MakeUuid(3));
  ASSERT_EQ(catalog->ModelBindings()->size(), 1u);
  EXPECT_EQ((*catalog->ModelBindings())[0].model_id, "new");
  ASSERT_EQ(catalog->Aliases()->size(), 1u);
  EXPECT_EQ((*catalog->Aliases())[0].collection, MakeUuid(2));
}

TEST_F(CatalogTest, AFailedReplacementChangesNothing) {
  auto catalog = MustOpen();
  ASSERT_TRUE(catalog->AddCollection(1, {MakeUuid(1), "a", "{}"}).ok());
  ASSERT_TRUE(catalog->AddCollection(2, {MakeUuid(2), "b", "{}"}).ok());
  // The name is another one's.
  EXPECT_FALSE(catalog
                   ->ReplaceCollection(
                       3, {.row = {MakeUuid(3), "b", "{}"}, .replaced = MakeUuid(1), .models = {}})
                   .ok());
  EXPECT_EQ(catalog->applied_seq(), 2u);
  EXPECT_EQ((*catalog->Collections())[0].uuid, MakeUuid(1));
}

TEST_F(CatalogTest, FailedChangeLeavesAppliedSeqAlone) {
  auto catalog = MustOpen();
  ASSERT_TRUE(catalog->AddCollection(1, {MakeUuid(1), "a", "{}"}).ok());
  EXPECT_FALSE(catalog->AddCollection(2, {MakeUuid(2), "a", "{}"}).ok());
  EXPECT_EQ(catalog->applied_seq(), 1u);
  catalog.reset();
  EXPECT_EQ(MustOpen()->applied_seq(), 1u);
}

TEST_F(CatalogTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path()) << std::string(8192, 'x');
  EXPECT_EQ(Catalog::Open(*files_, path()).status().code(), ErrorCode::kCorruption);
}

// Byte 20 of the file says how many bytes each page leaves free.
TEST_F(CatalogTest, RefusesOneWithoutChecksums) {
  ASSERT_TRUE(MustOpen()->AddCollection(1, {MakeUuid(1), "a", "{}"}).ok());
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20);
    file.put(0);
  }
  EXPECT_EQ(Catalog::Open(*files_, path()).status().code(), ErrorCode::kCorruption);
}

TEST_F(CatalogTest, NamesMayHoldAnyBytes) {
  auto catalog = MustOpen();
  std::string name = "a'b\"; DROP TABLE collections; -- \xC3\xA9";
  ASSERT_TRUE(catalog->AddCollection(1, {MakeUuid(1), name, "{}"}).ok());
  EXPECT_EQ(catalog->Collections()->at(0).name, name);
}

}  // namespace
}  // namespace akidb::catalog
