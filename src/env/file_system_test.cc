// What both forms of the file system promise.
#include "env/file_system.h"

#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "env/simulated_file_system.h"

namespace akidb::env {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      fs_ = MakePosixFileSystem();
      std::string form = testing::TempDir() + "akidb_fs_XXXXXX";
      ASSERT_NE(mkdtemp(form.data()), nullptr);
      root_ = form;
    } else {
      fs_ = std::make_unique<SimulatedFileSystem>(1);
      root_ = "/data";
      ASSERT_TRUE(fs_->CreateDirectories(root_).ok());
    }
  }
  void TearDown() override {
    if (GetParam()) std::filesystem::remove_all(root_);
  }

  std::string Path(std::string_view name) const { return JoinPath(root_, name); }
  std::unique_ptr<File> Create(const std::string& path) {
    auto file = fs_->Open(path, OpenMode::kCreate);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return std::move(file).value();
  }
  std::string Content(const std::string& path) {
    auto text = ReadWholeFile(*fs_, path, 1 << 20);
    return text.ok() ? *text : text.status().ToString();
  }

  std::unique_ptr<FileSystem> fs_;
  std::string root_;
};

TEST_P(FileSystemTest, AHintOfWritebackChangesNothing) {
  auto file = Create(Path("a"));
  ASSERT_TRUE(file->WriteAt(0, Bytes("hello")).ok());
  file->StartWriteback({0, 5});
  file->StartWriteback({1 << 20, 5});  // behind the end
  EXPECT_TRUE(file->SyncData().ok());
  EXPECT_EQ(Content(Path("a")), "hello");
}

TEST_P(FileSystemTest, TellsFoldersFromOtherThings) {
  Create(Path("a"));
  ASSERT_TRUE(fs_->CreateDirectories(Path("folder")).ok());
  EXPECT_TRUE(*fs_->IsDirectory(Path("folder")));
  EXPECT_FALSE(*fs_->IsDirectory(Path("a")));
  EXPECT_FALSE(*fs_->IsDirectory(Path("b")));
  EXPECT_FALSE(*fs_->IsDirectory(Path("a/b")));
  EXPECT_TRUE(fs_->Open(Path("a"), OpenMode::kReadNoLink).ok());
  EXPECT_FALSE(fs_->Open(Path("folder"), OpenMode::kReadNoLink).ok());
  EXPECT_EQ(fs_->Open(Path("b"), OpenMode::kReadNoLink).status().code(), ErrorCode::kNotFound);
  if (!GetParam()) return;
  std::filesystem::create_symlink("folder", Path("to_folder"));
  std::filesystem::create_symlink("a", Path("to_a"));
  EXPECT_FALSE(*fs_->IsDirectory(Path("to_folder")));
  EXPECT_TRUE(fs_->Open(Path("to_a"), OpenMode::kRead).ok());
  EXPECT_EQ(fs_->Open(Path("to_a"), OpenMode::kReadNoLink).status().code(), ErrorCode::kCorruption);
}

TEST_P(FileSystemTest, ReadsBackWhatWasWrittenAnywhere) {
  auto file = Create(Path("a"));
  ASSERT_TRUE(file->WriteAt(0, Bytes("hello")).ok());
  ASSERT_TRUE(file->WriteAt(8, Bytes("world")).ok());
  ASSERT_TRUE(file->WriteAt(1, Bytes("E")).ok());
  EXPECT_EQ(*file->Size(), 13u);
  EXPECT_EQ(Content(Path("a")), std::string("hEllo\0\0\0world", 13));
  std::string out(10, 'x');
  EXPECT_EQ(*file->ReadAt(8, std::as_writable_bytes(std::span(out))), 5u);
  EXPECT_EQ(out.substr(0, 5), "world");
  EXPECT_EQ(*file->ReadAt(100, std::as_writable_bytes(std::span(out))), 0u);
  EXPECT_TRUE(file->SyncData().ok());
  EXPECT_TRUE(file->DropCache().ok());
  EXPECT_EQ(Content(Path("a")), std::string("hEllo\0\0\0world", 13));
}

TEST_P(FileSystemTest, AllocationGrowsWithZerosAndNeverShrinks) {
  auto file = Create(Path("a"));
  ASSERT_TRUE(file->WriteAt(0, Bytes("abc")).ok());
  ASSERT_TRUE(file->Allocate(10).ok());
  EXPECT_EQ(Content(Path("a")), std::string("abc\0\0\0\0\0\0\0", 10));
  ASSERT_TRUE(file->Allocate(4).ok());
  EXPECT_EQ(*file->Size(), 10u);
  ASSERT_TRUE(file->Truncate(2).ok());
  EXPECT_EQ(Content(Path("a")), "ab");
  ASSERT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(Content(Path("a")), std::string("ab\0\0", 4));
}

TEST_P(FileSystemTest, OpenModesSayWhatMustExist) {
  EXPECT_EQ(fs_->Open(Path("a"), OpenMode::kRead).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(fs_->Open(Path("a"), OpenMode::kReadWrite).status().code(), ErrorCode::kNotFound);
  Status missing = fs_->Open(Path("no/such/folder"), OpenMode::kCreate).status();
  EXPECT_EQ(missing.code(), ErrorCode::kNotFound);
  EXPECT_NE(missing.message().find("no/such/folder"), std::string_view::npos);
  Create(Path("a"));
  EXPECT_EQ(fs_->Open(Path("a"), OpenMode::kCreate).status().code(), ErrorCode::kAlreadyExists);
  auto reader = fs_->Open(Path("a"), OpenMode::kRead);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->WriteAt(0, Bytes("x")).code(), ErrorCode::kIo);
  EXPECT_EQ(fs_->Open(root_, OpenMode::kRead).status().code(), ErrorCode::kIo);
}

TEST_P(FileSystemTest, RenameReplacesAndOpenFilesGoOn) {
  auto old_file = Create(Path("a"));
  ASSERT_TRUE(old_file->WriteAt(0, Bytes("old")).ok());
  ASSERT_TRUE(Create(Path("b"))->WriteAt(0, Bytes("new")).ok());
  ASSERT_TRUE(fs_->Rename(Path("b"), Path("a")).ok());
  EXPECT_EQ(Content(Path("a")), "new");
  EXPECT_FALSE(*fs_->Exists(Path("b")));
  EXPECT_EQ(*old_file->Size(), 3u);
  EXPECT_EQ(fs_->Rename(Path("b"), Path("c")).code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemTest, FoldersAreMadeListedAndRemoved) {
  ASSERT_TRUE(fs_->CreateDirectories(Path("x/y/z")).ok());
  ASSERT_TRUE(fs_->CreateDirectories(Path("x/y/z")).ok());
  Create(Path("x/b"));
  Create(Path("x/a"));
  Create(Path("x/y/z/deep"));
  EXPECT_EQ(*fs_->List(Path("x")), (std::vector<std::string>{"a", "b", "y"}));
  EXPECT_FALSE(fs_->CreateDirectories(Path("x/a/q")).ok());
  EXPECT_TRUE(fs_->SyncDirectory(Path("x")).ok());
  EXPECT_EQ(fs_->SyncDirectory(Path("nowhere")).code(), ErrorCode::kNotFound);
  EXPECT_EQ(fs_->List(Path("nowhere")).status().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(fs_->Remove(Path("x/a")).ok());
  EXPECT_EQ(fs_->Remove(Path("x/a")).code(), ErrorCode::kNotFound);
  ASSERT_TRUE(fs_->RemoveAll(Path("x")).ok());
  EXPECT_FALSE(*fs_->Exists(Path("x")));
  EXPECT_TRUE(fs_->RemoveAll(Path("x")).ok());
}

TEST_P(FileSystemTest, ALockExcludesUntilItIsReleased) {
  auto lock = fs_->Lock(Path("LOCK"));
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(fs_->Lock(Path("LOCK")).status().code(), ErrorCode::kBusy);
  lock->reset();
  EXPECT_TRUE(fs_->Lock(Path("LOCK")).ok());
  EXPECT_TRUE(*fs_->Exists(Path("LOCK")));
}

TEST_P(FileSystemTest, AMapShowsTheWholeFile) {
  ASSERT_TRUE(Create(Path("a"))->WriteAt(0, Bytes("mapped")).ok());
  Create(Path("empty"));
  auto map = fs_->Map(Path("a"));
  ASSERT_TRUE(map.ok());
  ASSERT_EQ((*map)->bytes().size(), 6u);
  EXPECT_EQ((*map)->bytes()[0], std::byte{'m'});
  EXPECT_TRUE((*fs_->Map(Path("empty")))->bytes().empty());
  EXPECT_EQ(fs_->Map(Path("none")).status().code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemTest, WritesAFileAtomicallyOverLeftovers) {
  ASSERT_TRUE(Create(Path("a.tmp"))->WriteAt(0, Bytes("leftover of an earlier attempt")).ok());
  ASSERT_TRUE(WriteFileAtomically(*fs_, Path("a"), Bytes("one")).ok());
  ASSERT_TRUE(WriteFileAtomically(*fs_, Path("a"), Bytes("second")).ok());
  EXPECT_EQ(Content(Path("a")), "second");
  EXPECT_EQ(*fs_->List(root_), std::vector<std::string>{"a"});
  EXPECT_FALSE(WriteFileAtomically(*fs_, Path("none/a"), Bytes("x")).ok());
}

TEST_P(FileSystemTest, RefusesToReadAFileOverTheBound) {
  ASSERT_TRUE(Create(Path("a"))->WriteAt(0, Bytes("12345")).ok());
  EXPECT_EQ(ReadWholeFile(*fs_, Path("a"), 4).status().code(), ErrorCode::kTooLarge);
  EXPECT_EQ(*ReadWholeFile(*fs_, Path("a"), 5), "12345");
}

TEST_P(FileSystemTest, KnowsTheFreeSpace) {
  auto free_bytes = fs_->FreeBytes(root_);
  ASSERT_TRUE(free_bytes.ok());
  EXPECT_GT(*free_bytes, 0u);
}

INSTANTIATE_TEST_SUITE_P(Forms, FileSystemTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Posix" : "Simulated"; });

TEST(Paths, SplitAndJoin) {
  EXPECT_EQ(DirectoryOf("a/b/c"), "a/b");
  EXPECT_EQ(DirectoryOf("/c"), "/");
  EXPECT_EQ(DirectoryOf("c"), ".");
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

}  // namespace
}  // namespace akidb::env
