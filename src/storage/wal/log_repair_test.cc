// Damaged logs, cut where somebody said so: whatever is flipped, shortened or missing.
#include "storage/wal/log_repair.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

constexpr char kKeep[] = "/data/kept";
constexpr uint64_t kRecords = 12;

// Three files of four records each, closed in order.
std::unique_ptr<env::SimulatedFileSystem> MakeLog() {
  auto fs = MakeDisk(3);
  LogWorld world(*fs);
  auto log = world.MustOpen();
  for (uint64_t i = 0; i < kRecords; ++i) {
    if (i == 4 || i == 8) log->Rotate();
    EXPECT_TRUE(AppendNext(*log, i % 4 == 1 ? 3000 : 60).ok());
  }
  log.reset();
  EXPECT_TRUE(fs->CreateDirectories(kKeep).ok());
  EXPECT_TRUE(fs->SyncDirectory("/data").ok());
  return fs->CloneAfterCrash(9);
}

Status Cut(env::FileSystem& fs, const LogOptions& options = OptionsFor(kLogFolder)) {
  auto random = env::MakeSeededRandom(77);
  auto logger = MakeNullLogger();
  return CutLogAtDamage({fs, *random, *logger}, options, kKeep);
}

// "" where the log, refused before, opens with the records up to the damage and goes on.
std::string JudgeRepaired(env::FileSystem& fs, const LogDamage& damage) {
  {
    LogWorld world(fs, 50);
    auto log = world.Open();
    if (!log.ok()) return log.status().ToString();
    if (world.last_replayed != damage.last_seq) {
      return "replayed up to " + std::to_string(world.last_replayed) + ", " +
             std::to_string(damage.last_seq) + " was said";
    }
    if (Status more = AppendNext(**log, 100); !more.ok()) return more.ToString();
  }
  LogWorld again(fs, 51);
  auto log = again.Open();
  if (!log.ok()) return "again: " + log.status().ToString();
  return again.last_replayed == damage.last_seq + 1 ? "" : "what was appended is gone";
}

// Repairs a copy if it is refused; counts those that were.
void CheckRepair(env::SimulatedFileSystem& fs, uint64_t& repaired) {
  const auto refused = [&] {
    auto copy = fs.CloneAfterCrash(1);
    LogWorld world(*copy, 50);
    return world.Open().status().code() == ErrorCode::kCorruption;
  }();
  auto found = FindLogDamage(fs, OptionsFor(kLogFolder));
  if (!found.ok()) {
    ASSERT_EQ(found.status().code(), ErrorCode::kUnsupported);
    return;
  }
  ASSERT_EQ(found->has_value(), refused);
  if (!refused) return;
  ++repaired;
  EXPECT_LT((*found)->last_seq, kRecords);
  EXPECT_LE((*found)->last_seq + (*found)->records_behind, kRecords);
  EXPECT_FALSE((*found)->what.empty());
  ASSERT_TRUE(Cut(fs).ok());
  ASSERT_EQ(JudgeRepaired(fs, **found), "") << (*found)->what;
}

TEST(LogRepair, CutsAtAnyFlippedBit) {
  std::mt19937_64 random(TestSeed());
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(TestSeed()));
  auto original = MakeLog();
  const std::vector<std::string> files = LogFiles(*original);
  ASSERT_EQ(files.size(), 3u);
  uint64_t repaired = 0;
  for (int round = 0; round < 1000; ++round) {
    auto fs = original->CloneAfterCrash(1);
    const std::string path = env::JoinPath(kLogFolder, files[random() % files.size()]);
    const uint64_t bytes = env::ReadWholeFile(*fs, path, 1 << 20)->size();
    const uint64_t bit = random() % (bytes * 8);
    SCOPED_TRACE(path + " bit " + std::to_string(bit));
    ASSERT_TRUE(fs->FlipBit(path, bit).ok());
    ASSERT_NO_FATAL_FAILURE(CheckRepair(*fs, repaired));
  }
  EXPECT_GT(repaired, 300u);
}

TEST(LogRepair, CutsWhereFilesAreShortOrMissing) {
  auto original = MakeLog();
  const std::vector<std::string> files = LogFiles(*original);
  uint64_t repaired = 0;
  for (const std::string& name : files) {
    const std::string path = env::JoinPath(kLogFolder, name);
    for (uint64_t bytes : {uint64_t{0}, uint64_t{100}, uint64_t{4096}, uint64_t{4200}}) {
      SCOPED_TRACE(name + " of " + std::to_string(bytes));
      auto fs = original->CloneAfterCrash(1);
      {
        auto file = fs->Open(path, env::OpenMode::kReadWrite);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE((*file)->Truncate(bytes).ok());
        ASSERT_TRUE((*file)->SyncData().ok());
      }
      ASSERT_NO_FATAL_FAILURE(CheckRepair(*fs, repaired));
    }
    SCOPED_TRACE(name + " is missing");
    auto fs = original->CloneAfterCrash(1);
    ASSERT_TRUE(fs->Remove(path).ok());
    ASSERT_TRUE(fs->SyncDirectory(kLogFolder).ok());
    ASSERT_NO_FATAL_FAILURE(CheckRepair(*fs, repaired));
  }
  EXPECT_GT(repaired, 8u);
}

// Flips a bit of the record in the middle of the second file.
void Damage(env::SimulatedFileSystem& fs) {
  const std::string path = env::JoinPath(kLogFolder, LogFiles(fs)[1]);
  ASSERT_TRUE(fs.FlipBit(path, 8 * (kLogHeaderBytes + 200)).ok());
}

TEST(LogRepair, TellsWhatWouldBeLostAndKeepsIt) {
  auto fs = MakeLog();
  Damage(*fs);
  const std::vector<std::string> files = LogFiles(*fs);
  const std::string second = *env::ReadWholeFile(*fs, env::JoinPath(kLogFolder, files[1]), 1 << 20);
  const auto found = FindLogDamage(*fs, OptionsFor(kLogFolder));
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->last_seq, 5u);
  EXPECT_EQ((*found)->records_behind, 7u);
  EXPECT_NE((*found)->what.find(files[1]), std::string::npos);
  EXPECT_EQ(LogFiles(*fs), files);
  ASSERT_TRUE(Cut(*fs).ok());
  EXPECT_EQ(LogFiles(*fs).size(), 2u);
  EXPECT_EQ(*env::ReadWholeFile(*fs, env::JoinPath(kKeep, files[1]), 1 << 20), second);
  EXPECT_TRUE(*fs->Exists(env::JoinPath(kKeep, files[2])));
  // Nothing is left to do.
  EXPECT_FALSE(*FindLogDamage(*fs, OptionsFor(kLogFolder)));
  EXPECT_TRUE(Cut(*fs).ok());
}

TEST(LogRepair, BeginsAnewBehindWhatIsSafeElsewhere) {
  auto fs = MakeLog();
  for (const std::string& name : LogFiles(*fs)) {
    ASSERT_TRUE(fs->Remove(env::JoinPath(kLogFolder, name)).ok());
  }
  LogOptions options = OptionsFor(kLogFolder);
  options.start_after_seq = 7;
  options.create = false;
  ASSERT_TRUE(Cut(*fs, options).ok());
  LogWorld world(*fs);
  auto log = world.MustOpen(options);
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(log->last_seq(), 7u);
}

// Only who knows how far it was synced can tell such a log from a torn one.
TEST(LogRepair, CutsALogThatEndsBeforeWhatWasSynced) {
  std::unique_ptr<env::SimulatedFileSystem> fs;
  {
    auto whole = MakeDisk(3);
    LogWorld world(*whole);
    auto log = world.MustOpen();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(AppendNext(*log, 100).ok());
    fs = whole->CloneAfterCrash(4);
  }
  LogOptions options = OptionsFor(kLogFolder);
  options.synced_seq = 5;
  EXPECT_FALSE(*FindLogDamage(*fs, options));
  // The last record: nothing in the log vouches for it.
  const std::string path = env::JoinPath(kLogFolder, LogFiles(*fs).front());
  const size_t last = env::ReadWholeFile(*fs, path, 1 << 20)->find_last_not_of('\0');
  ASSERT_TRUE(fs->FlipBit(path, 8 * last).ok());
  EXPECT_FALSE(*FindLogDamage(*fs, OptionsFor(kLogFolder)));
  const auto found = FindLogDamage(*fs, options);
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->last_seq, 4u);
  EXPECT_EQ((*found)->records_behind, 1u);
  EXPECT_GE((*found)->bytes_behind, 100u);
  const std::string hurt = *env::ReadWholeFile(*fs, path, 1 << 20);
  LogWorld world(*fs);
  EXPECT_EQ(world.Open(options).status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(*env::ReadWholeFile(*fs, path, 1 << 20), hurt);
  ASSERT_TRUE(fs->CreateDirectories(kKeep).ok());
  ASSERT_TRUE(fs->SyncDirectory("/data").ok());
  ASSERT_TRUE(Cut(*fs, options).ok());
  EXPECT_EQ(*env::ReadWholeFile(*fs, env::JoinPath(kKeep, LogFileName(1)), 1 << 20), hurt);
  EXPECT_EQ(JudgeRepaired(*fs, **found), "");
}

TEST(LogRepair, MayBeCutShortAndRepeated) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  auto original = MakeLog();
  Damage(*original);
  const LogDamage damage = **FindLogDamage(*original, OptionsFor(kLogFolder));
  bool done = false;
  for (uint64_t cut = 0; !done; ++cut) {
    auto fs = original->CloneAfterCrash(1);
    fs->PowerOffAfter(cut);
    done = Cut(*fs).ok();
    auto after = fs->CloneAfterCrash(seed + cut);
    ASSERT_TRUE(Cut(*after).ok()) << cut;
    ASSERT_EQ(JudgeRepaired(*after, damage), "") << cut;
    // Whatever is no longer in the log was kept.
    EXPECT_TRUE(*after->Exists(env::JoinPath(kKeep, LogFileName(5)))) << cut;
    EXPECT_TRUE(*after->Exists(env::JoinPath(kKeep, LogFileName(9)))) << cut;
  }
}

TEST(LogRepair, LeavesATornTailAndAWholeLogAlone) {
  auto fs = MakeDisk(3);
  LogWorld world(*fs);
  auto log = world.MustOpen();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(AppendNext(*log, 100).ok());
  auto crashed = fs->CloneAfterCrash(4);
  const std::string path = env::JoinPath(kLogFolder, LogFiles(*crashed).front());
  EXPECT_FALSE(*FindLogDamage(*crashed, OptionsFor(kLogFolder)));
  const std::string before = *env::ReadWholeFile(*crashed, path, 1 << 20);
  EXPECT_TRUE(Cut(*crashed).ok());
  EXPECT_EQ(*env::ReadWholeFile(*crashed, path, 1 << 20), before);
}

}  // namespace
}  // namespace akidb::storage
