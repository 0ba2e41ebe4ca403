// Damage of the medium: every flipped bit and every truncation of a log's files.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

// A log of several files; the last one as a crash leaves it, or closed.
std::unique_ptr<env::SimulatedFileSystem> MakeLog(bool closed) {
  auto fs = MakeDisk(3);
  LogWorld world(*fs);
  auto log = world.MustOpen();
  for (int i = 0; i < 12; ++i) {
    if (i == 4 || i == 8) log->Rotate();
    EXPECT_TRUE(AppendNext(*log, i % 4 == 1 ? 3000 : 60).ok());
  }
  std::unique_ptr<env::SimulatedFileSystem> left = fs->CloneAfterCrash(9);
  if (!closed) return left;
  log.reset();
  return fs->CloneAfterCrash(9);
}

// Opens a copy. "refused", or how many records it gave; anything else is a wrong answer.
std::string Outcome(env::SimulatedFileSystem& fs) {
  LogWorld world(fs, 50);
  auto log = world.Open();
  if (log.ok()) return std::to_string(world.replayed);
  ErrorCode code = log.status().code();
  if (code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported) return "refused";
  return log.status().ToString();
}

TEST(LogDamage, NoFlippedBitIsTakenForARecord) {
  std::mt19937_64 random(TestSeed());
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(TestSeed()));
  for (bool closed : {false, true}) {
    auto original = MakeLog(closed);
    const std::vector<std::string> files = LogFiles(*original);
    ASSERT_EQ(files.size(), 3u);
    uint64_t refused = 0;
    for (int round = 0; round < 3000; ++round) {
      const std::string& name = files[random() % files.size()];
      auto fs = original->CloneAfterCrash(1);
      const std::string path = env::JoinPath(kLogFolder, name);
      // Headers, records and, in an unclosed file, the beginning of the space kept for more.
      uint64_t bytes = std::min<uint64_t>(env::ReadWholeFile(*fs, path, 1 << 20)->size(), 9000);
      uint64_t bit = random() % (bytes * 8);
      ASSERT_TRUE(fs->FlipBit(path, bit).ok());
      std::string outcome = Outcome(*fs);
      refused += outcome == "refused";
      // Behind the last batch nothing vouches for it, unless the log was closed: it may be cut.
      bool last_batch = !closed && name == files.back() && outcome == "11";
      ASSERT_TRUE(outcome == "refused" || outcome == "12" || last_batch)
          << name << " bit " << bit << ": " << outcome;
    }
    EXPECT_GT(refused, 1000u);
  }
}

TEST(LogDamage, TruncatedAndMissingFilesAreRefused) {
  auto original = MakeLog(true);
  const std::vector<std::string> files = LogFiles(*original);
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string path = env::JoinPath(kLogFolder, files[i]);
    for (uint64_t bytes : {uint64_t{0}, uint64_t{100}, uint64_t{4096}, uint64_t{4200}}) {
      auto fs = original->CloneAfterCrash(1);
      {
        auto file = fs->Open(path, env::OpenMode::kReadWrite);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE((*file)->Truncate(bytes).ok());
        ASSERT_TRUE((*file)->SyncData().ok());
      }
      std::string outcome = Outcome(*fs);
      // The end of the last file can't be told from writes that never reached the disk.
      bool tail = i + 1 == files.size() && bytes >= 4096 && (outcome == "8" || outcome == "9");
      EXPECT_TRUE(outcome == "refused" || tail)
          << files[i] << " cut to " << bytes << ": " << outcome;
    }
    auto fs = original->CloneAfterCrash(1);
    ASSERT_TRUE(fs->Remove(path).ok());
    std::string outcome = Outcome(*fs);
    EXPECT_TRUE(outcome == "refused" || (i + 1 == files.size() && outcome == "8"))
        << files[i] << " removed: " << outcome;
  }
}

TEST(LogDamage, ATornTailIsCutAndCounted) {
  auto disk = MakeDisk(1);
  env::SimulatedFileSystem& fs = *disk;
  LogWorld world(fs);
  auto log = world.MustOpen();
  ASSERT_TRUE(AppendNext(*log, 100).ok());
  ASSERT_TRUE(AppendNext(*log, 100).ok());
  auto left = fs.CloneAfterCrash(1);
  // Half of a third record, as a power cut would leave it.
  auto whole = [&] {
    EXPECT_TRUE(AppendNext(*log, 2000).ok());
    return env::ReadWholeFile(fs, LogPath(1), 1 << 20);
  }();
  ASSERT_TRUE(whole.ok());
  {
    auto file = left->Open(LogPath(1), env::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    uint64_t begin = 4096 + 2 * 132;
    ASSERT_TRUE(
        (*file)->WriteAt(begin, std::as_bytes(std::span(*whole)).subspan(begin, 1000)).ok());
    ASSERT_TRUE((*file)->SyncData().ok());
  }
  LogWorld after(*left, 9);
  auto recovered = after.MustOpen();
  ASSERT_TRUE(recovered);
  EXPECT_EQ(after.replayed, 2u);
  EXPECT_GT(after.report.torn_bytes, 900u);
  EXPECT_FALSE(after.report.clean_shutdown);
  recovered.reset();
  recovered = after.MustOpen();
  EXPECT_EQ(after.report.torn_bytes, 0u);
  EXPECT_TRUE(after.report.clean_shutdown);
}

TEST(LogDamage, ASyncedRecordThatLaterOnesVouchForIsNeverCut) {
  auto disk = MakeDisk(1);
  env::SimulatedFileSystem& fs = *disk;
  LogWorld world(fs);
  auto log = world.MustOpen();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(AppendNext(*log, 100).ok());
  auto left = fs.CloneAfterCrash(1);
  ASSERT_TRUE(left->FlipBit(LogPath(1), (4096 + 132 + 50) * 8).ok());
  LogWorld after(*left, 9);
  Status status = after.Open().status();
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("offset 4228"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find(LogPath(1)), std::string::npos) << status.message();
}

// The whole content of a file, changed by somebody else.
void Replace(env::FileSystem& fs, const std::string& path, const std::string& content) {
  auto file = fs.Open(path, env::OpenMode::kReadWrite);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Truncate(0).ok());
  ASSERT_TRUE((*file)->WriteAt(0, std::as_bytes(std::span(content))).ok());
  ASSERT_TRUE((*file)->SyncData().ok());
}

// Two logs of the same collection with the same numbers and other records: a file of one in the
// place of the other's is sound by itself, and doesn't belong there.
TEST(LogDamage, AFileOfAnotherHistoryIsRefused) {
  std::unique_ptr<env::SimulatedFileSystem> disks[2];
  for (size_t i = 0; i < 2; ++i) {
    disks[i] = MakeDisk(1);
    LogWorld world(*disks[i], 20 + i);
    auto log = world.MustOpen();
    for (int record = 0; record < 9; ++record) {
      if (record == 3 || record == 6) log->Rotate();
      ASSERT_TRUE(AppendNext(*log, 60 + 10 * i).ok());
    }
  }
  for (uint64_t first : {4, 7}) {
    auto left = disks[0]->CloneAfterCrash(1);
    Replace(*left, LogPath(first), *env::ReadWholeFile(*disks[1], LogPath(first), 1 << 20));
    EXPECT_EQ(Outcome(*left), "refused") << first;
  }
}

// Space that is given to a file may hold what a removed one left there: records with the numbers
// that come next, at just the right place.
TEST(LogDamage, WhatAnOlderFileLeftInABlockIsNoRecord) {
  auto write = [](env::FileSystem& fs, uint64_t seed, int records) {
    LogWorld world(fs, seed);
    auto log = world.MustOpen();
    for (int i = 0; i < records; ++i) EXPECT_TRUE(AppendNext(*log, 100).ok());
  };
  auto older = MakeDisk(1);
  write(*older, 31, 8);
  const std::string left_there = *env::ReadWholeFile(*older, LogPath(1), 1 << 20);
  auto disk = MakeDisk(1);
  std::unique_ptr<env::SimulatedFileSystem> after;
  {
    LogWorld world(*disk, 32);
    auto log = world.MustOpen();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(AppendNext(*log, 100).ok());
    after = disk->CloneAfterCrash(1);
  }
  const std::string newer = *env::ReadWholeFile(*after, LogPath(1), 1 << 20);
  const size_t end = RecordEnd(RecordEnd(RecordEnd(kLogHeaderBytes, 100), 100), 100);
  Replace(*after, LogPath(1), newer.substr(0, end) + left_there.substr(end));
  EXPECT_EQ(Outcome(*after), "3");
}

}  // namespace
}  // namespace akidb::storage
