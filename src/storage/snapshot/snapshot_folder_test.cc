#include "storage/snapshot/snapshot_folder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/simulated_file_system.h"
#include "storage/snapshot/archive.h"
#include "storage/snapshot/collector_fixture.h"

namespace akidb::storage {
namespace {

constexpr char kFolder[] = "/backup";

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

Result<std::string> Read(env::FileSystem& fs, const std::string& folder, std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> opened,
                         SnapshotFolder::Open(fs, folder));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> archive, opened->OpenArchive(name));
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFile> snapshot,
                         SnapshotFile::Open(std::move(archive), std::string(name)));
  Collector collector;
  AKIDB_RETURN_IF_ERROR(snapshot->Read(RequestContext(), collector));
  return collector.text;
}

// Snapshots of files that lie in /a.
class SnapshotFolderTest : public testing::Test {
 protected:
  using Files = std::map<std::string, std::string>;

  SnapshotFolderTest() {
    EXPECT_TRUE(fs_.CreateDirectories("/a").ok());
    EXPECT_TRUE(fs_.SyncDirectory("/").ok());
  }

  static SnapshotContents ContentsOf(const Files& files, uint64_t seq) {
    SnapshotContents contents;
    contents.collection = "manual";
    contents.seq = seq;
    contents.created_s = 1'700'000'000;
    for (const auto& [name, content] : files) {
      Sha256 hash;
      hash.Update(Bytes(content));
      contents.files.push_back({name, content.size(), hash.Digest()});
    }
    return contents;
  }
  static SnapshotSource SourceOf(const FileRef& file) { return {.path = "/a/" + file.name}; }
  static void WriteFiles(env::FileSystem& fs, const Files& files) {
    for (const auto& [name, content] : files) {
      ASSERT_TRUE(env::WriteFileAtomically(fs, "/a/" + name, Bytes(content)).ok());
    }
  }
  Result<FileRef> Add(env::FileSystem& fs, const Files& files, uint64_t seq) {
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                           SnapshotFolder::OpenToChange(fs, kFolder));
    AKIDB_ASSIGN_OR_RETURN(FileRef added, folder->Add(context_, ContentsOf(files, seq), SourceOf));
    copied_ = folder->copied();
    return added;
  }
  Result<FileRef> WriteAndAdd(const Files& files, uint64_t seq) {
    WriteFiles(fs_, files);
    return Add(fs_, files, seq);
  }
  static Status Remove(env::FileSystem& fs, std::string_view name) {
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                           SnapshotFolder::OpenToChange(fs, kFolder));
    return folder->Remove(name);
  }
  size_t FilesThere() { return fs_.List("/backup/files")->size(); }
  static std::string TextOf(const Files& files) {
    std::string text;
    for (const auto& [name, content] : files) text += name + ":" + content + ";";
    return text;
  }

  const Files first_ = {{"MANIFEST", "one"}, {"b.seg", "shared"}, {"c.seg", "old"}};
  const Files second_ = {{"MANIFEST", "two!"}, {"b.seg", "shared"}, {"d.seg", ""}};
  RequestContext context_;
  env::SimulatedFileSystem fs_{1};
  uint64_t copied_ = 0;
};

TEST_F(SnapshotFolderTest, TakesOnlyWhatIsNewAndGivesBackEach) {
  auto first = WriteAndAdd(first_, 1);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_EQ(copied_, 12u);
  EXPECT_EQ(first->bytes, 12u);
  EXPECT_EQ(first->name.substr(0, 27), "manual-2023-11-14-22-13-20-");
  auto second = WriteAndAdd(second_, 2);
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  EXPECT_EQ(copied_, 4u);  // "two!", and a file of no bytes
  EXPECT_EQ(*Read(fs_, kFolder, first->name), TextOf(first_));
  EXPECT_EQ(*Read(fs_, kFolder, second->name), TextOf(second_));
  auto folder = SnapshotFolder::Open(fs_, kFolder);
  EXPECT_EQ((*folder)->Contents(second->name)->seq, 2u);
  EXPECT_EQ(*(*folder)->HashOfList(second->name), second->sha256);
  std::vector<std::string> names = {first->name, second->name};
  std::sort(names.begin(), names.end());
  EXPECT_EQ(*(*folder)->List(), names);
}

TEST_F(SnapshotFolderTest, IsReadAsTheArchiveThatItWouldBe) {
  auto added = WriteAndAdd(first_, 1);
  ASSERT_TRUE(added.ok());
  ASSERT_TRUE(WriteSnapshotFile(context_, fs_, {"/archive", ContentsOf(first_, 1), SourceOf}).ok());
  const std::string expected = *env::ReadWholeFile(fs_, "/archive", 1 << 20);
  auto folder = SnapshotFolder::Open(fs_, kFolder);
  auto archive = (*folder)->OpenArchive(added->name);
  ASSERT_TRUE(archive.ok());
  ASSERT_EQ(*(*archive)->Size(), expected.size());
  for (size_t step : {size_t{1}, size_t{7}, size_t{512}, size_t{5000}}) {
    std::string text;
    std::string piece(step, '\0');
    for (;;) {
      auto got = (*archive)->ReadAt(text.size(), std::as_writable_bytes(std::span(piece)));
      ASSERT_TRUE(got.ok());
      if (*got == 0) break;
      text.append(piece, 0, *got);
    }
    EXPECT_EQ(text, expected) << step;
  }
  EXPECT_FALSE((*archive)->WriteAt(0, Bytes("x")).ok());
}

TEST_F(SnapshotFolderTest, TakesOverAnArchive) {
  ASSERT_TRUE(WriteAndAdd(second_, 2).ok());
  WriteFiles(fs_, first_);
  ASSERT_TRUE(WriteSnapshotFile(context_, fs_, {"/good", ContentsOf(first_, 1), SourceOf}).ok());
  auto folder = SnapshotFolder::OpenToChange(fs_, kFolder);
  auto archive = SnapshotFile::Open(fs_, "/good");
  auto added = (*folder)->Import(context_, **archive);
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  EXPECT_EQ((*folder)->copied(), 6u);  // "one" and "old"
  EXPECT_EQ(*Read(fs_, kFolder, added->name), TextOf(first_));
  // A damaged one leaves nothing.
  const size_t files = FilesThere();
  WriteFiles(fs_, {{"MANIFEST", "new"}});
  Files changed = first_;
  changed["MANIFEST"] = "new";
  ASSERT_TRUE(WriteSnapshotFile(context_, fs_, {"/bad", ContentsOf(changed, 3), SourceOf}).ok());
  const size_t at = env::ReadWholeFile(fs_, "/bad", 1 << 20)->rfind("new");
  ASSERT_TRUE(fs_.FlipBit("/bad", at * 8).ok());
  auto bad = SnapshotFile::Open(fs_, "/bad");
  EXPECT_EQ((*folder)->Import(context_, **bad).status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(FilesThere(), files);
  EXPECT_EQ((*folder)->List()->size(), 2u);
}

TEST_F(SnapshotFolderTest, DeletingFreesWhatNoOtherHas) {
  auto first = WriteAndAdd(first_, 1);
  auto second = WriteAndAdd(second_, 2);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(FilesThere(), 5u);
  ASSERT_TRUE(Remove(fs_, first->name).ok());
  EXPECT_EQ(FilesThere(), 3u);
  EXPECT_EQ(*Read(fs_, kFolder, second->name), TextOf(second_));
  EXPECT_EQ(Remove(fs_, first->name).code(), ErrorCode::kNotFound);
  for (const char* name : {"", ".", "..", "../x", "a/b", "x\n"}) {
    EXPECT_EQ(Remove(fs_, name).code(), ErrorCode::kNotFound) << name;
    EXPECT_EQ(Read(fs_, kFolder, name).status().code(), ErrorCode::kNotFound) << name;
  }
  ASSERT_TRUE(Remove(fs_, second->name).ok());
  EXPECT_EQ(FilesThere(), 0u);
}

TEST_F(SnapshotFolderTest, ADamagedListKeepsFilesUntilItIsDeleted) {
  auto first = WriteAndAdd(first_, 1);
  auto second = WriteAndAdd(second_, 2);
  ASSERT_TRUE(first.ok() && second.ok());
  const std::string list = "/backup/snapshots/" + first->name + ".list";
  ASSERT_TRUE(fs_.FlipBit(list, 100).ok());
  EXPECT_EQ(Read(fs_, kFolder, first->name).status().code(), ErrorCode::kCorruption);
  const Files third = {{"MANIFEST", "three"}};
  auto added = WriteAndAdd(third, 3);
  ASSERT_TRUE(added.ok()) << added.status().ToString();
  EXPECT_EQ(FilesThere(), 6u);
  EXPECT_EQ(Remove(fs_, second->name).code(), ErrorCode::kCorruption);
  EXPECT_EQ(Read(fs_, kFolder, second->name).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(FilesThere(), 6u);
  ASSERT_TRUE(Remove(fs_, first->name).ok());
  EXPECT_EQ(FilesThere(), 1u);
  EXPECT_EQ(*Read(fs_, kFolder, added->name), TextOf(third));
}

TEST_F(SnapshotFolderTest, EveryFlippedBitIsRefused) {
  auto added = WriteAndAdd(first_, 1);
  ASSERT_TRUE(added.ok());
  std::vector<std::string> paths = {"/backup/FORMAT", "/backup/snapshots/" + added->name + ".list"};
  const std::vector<std::string> files = *fs_.List("/backup/files");
  for (const std::string& name : files) paths.push_back("/backup/files/" + name);
  for (const std::string& path : paths) {
    const uint64_t bytes = env::ReadWholeFile(fs_, path, 1 << 20)->size();
    for (uint64_t bit = 0; bit < bytes * 8; ++bit) {
      ASSERT_TRUE(fs_.FlipBit(path, bit).ok());
      const ErrorCode code = Read(fs_, kFolder, added->name).status().code();
      EXPECT_TRUE(code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported)
          << path << " " << bit;
      ASSERT_TRUE(fs_.FlipBit(path, bit).ok());
    }
    auto file = *fs_.Open(path, env::OpenMode::kReadWrite);
    const std::string whole = *env::ReadWholeFile(fs_, path, 1 << 20);
    for (uint64_t cut = 0; cut < bytes; ++cut) {
      ASSERT_TRUE(file->Truncate(cut).ok());
      EXPECT_EQ(Read(fs_, kFolder, added->name).status().code(), ErrorCode::kCorruption) << path;
      ASSERT_TRUE(file->WriteAt(0, Bytes(whole)).ok());
    }
  }
  EXPECT_EQ(*Read(fs_, kFolder, added->name), TextOf(first_));
}

TEST_F(SnapshotFolderTest, AFileOfAnotherSizeIsWrittenAnew) {
  auto added = WriteAndAdd(first_, 1);
  ASSERT_TRUE(added.ok());
  const std::string path = "/backup/files/" + ToHex(ContentsOf(first_, 1).files[1].sha256);
  auto file = *fs_.Open(path, env::OpenMode::kReadWrite);
  ASSERT_TRUE(file->Truncate(2).ok());
  EXPECT_EQ(Read(fs_, kFolder, added->name).status().code(), ErrorCode::kCorruption);
  ASSERT_TRUE(WriteAndAdd(second_, 2).ok());
  EXPECT_EQ(*Read(fs_, kFolder, added->name), TextOf(first_));
}

TEST_F(SnapshotFolderTest, AListMayNameNothingBeyondTheCaps) {
  auto added = WriteAndAdd(first_, 1);
  ASSERT_TRUE(added.ok());
  SnapshotContents contents = ContentsOf(first_, 1);
  contents.files[1].bytes = kArchiveEntryBytesMax + 1;
  const std::string list = "/backup/snapshots/" + added->name + ".list";
  ASSERT_TRUE(env::WriteFileAtomically(fs_, list, EncodeSnapshotContents(contents)).ok());
  EXPECT_EQ(Read(fs_, kFolder, added->name).status().code(), ErrorCode::kCorruption);
  for (const char* name : {"/etc/passwd", "../x", ".hidden", "a/b", "SNAPSHOT"}) {
    contents = ContentsOf(first_, 1);
    contents.files[1].name = name;
    ASSERT_TRUE(env::WriteFileAtomically(fs_, list, EncodeSnapshotContents(contents)).ok());
    EXPECT_EQ(Read(fs_, kFolder, added->name).status().code(), ErrorCode::kCorruption) << name;
  }
  contents.files.assign(kArchiveEntriesMax, ContentsOf(first_, 1).files[1]);
  for (size_t i = 0; i < contents.files.size(); ++i) contents.files[i].name = std::to_string(i);
  ASSERT_TRUE(env::WriteFileAtomically(fs_, list, EncodeSnapshotContents(contents)).ok());
  EXPECT_EQ(Read(fs_, kFolder, added->name).status().code(), ErrorCode::kCorruption);
}

TEST_F(SnapshotFolderTest, OneAtATimeAndNoFolderOfOthers) {
  EXPECT_EQ(SnapshotFolder::Open(fs_, kFolder).status().code(), ErrorCode::kNotFound);
  {
    auto folder = SnapshotFolder::OpenToChange(fs_, kFolder);
    ASSERT_TRUE(folder.ok());
    EXPECT_EQ(SnapshotFolder::OpenToChange(fs_, kFolder).status().code(), ErrorCode::kBusy);
    EXPECT_TRUE(SnapshotFolder::Open(fs_, kFolder).ok());
  }
  EXPECT_TRUE(SnapshotFolder::OpenToChange(fs_, kFolder).ok());
  WriteFiles(fs_, first_);
  EXPECT_EQ(SnapshotFolder::OpenToChange(fs_, "/a").status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(SnapshotFolder::Open(fs_, "/a").status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(fs_.List("/a")->size(), first_.size());
}

TEST_F(SnapshotFolderTest, WhatIsDamagedOrTooLargeIsNotTaken) {
  WriteFiles(fs_, first_);
  ASSERT_TRUE(fs_.FlipBit("/a/b.seg", 3).ok());
  EXPECT_EQ(Add(fs_, first_, 1).status().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(SnapshotFolder::Open(fs_, kFolder).value()->List()->empty());
  WriteFiles(fs_, first_);
  fs_.SetCapacity(200);
  EXPECT_EQ(Add(fs_, {{"MANIFEST", std::string(1000, 'x')}}, 1).status().code(),
            ErrorCode::kStorageFull);
}

// Wherever the power goes, what was there before is whole, and the new one is whole or not there;
// the next to come adds it, and leaves nothing that no snapshot names.
TEST_F(SnapshotFolderTest, PowerCutsWhileOneIsAddedLeaveTheOthersWhole) {
  auto first = WriteAndAdd(first_, 1);
  ASSERT_TRUE(first.ok());
  WriteFiles(fs_, second_);
  bool added = false;
  uint64_t cut = 0;
  for (; !added; ++cut) {
    ASSERT_LT(cut, 1000u);
    for (uint64_t seed = 0; seed < 8; ++seed) {
      auto disk = fs_.CloneAfterCrash(seed);
      disk->PowerOffAfter(cut);
      const bool ok = Add(*disk, second_, 2).ok();
      disk->Crash(cut * 8 + seed);
      EXPECT_EQ(*Read(*disk, kFolder, first->name), TextOf(first_)) << cut;
      auto names = SnapshotFolder::Open(*disk, kFolder).value()->List();
      EXPECT_TRUE(names->size() == 2 || (!ok && names->size() == 1)) << cut;
      for (const std::string& name : *names) {
        EXPECT_TRUE(Read(*disk, kFolder, name).ok()) << cut << " " << name;
      }
      auto again = Add(*disk, second_, 2);
      ASSERT_TRUE(again.ok()) << cut << ": " << again.status().ToString();
      EXPECT_EQ(*Read(*disk, kFolder, again->name), TextOf(second_)) << cut;
      EXPECT_EQ(disk->List("/backup/files")->size(), 5u) << cut;
      EXPECT_EQ(disk->List("/backup/snapshots")->size(), 2u) << cut;
      added = added || ok;
    }
  }
  EXPECT_GT(cut, 5u);
}

TEST_F(SnapshotFolderTest, PowerCutsWhileOneIsDeletedLeaveTheOthersWhole) {
  auto first = WriteAndAdd(first_, 1);
  auto second = WriteAndAdd(second_, 2);
  ASSERT_TRUE(first.ok() && second.ok());
  bool removed = false;
  for (uint64_t cut = 0; !removed; ++cut) {
    ASSERT_LT(cut, 1000u);
    for (uint64_t seed = 0; seed < 8; ++seed) {
      auto disk = fs_.CloneAfterCrash(seed);
      disk->PowerOffAfter(cut);
      const bool ok = Remove(*disk, first->name).ok();
      disk->Crash(cut * 8 + seed);
      EXPECT_EQ(*Read(*disk, kFolder, second->name), TextOf(second_)) << cut;
      const auto found = Read(*disk, kFolder, first->name);
      EXPECT_EQ(found.ok() ? *found : TextOf(first_), TextOf(first_)) << cut;
      EXPECT_TRUE(found.ok() || found.status().code() == ErrorCode::kNotFound) << cut;
      if (ok) EXPECT_FALSE(found.ok()) << cut;
      if (found.ok()) ASSERT_TRUE(Remove(*disk, first->name).ok()) << cut;
      ASSERT_TRUE(SnapshotFolder::OpenToChange(*disk, kFolder).ok()) << cut;
      EXPECT_EQ(disk->List("/backup/files")->size(), 3u) << cut;
      removed = removed || ok;
    }
  }
}

TEST_F(SnapshotFolderTest, PowerCutsWhileTheFolderIsMadeLeaveOneThatCanBe) {
  WriteFiles(fs_, first_);
  bool made = false;
  for (uint64_t cut = 0; !made; ++cut) {
    ASSERT_LT(cut, 1000u);
    auto disk = fs_.CloneAfterCrash(cut);
    disk->PowerOffAfter(cut);
    made = Add(*disk, first_, 1).ok();
    disk->Crash(cut);
    auto again = Add(*disk, first_, 1);
    ASSERT_TRUE(again.ok()) << cut << ": " << again.status().ToString();
    EXPECT_EQ(*Read(*disk, kFolder, again->name), TextOf(first_)) << cut;
  }
}

TEST_F(SnapshotFolderTest, AnOperationThatFailsLeavesTheOthersWhole) {
  auto first = WriteAndAdd(first_, 1);
  ASSERT_TRUE(first.ok());
  WriteFiles(fs_, second_);
  bool added = false;
  for (uint64_t failing = 0; !added; ++failing) {
    ASSERT_LT(failing, 1000u);
    uint64_t left = failing;
    fs_.SetFaultHook([&](const env::SimulatedOperation&) {
      return left-- == 0 ? IoError("injected") : OkStatus();
    });
    added = Add(fs_, second_, 2).ok();
    const bool was_reached = left > failing;
    fs_.SetFaultHook({});
    EXPECT_EQ(*Read(fs_, kFolder, first->name), TextOf(first_)) << failing;
    if (added && was_reached) {  // only tidying up has failed
      auto names = SnapshotFolder::Open(fs_, kFolder).value()->List();
      for (const std::string& name : *names) {
        if (name != first->name) ASSERT_TRUE(Remove(fs_, name).ok());
      }
      added = false;
    }
  }
}

// Links, and what else isn't a file, on a real disk.
TEST(SnapshotFolderLinks, AreRefused) {
  namespace stdfs = std::filesystem;
  std::string form = testing::TempDir() + "akidb_folder_XXXXXX";
  ASSERT_NE(mkdtemp(form.data()), nullptr);
  const stdfs::path root = form;
  const auto fs = env::MakePosixFileSystem();
  const std::string folder = root / "backup";
  SnapshotContents contents;
  contents.collection = "manual";
  Sha256 hash;
  hash.Update(Bytes("abc"));
  contents.files.push_back({"MANIFEST", 3, hash.Digest()});
  const std::string source = root / "MANIFEST";
  ASSERT_TRUE(env::WriteFileAtomically(*fs, source, Bytes("abc")).ok());
  std::string name;
  {
    auto opened = SnapshotFolder::OpenToChange(*fs, folder);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    auto added = (*opened)->Add(RequestContext(), contents,
                                [&](const FileRef&) { return SnapshotSource{.path = source}; });
    ASSERT_TRUE(added.ok()) << added.status().ToString();
    name = added->name;
  }
  EXPECT_EQ(*Read(*fs, folder, name), "MANIFEST:abc;");
  const std::string file = "files/" + ToHex(hash.Digest());
  for (const std::string& part : {file, "snapshots/" + name + ".list", std::string("FORMAT"),
                                  std::string("files"), std::string("snapshots")}) {
    const stdfs::path path = stdfs::path(folder) / part;
    const stdfs::path moved = root / "moved";
    stdfs::rename(path, moved);
    stdfs::create_symlink(moved, path);
    EXPECT_EQ(Read(*fs, folder, name).status().code(), ErrorCode::kCorruption) << part;
    stdfs::remove(path);
    stdfs::rename(moved, path);
  }
  const stdfs::path path = stdfs::path(folder) / file;
  stdfs::remove(path);
  stdfs::create_directory(path);
  EXPECT_FALSE(Read(*fs, folder, name).ok());
  stdfs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(Read(*fs, folder, name).ok());  // and doesn't wait for who writes into it
  stdfs::remove_all(root);
}

}  // namespace
}  // namespace akidb::storage
