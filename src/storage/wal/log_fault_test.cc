// Failing operations and a full disk.
#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "base/test_environment.h"
#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

using Kind = env::SimulatedOperation::Kind;

class LogFaultTest : public testing::Test {
 protected:
  void FailNext(Kind kind, Status error) {
    fs_.SetFaultHook([kind, error, armed = true](const env::SimulatedOperation& op) mutable {
      if (!armed || op.kind != kind) return OkStatus();
      armed = false;
      return error;
    });
  }

  std::unique_ptr<env::SimulatedFileSystem> disk_ = MakeDisk(1);
  env::SimulatedFileSystem& fs_ = *disk_;
  LogWorld world_{fs_};
};

TEST_F(LogFaultTest, AFailedSyncKillsTheLogForEver) {
  auto log = world_.MustOpen();
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  FailNext(Kind::kSyncData, IoError("broken"));
  Status failed = AppendNext(*log, 10);
  EXPECT_EQ(failed.code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(failed.message().starts_with("storage_failed: ")) << failed.message();
  uint64_t syncs = fs_.counters().data_syncs;
  EXPECT_EQ(EnqueueNext(*log, 10).status().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(log->Wait(2).code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(log->Wait(1).ok());  // what was durable stays so
  EXPECT_EQ(log->durable_seq(), 1u);
  EXPECT_FALSE(log->Close().ok());
  EXPECT_EQ(fs_.counters().data_syncs, syncs);  // no sync was tried again
}

TEST_F(LogFaultTest, WhatAFailedSyncLeftInTheCacheIsNotBelieved) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    auto disk = MakeDisk(seed);
    env::SimulatedFileSystem& fs = *disk;
    LogWorld world(fs);
    auto log = world.MustOpen();
    ASSERT_TRUE(AppendNext(*log, 100).ok());
    bool armed = true;
    fs.SetFaultHook([&](const env::SimulatedOperation& op) {
      return armed && op.kind == Kind::kSyncData ? IoError("broken") : OkStatus();
    });
    ASSERT_FALSE(AppendNext(*log, 20'000).ok());
    armed = false;
    log.reset();
    auto without_cache = fs.CloneAfterCrash(seed);
    // The same process or another opens the log, and finds what the disk has.
    log = world.MustOpen();
    ASSERT_TRUE(log);
    uint64_t last = world.last_replayed;
    ASSERT_GE(last, 1u);
    LogWorld on_disk(*without_cache);
    ASSERT_TRUE(on_disk.MustOpen());
    ASSERT_EQ(last, on_disk.last_replayed) << seed;
    // Then the power goes. What was replayed stays.
    auto after = fs.CloneAfterCrash(seed);
    LogWorld again(*after);
    ASSERT_TRUE(again.MustOpen());
    EXPECT_EQ(again.last_replayed, last) << seed;
  }
}

// The log is closed, the sync of its mark fails, and somebody opens it before the cache is gone.
TEST_F(LogFaultTest, AClosingMarkThatWasNotSyncedIsNotBelieved) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    auto disk = MakeDisk(seed);
    env::SimulatedFileSystem& fs = *disk;
    LogWorld world(fs);
    auto log = world.MustOpen();
    ASSERT_TRUE(AppendNext(*log, 100).ok());
    fs.SetFaultHook([](const env::SimulatedOperation& op) {
      return op.kind == Kind::kSyncData ? IoError("broken") : OkStatus();
    });
    ASSERT_FALSE(log->Close().ok());
    fs.SetFaultHook(nullptr);
    log.reset();
    log = world.MustOpen();
    ASSERT_TRUE(log);
    ASSERT_TRUE(AppendNext(*log, 100).ok());
    ASSERT_TRUE(AppendNext(*log, 100).ok());
    auto after = fs.CloneAfterCrash(seed);
    LogWorld again(*after);
    ASSERT_TRUE(again.MustOpen()) << seed;
    EXPECT_EQ(again.last_replayed, 3u) << seed;
  }
}

TEST_F(LogFaultTest, AFullDiskRefusesWithoutATraceAndSpaceBringsWritesBack) {
  auto log = world_.MustOpen();
  ASSERT_TRUE(AppendNext(*log, 1000).ok());
  fs_.SetCapacity(40'000);
  uint64_t last = log->last_seq();
  Status status = AppendNext(*log, 40'000);
  EXPECT_EQ(status.code(), ErrorCode::kStorageFull) << status.ToString();
  EXPECT_EQ(log->last_seq(), last);
  EXPECT_TRUE(AppendNext(*log, 100).ok());  // what fits is taken
  fs_.SetCapacity(UINT64_MAX);
  EXPECT_TRUE(AppendNext(*log, 40'000).ok());
  log.reset();
  log = world_.MustOpen();
  EXPECT_EQ(world_.replayed, last + 2);
}

TEST_F(LogFaultTest, AFileThatCannotBeCreatedRefusesOneRecordOnly) {
  auto log = world_.MustOpen();
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  log->Rotate();
  FailNext(Kind::kCreate, IoError("too many open files"));
  EXPECT_EQ(EnqueueNext(*log, 10).status().code(), ErrorCode::kIo);
  EXPECT_TRUE(AppendNext(*log, 10).ok());
  EXPECT_EQ(LogFiles(fs_).size(), 2u);
}

struct FaultRun {
  uint64_t seed = 0;
  ErrorCode code = ErrorCode::kIo;
  bool for_ever = false;
};

// Empty, or what is wrong; `reached` tells whether the life came to the operation.
std::string FailOperation(const FaultRun& run, uint64_t fail_at, bool& reached) {
  auto disk = MakeDisk(run.seed + fail_at);
  env::SimulatedFileSystem& fs = *disk;
  const uint64_t begin = fs.counters().operations;
  reached = false;
  bool armed = true;
  fs.SetFaultHook([&](const env::SimulatedOperation& op) {
    bool due = run.for_ever ? op.index >= begin + fail_at : op.index == begin + fail_at;
    if (!armed || !due) return OkStatus();
    reached = true;
    return Status(run.code, "seeded");
  });
  LogWorld world(fs, fail_at + 1);
  std::mt19937_64 random(run.seed);
  uint64_t acknowledged = 0;
  uint64_t enqueued = 0;
  if (auto log = world.Open(); log.ok()) {
    for (int i = 0; i < 12; ++i) {
      const size_t more = run.seed == 0 ? 0 : random() % 4096;
      auto seq = EnqueueNext(**log, (i % 3 == 2 ? 30'000 : 200) + more);
      if (!seq.ok()) continue;
      enqueued = *seq;
      if ((*log)->Wait(*seq).ok()) acknowledged = *seq;
      if (i == 7) (*log)->Rotate();
      if (i == 9) static_cast<void>((*log)->CutBefore(0));
    }
  }
  armed = false;
  auto after = fs.CloneAfterCrash(run.seed + fail_at);
  LogWorld again(*after, 12345);
  if (auto log = again.Open(); !log.ok()) return log.status().ToString();
  if (again.last_replayed < acknowledged) return "an acknowledged record is lost";
  return again.last_replayed <= enqueued ? "" : "there are records that nobody wrote";
}

// Each operation in turn fails, once or for ever, while records are appended: an error or success,
// and the next opening has everything that was acknowledged. More lives with AKIDB_CRASH_LIVES,
// each with records of other sizes.
TEST_F(LogFaultTest, AnyFailingOperationLosesNothingAcknowledged) {
  uint64_t faults = 0;
  const uint64_t first = FromEnvironment("AKIDB_TEST_SEED", 0);
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(first));
  for (uint64_t life = 0; life < FromEnvironment("AKIDB_CRASH_LIVES", 1); ++life) {
    for (ErrorCode code : {ErrorCode::kIo, ErrorCode::kStorageFull}) {
      for (bool for_ever : {false, true}) {
        const FaultRun run{first + life, code, for_ever};
        bool reached = true;
        for (uint64_t fail_at = 0; reached; ++fail_at, ++faults) {
          ASSERT_LT(fail_at, 2000u);
          ASSERT_EQ(FailOperation(run, fail_at, reached), "")
              << "life " << run.seed << ", operation " << fail_at;
        }
      }
    }
  }
  std::cout << faults << " faults of logs\n";
}

}  // namespace
}  // namespace akidb::storage
