#include "storage/snapshot/snapshot_file.h"

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"
#include "storage/snapshot/collector_fixture.h"

namespace akidb::storage {
namespace {

class SnapshotFileTest : public testing::Test {
 protected:
  SnapshotFileTest() {
    EXPECT_TRUE(fs_.CreateDirectories("/a").ok());
    contents_.collection = "manual";
    contents_.seq = 7;
    contents_.models = {{"", "m", "f"}};
    for (auto [name, content] : {std::pair{"MANIFEST", "abc"}, std::pair{"b.seg", "defgh"}}) {
      const auto bytes = std::as_bytes(std::span(std::string_view(content)));
      EXPECT_TRUE(env::WriteFileAtomically(fs_, std::string("/a/") + name, bytes).ok());
      Sha256 hash;
      hash.Update(bytes);
      contents_.files.push_back({name, bytes.size(), hash.Digest()});
    }
  }

  static SnapshotSource SourceOf(const FileRef& file) { return {.path = "/a/" + file.name}; }
  Result<FileRef> Write() {
    return WriteSnapshotFile(context_, fs_, {"/a/s", contents_, SourceOf});
  }
  Result<std::string> Read() {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<SnapshotFile> file, SnapshotFile::Open(fs_, "/a/s"));
    Collector collector;
    AKIDB_RETURN_IF_ERROR(file->Read(context_, collector));
    EXPECT_EQ(file->contents(), contents_);
    return collector.text;
  }

  RequestContext context_;
  env::SimulatedFileSystem fs_{1};
  SnapshotContents contents_;
};

TEST_F(SnapshotFileTest, GivesBackWhatWasWritten) {
  auto written = Write();
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_EQ(*Read(), "MANIFEST:abc;b.seg:defgh;");
  EXPECT_EQ(written->sha256, *HashFile(context_, fs_, "/a/s"));
}

TEST_F(SnapshotFileTest, EveryFlippedBitIsRefused) {
  auto written = Write();
  ASSERT_TRUE(written.ok());
  for (uint64_t bit = 0; bit < written->bytes * 8; ++bit) {
    ASSERT_TRUE(fs_.FlipBit("/a/s", bit).ok());
    auto code = Read().status().code();
    EXPECT_TRUE(code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported) << bit;
    ASSERT_TRUE(fs_.FlipBit("/a/s", bit).ok());
  }
  EXPECT_TRUE(Read().ok());
}

TEST_F(SnapshotFileTest, EveryTruncationIsRefused) {
  auto written = Write();
  ASSERT_TRUE(written.ok());
  auto file = *fs_.Open("/a/s", env::OpenMode::kReadWrite);
  for (uint64_t bytes = written->bytes; bytes > 0; --bytes) {
    ASSERT_TRUE(file->Truncate(bytes - 1).ok());
    EXPECT_EQ(Read().status().code(), ErrorCode::kCorruption) << bytes;
  }
}

TEST_F(SnapshotFileTest, AFileThatIsNotAsTheListSaysMakesNoSnapshot) {
  ASSERT_TRUE(fs_.FlipBit("/a/b.seg", 3).ok());
  EXPECT_EQ(Write().status().code(), ErrorCode::kCorruption);
  EXPECT_FALSE(*fs_.Exists("/a/s"));
  EXPECT_FALSE(*fs_.Exists("/a/s.tmp"));
}

// The archive is there, whole and under its name, or it isn't, wherever the power goes.
TEST_F(SnapshotFileTest, PowerCutsLeaveAWholeOneOrNone) {
  for (uint64_t cut = 0; cut < 40; ++cut) {
    auto disk = fs_.CloneAfterCrash(cut);
    disk->PowerOffAfter(cut);
    const bool ok = WriteSnapshotFile(context_, *disk, {"/a/s", contents_, SourceOf}).ok();
    disk->Crash(cut);
    auto exists = disk->Exists("/a/s");
    ASSERT_TRUE(exists.ok());
    if (ok) EXPECT_TRUE(*exists);
    if (!*exists) continue;
    auto file = SnapshotFile::Open(*disk, "/a/s");
    ASSERT_TRUE(file.ok()) << cut;
    Collector collector;
    EXPECT_TRUE((*file)->Read(context_, collector).ok()) << cut;
  }
}

}  // namespace
}  // namespace akidb::storage
