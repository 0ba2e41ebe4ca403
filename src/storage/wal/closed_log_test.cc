#include "storage/wal/closed_log.h"

#include <gtest/gtest.h>

#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

bool WasClosed(env::FileSystem& fs, const LogOptions& options = OptionsFor(kLogFolder)) {
  const Result<bool> closed = LogWasClosed(fs, options);
  return closed.ok() && *closed;
}

// Of three files; the last of its six records is alone in the third.
std::unique_ptr<env::SimulatedFileSystem> MakeClosedLog() {
  auto fs = MakeDisk(3);
  LogWorld world(*fs);
  auto log = world.MustOpen();
  for (int i = 0; i < 6; ++i) {
    if (i == 2 || i == 5) log->Rotate();
    EXPECT_TRUE(AppendNext(*log, 100).ok());
  }
  log.reset();
  return fs->CloneAfterCrash(1);
}

TEST(ClosedLog, IsToldFromOneThatWasLeftOpen) {
  auto disk = MakeDisk(1);
  LogWorld world(*disk);
  EXPECT_FALSE(LogWasClosed(*disk, OptionsFor(kLogFolder)).ok());
  for (int round = 0; round < 3; ++round) {
    auto log = world.MustOpen();
    if (round > 0) {
      // Opened, and not written to: as it was.
      EXPECT_TRUE(WasClosed(*disk));
    }
    ASSERT_TRUE(AppendNext(*log, 100).ok());
    EXPECT_FALSE(WasClosed(*disk));
    EXPECT_FALSE(WasClosed(*disk->CloneAfterCrash(7)));
    if (round == 1) log->Rotate();
    log.reset();
    EXPECT_TRUE(WasClosed(*disk));
    auto left = disk->CloneAfterCrash(7);
    EXPECT_TRUE(WasClosed(*left));
    LogWorld after(*left);
    after.MustOpen();
    EXPECT_TRUE(after.report.clean_shutdown);
  }
}

TEST(ClosedLog, AnEmptyOneMayHaveBeenClosedToo) {
  auto disk = MakeDisk(1);
  LogWorld world(*disk);
  auto log = world.MustOpen();
  EXPECT_FALSE(WasClosed(*disk));
  log.reset();
  EXPECT_TRUE(WasClosed(*disk));
}

TEST(ClosedLog, IsNoneWhereTheOpeningHasToJudge) {
  auto original = MakeClosedLog();
  ASSERT_TRUE(WasClosed(*original));
  LogOptions options = OptionsFor(kLogFolder);
  options.synced_seq = 6;
  EXPECT_TRUE(WasClosed(*original, options));
  options.synced_seq = 7;
  EXPECT_FALSE(WasClosed(*original, options));
  options = OptionsFor(kLogFolder);
  options.start_after_seq = 7;
  EXPECT_FALSE(WasClosed(*original, options));
  options = OptionsFor(kLogFolder);
  options.collection_uuid.bytes[0] = 0xBB;
  EXPECT_FALSE(WasClosed(*original, options));

  const std::vector<std::string> files = LogFiles(*original);
  ASSERT_EQ(files.size(), 3u);
  const std::string last = env::JoinPath(kLogFolder, files.back());
  for (const std::string& gone : {files.front(), files.back()}) {
    auto fs = original->CloneAfterCrash(1);
    ASSERT_TRUE(fs->Remove(env::JoinPath(kLogFolder, gone)).ok());
    EXPECT_FALSE(WasClosed(*fs)) << gone;
  }
  auto fs = original->CloneAfterCrash(1);
  ASSERT_TRUE(fs->Rename(last, LogPath(20)).ok());
  EXPECT_FALSE(WasClosed(*fs));
}

TEST(ClosedLog, EveryFlippedBitOfWhatIsReadIsFound) {
  auto original = MakeClosedLog();
  const std::string last = env::JoinPath(kLogFolder, LogFiles(*original).back());
  const uint64_t bytes = env::ReadWholeFile(*original, last, 1 << 20)->size();
  const uint64_t mark = (bytes - kFragmentHeaderBytes) * 8;
  for (uint64_t bit = 0; bit < bytes * 8; ++bit) {
    if (bit == 128 * 8) bit = (kLogHeaderBytes - 4) * 8;  // zeros, under the same checksum
    if (bit == kLogHeaderBytes * 8) bit = mark;
    auto fs = original->CloneAfterCrash(1);
    ASSERT_TRUE(fs->FlipBit(last, bit).ok());
    EXPECT_FALSE(WasClosed(*fs)) << bit;
  }
  for (uint64_t cut : {uint64_t{0}, uint64_t{100}, kLogHeaderBytes, bytes - 1}) {
    auto fs = original->CloneAfterCrash(1);
    {
      auto file = fs->Open(last, env::OpenMode::kReadWrite);
      ASSERT_TRUE(file.ok());
      ASSERT_TRUE((*file)->Truncate(cut).ok());
    }
    EXPECT_FALSE(WasClosed(*fs)) << cut;
  }
}

}  // namespace
}  // namespace akidb::storage
