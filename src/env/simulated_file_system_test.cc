#include "env/simulated_file_system.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace akidb::env {
namespace {

using Kind = SimulatedOperation::Kind;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::unique_ptr<File> MustOpen(FileSystem& fs, const std::string& path, OpenMode mode) {
  auto file = fs.Open(path, mode);
  EXPECT_TRUE(file.ok()) << file.status().ToString();
  return std::move(file).value();
}

// The content of the file; "-" when it is missing.
std::string Content(FileSystem& fs, const std::string& path) {
  auto text = ReadWholeFile(fs, path, 1 << 24);
  return text.ok() ? *text : "-";
}

// What the file may hold after a crash, over many seeds.
std::set<std::string> Outcomes(const SimulatedFileSystem& fs, const std::string& path) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    outcomes.insert(Content(*fs.CloneAfterCrash(seed), path));
  }
  return outcomes;
}

TEST(SimulatedCrash, KeepsWhatWasSyncedWithItsName) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, Bytes("safe")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  ASSERT_TRUE(fs.SyncDirectory(".").ok());
  EXPECT_EQ(Outcomes(fs, "a"), std::set<std::string>{"safe"});
}

TEST(SimulatedCrash, MayLoseANameWhoseFolderWasNotSynced) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, Bytes("safe")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  EXPECT_EQ(Outcomes(fs, "a"), (std::set<std::string>{"-", "safe"}));
}

TEST(SimulatedCrash, MayLoseOrTearWhatWasNotSynced) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, Bytes("12")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  ASSERT_TRUE(fs.SyncDirectory(".").ok());
  ASSERT_TRUE(file->WriteAt(2, Bytes("34")).ok());
  EXPECT_EQ(Outcomes(fs, "a"), (std::set<std::string>{"12", "123", "1234"}));
}

TEST(SimulatedCrash, MayKeepALaterPageWithoutAnEarlierOne) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(fs.SyncDirectory(".").ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes(std::string(8192, 'x'))).ok());
  std::string hole = std::string(4096, '\0') + std::string(4096, 'x');
  EXPECT_TRUE(Outcomes(fs, "a").contains(hole));
}

TEST(SimulatedCrash, ARenameHappensAsAWholeOrNotAtAll) {
  SimulatedFileSystem fs(1);
  ASSERT_TRUE(MustOpen(fs, "a", OpenMode::kCreate)->SyncData().ok());
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  ASSERT_TRUE(fs.Rename("a", "b").ok());
  std::set<std::vector<std::string>> outcomes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    outcomes.insert(*fs.CloneAfterCrash(seed)->List("/"));
  }
  EXPECT_EQ(outcomes, (std::set<std::vector<std::string>>{{"a"}, {"b"}}));
}

TEST(SimulatedCrash, InvalidatesHandlesAndReleasesLocks) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  auto lock = fs.Lock("LOCK");
  ASSERT_TRUE(lock.ok());
  fs.Crash(3);
  EXPECT_EQ(file->WriteAt(0, Bytes("x")).code(), ErrorCode::kIo);
  EXPECT_EQ(file->SyncData().code(), ErrorCode::kIo);
  auto again = fs.Lock("LOCK");
  ASSERT_TRUE(again.ok());
  lock->reset();
  EXPECT_EQ(fs.Lock("LOCK").status().code(), ErrorCode::kBusy);
  EXPECT_TRUE(MustOpen(fs, "a", OpenMode::kReadWrite)->WriteAt(0, Bytes("x")).ok());
}

TEST(SimulatedCrash, SameSeedSameDisk) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(file->WriteAt(static_cast<uint64_t>(i) * 1000, Bytes(std::string(1500, 'y'))).ok());
  }
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(Content(*fs.CloneAfterCrash(seed), "a"), Content(*fs.CloneAfterCrash(seed), "a"));
  }
}

TEST(SimulatedPower, GoesDuringTheGivenChangeAndStaysAway) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  fs.PowerOffAfter(2);
  EXPECT_TRUE(file->WriteAt(0, Bytes("1")).ok());
  EXPECT_TRUE(file->SyncData().ok());
  EXPECT_EQ(file->WriteAt(1, Bytes("2")).code(), ErrorCode::kIo);
  EXPECT_EQ(file->SyncData().code(), ErrorCode::kIo);
  EXPECT_FALSE(fs.List("/").ok());
  EXPECT_EQ(Outcomes(fs, "a"), (std::set<std::string>{"1", "12"}));
  fs.Crash(1);
  EXPECT_TRUE(fs.List("/").ok());
}

TEST(SimulatedFaults, HookFailsTheOperationsItNames) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  fs.SetFaultHook([](const SimulatedOperation& operation) {
    if (operation.kind != Kind::kWrite || operation.path != "a") return OkStatus();
    return StorageFullError("injected at " + std::to_string(operation.offset));
  });
  EXPECT_EQ(file->WriteAt(5, Bytes("x")).ToString(), "storage_full: injected at 5");
  EXPECT_EQ(*file->Size(), 0u);
  EXPECT_TRUE(file->Allocate(5).ok());
  fs.SetFaultHook(nullptr);
  EXPECT_TRUE(file->WriteAt(5, Bytes("x")).ok());
}

TEST(SimulatedFaults, AFailedSyncLosesDataThatTheCacheStillShows) {
  std::set<std::string> after_drop;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SimulatedFileSystem fs(seed);
    auto file = MustOpen(fs, "a", OpenMode::kCreate);
    ASSERT_TRUE(fs.SyncDirectory("/").ok());
    ASSERT_TRUE(file->WriteAt(0, Bytes("x")).ok());
    fs.SetFaultHook([](const SimulatedOperation& operation) {
      return operation.kind == Kind::kSyncData ? IoError("injected") : OkStatus();
    });
    EXPECT_EQ(file->SyncData().code(), ErrorCode::kIo);
    fs.SetFaultHook(nullptr);
    // As on Linux, the next sync succeeds although the data is gone.
    EXPECT_TRUE(file->SyncData().ok());
    EXPECT_EQ(Content(fs, "a"), "x");
    ASSERT_TRUE(file->DropCache().ok());
    after_drop.insert(Content(fs, "a"));
    EXPECT_EQ(Outcomes(fs, "a"), std::set<std::string>{Content(fs, "a")});
  }
  EXPECT_EQ(after_drop, (std::set<std::string>{"", "x"}));
}

TEST(SimulatedFaults, AFullDiskRefusesGrowthAndRecoversWhenSpaceReturns) {
  SimulatedFileSystem fs(1);
  fs.SetCapacity(10);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, Bytes("12345678")).ok());
  EXPECT_EQ(*fs.FreeBytes("/"), 2u);
  EXPECT_EQ(file->WriteAt(8, Bytes("9ab")).code(), ErrorCode::kStorageFull);
  EXPECT_EQ(file->Allocate(11).code(), ErrorCode::kStorageFull);
  EXPECT_TRUE(file->WriteAt(0, Bytes("abcdefgh")).ok());
  ASSERT_TRUE(fs.Remove("a").ok());
  EXPECT_TRUE(MustOpen(fs, "b", OpenMode::kCreate)->Allocate(10).ok());
}

TEST(SimulatedSync, CoversOnlyWhatWasWrittenBeforeItBegan) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  ASSERT_TRUE(file->WriteAt(0, Bytes("1")).ok());
  bool first = true;
  fs.SetSyncDelay([&] {
    if (std::exchange(first, false)) ASSERT_TRUE(file->WriteAt(1, Bytes("2")).ok());
  });
  ASSERT_TRUE(file->SyncData().ok());
  EXPECT_EQ(Outcomes(fs, "a"), (std::set<std::string>{"1", "12"}));
  ASSERT_TRUE(file->SyncData().ok());
  EXPECT_EQ(Outcomes(fs, "a"), std::set<std::string>{"12"});
}

TEST(SimulatedDelay, ComesBeforeEachOperationWithoutALock) {
  SimulatedFileSystem fs(1);
  std::vector<Kind> kinds;
  uint64_t before = 0;
  fs.SetDelay([&](Kind kind, const std::string&) {
    kinds.push_back(kind);
    before = fs.counters().operations;
  });
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  EXPECT_EQ(before, 0u);
  ASSERT_TRUE(file->WriteAt(0, Bytes("1")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  ASSERT_TRUE(fs.Rename("a", "b").ok());
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  EXPECT_TRUE(*fs.Exists("b"));
  EXPECT_EQ(before + 1, fs.counters().operations);
  EXPECT_EQ(kinds, (std::vector{Kind::kCreate, Kind::kWrite, Kind::kSyncData, Kind::kRename,
                                Kind::kSyncDirectory, Kind::kOther}));
  fs.SetDelay(nullptr);
  EXPECT_TRUE(*fs.Exists("b"));
  EXPECT_EQ(kinds.size(), 6u);
}

TEST(SimulatedDamage, FlipsTheBitForGood) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, Bytes("aa")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  ASSERT_TRUE(fs.FlipBit("a", 9).ok());
  EXPECT_EQ(Content(fs, "a"), "ac");
  EXPECT_EQ(Outcomes(fs, "a"), std::set<std::string>{"ac"});
  EXPECT_FALSE(fs.FlipBit("a", 16).ok());
}

TEST(SimulatedCounters, CountWhatWasDone) {
  SimulatedFileSystem fs(1);
  auto file = MustOpen(fs, "a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, Bytes("abc")).ok());
  ASSERT_TRUE(file->SyncData().ok());
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  SimulatedCounters counters = fs.counters();
  EXPECT_EQ(counters.operations, 4u);
  EXPECT_EQ(counters.changes, 4u);
  EXPECT_EQ(counters.writes, 1u);
  EXPECT_EQ(counters.bytes_written, 3u);
  EXPECT_EQ(counters.data_syncs, 1u);
  EXPECT_EQ(counters.directory_syncs, 1u);
}

}  // namespace
}  // namespace akidb::env
