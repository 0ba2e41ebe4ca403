#include "storage/wal/log.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

using env::SimulatedFileSystem;
using env::SimulatedOperation;

class LogTest : public testing::Test {
 protected:
  SimulatedFileSystem fs_{1};
  LogWorld world_{fs_};
};

TEST_F(LogTest, ReplaysWhatWasAppendedInOrder) {
  auto log = world_.MustOpen();
  EXPECT_EQ(log->last_seq(), 0u);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(AppendNext(*log, 10).ok());
  EXPECT_EQ(log->last_seq(), 100u);
  EXPECT_EQ(log->durable_seq(), 100u);
  ASSERT_TRUE(log->Close().ok());
  log = world_.MustOpen();
  EXPECT_EQ(world_.replayed, 100u);
  EXPECT_EQ(log->last_seq(), 100u);
  EXPECT_TRUE(world_.report.clean_shutdown);
  EXPECT_EQ(world_.report.records_replayed, 100u);
  EXPECT_EQ(world_.report.torn_bytes, 0u);
}

TEST_F(LogTest, KeepsBodiesOfEveryLengthAroundTheFrames) {
  LogOptions options = OptionsFor(kLogFolder);
  options.file_bytes_max = 64 << 20;
  auto log = world_.MustOpen(options);
  std::vector<size_t> lengths = {0, 1, 31, 32, 33, 63, 64, 65};
  for (size_t frames = 1; frames < 4; ++frames) {
    for (size_t off = 0; off < 140; ++off) lengths.push_back(frames * 32768 - off);
  }
  for (size_t length : lengths) ASSERT_TRUE(EnqueueNext(*log, length).ok());
  ASSERT_TRUE(log->Sync().ok());
  log.reset();
  world_.MustOpen(options);
  EXPECT_EQ(world_.replayed, lengths.size());
}

TEST_F(LogTest, KeepsARecordThatIsLongerThanAFile) {
  auto log = world_.MustOpen();
  ASSERT_TRUE(AppendNext(*log, 100).ok());
  ASSERT_TRUE(AppendNext(*log, 70 << 20).ok());
  ASSERT_TRUE(AppendNext(*log, 100).ok());
  EXPECT_EQ(log->stats().files, 3u);
  log.reset();
  world_.MustOpen();
  EXPECT_EQ(world_.replayed, 3u);
}

TEST_F(LogTest, RefusesARecordOverTheBoundAndGoesOn) {
  auto log = world_.MustOpen();
  std::vector<std::byte> body(kLogRecordBytesMax + 1);
  EXPECT_EQ(log->Enqueue(1, body).status().code(), ErrorCode::kTooLarge);
  EXPECT_EQ(log->last_seq(), 0u);
  EXPECT_TRUE(AppendNext(*log, 10).ok());
}

TEST_F(LogTest, RefusesToPileUpMoreThanItsBound) {
  LogOptions options = OptionsFor(kLogFolder);
  options.pending_bytes_max = 1000;
  auto log = world_.MustOpen(options);
  ASSERT_TRUE(EnqueueNext(*log, 2000).ok());
  EXPECT_EQ(EnqueueNext(*log, 1).status().code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(log->last_seq(), 1u);
  ASSERT_TRUE(log->Sync().ok());
  EXPECT_TRUE(AppendNext(*log, 1).ok());
}

TEST_F(LogTest, WaitingForTheLastOfManyTakesOneSync) {
  auto log = world_.MustOpen();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(EnqueueNext(*log, 100).ok());
  EXPECT_EQ(log->durable_seq(), 0u);
  ASSERT_TRUE(log->Wait(50).ok());
  EXPECT_EQ(log->durable_seq(), 50u);
  EXPECT_EQ(log->stats().syncs, 1u);
  EXPECT_EQ(log->stats().records, 50u);
  EXPECT_TRUE(log->Wait(1).ok());
  EXPECT_EQ(log->Wait(51).code(), ErrorCode::kInvalidArgument);
}

TEST_F(LogTest, BeginsNewFilesAndCutsTheOldOnes) {
  auto log = world_.MustOpen();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(AppendNext(*log, 1600).ok());
  size_t files = LogFiles(fs_).size();
  EXPECT_GE(files, 5u);
  EXPECT_EQ(log->stats().files, files);
  ASSERT_TRUE(log->CutBefore(0).ok());
  EXPECT_EQ(LogFiles(fs_).size(), files);
  ASSERT_TRUE(log->CutBefore(100).ok());
  EXPECT_LT(LogFiles(fs_).size(), files);
  log.reset();
  LogOptions options = OptionsFor(kLogFolder);
  options.start_after_seq = 100;
  log = world_.MustOpen(options);
  EXPECT_EQ(world_.first_replayed, 101u);
  EXPECT_EQ(world_.last_replayed, 200u);
  // The file in use stays even when all of it is superfluous.
  ASSERT_TRUE(log->CutBefore(200).ok());
  EXPECT_EQ(LogFiles(fs_).size(), 1u);
  ASSERT_TRUE(AppendNext(*log, 10).ok());
}

TEST_F(LogTest, RotateLetsEverythingBeforeItBeCut) {
  auto log = world_.MustOpen();
  log->Rotate();
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  EXPECT_EQ(LogFiles(fs_).size(), 1u);
  log->Rotate();
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  EXPECT_EQ(LogFiles(fs_), (std::vector<std::string>{LogFileName(1), LogFileName(3)}));
  ASSERT_TRUE(log->CutBefore(2).ok());
  EXPECT_EQ(LogFiles(fs_), std::vector<std::string>{LogFileName(3)});
}

TEST_F(LogTest, AnIdleLogLetsItsOnlyFileGo) {
  auto log = world_.MustOpen();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(AppendNext(*log, 5000).ok());
  ASSERT_TRUE(log->CutBefore(3).ok());
  EXPECT_EQ(LogFiles(fs_), std::vector<std::string>{LogFileName(1)});  // not without Rotate
  log->Rotate();
  ASSERT_TRUE(log->CutBefore(2).ok());
  EXPECT_EQ(LogFiles(fs_), std::vector<std::string>{LogFileName(1)});
  ASSERT_TRUE(log->CutBefore(3).ok());
  EXPECT_EQ(LogFiles(fs_), std::vector<std::string>{LogFileName(4)});
  ASSERT_TRUE(log->CutBefore(3).ok());
  EXPECT_EQ(log->last_seq(), 3u);
  log.reset();
  LogOptions options = OptionsFor(kLogFolder);
  options.start_after_seq = 3;
  options.create = false;
  log = world_.MustOpen(options);
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  log.reset();
  ASSERT_TRUE(world_.MustOpen(options));
  EXPECT_EQ(world_.first_replayed, 4u);
  EXPECT_EQ(world_.replayed, 1u);
}

TEST_F(LogTest, SkipsWhatIsSafeElsewhere) {
  auto log = world_.MustOpen();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(AppendNext(*log, 10).ok());
  log.reset();
  LogOptions options = OptionsFor(kLogFolder);
  options.start_after_seq = 7;
  log = world_.MustOpen(options);
  EXPECT_EQ(world_.first_replayed, 8u);
  EXPECT_EQ(world_.report.records_skipped, 7u);
  log.reset();
  // Segments may be ahead of a log whose last records were not synced.
  options.start_after_seq = 20;
  log = world_.MustOpen(options);
  EXPECT_EQ(world_.replayed, 0u);
  EXPECT_EQ(log->last_seq(), 20u);
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  log.reset();
  world_.MustOpen(options);
  EXPECT_EQ(world_.first_replayed, 21u);
  EXPECT_EQ(world_.last_replayed, 21u);
}

TEST_F(LogTest, GoesOnInTheSameFileAfterAnOrderlyEnd) {
  for (uint64_t round = 1; round <= 20; ++round) {
    auto log = world_.MustOpen();
    EXPECT_EQ(log->last_seq(), (round - 1) * 3);
    EXPECT_EQ(world_.report.clean_shutdown, round > 1);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(AppendNext(*log, 10).ok());
  }
  EXPECT_EQ(LogFiles(fs_).size(), 1u);
  for (int round = 0; round < 5; ++round) world_.MustOpen();
  EXPECT_EQ(world_.replayed, 60u);
  EXPECT_EQ(LogFiles(fs_).size(), 1u);
}

TEST_F(LogTest, RefusesAFolderOfAnotherCollection) {
  ASSERT_TRUE(AppendNext(*world_.MustOpen(), 10).ok());
  LogOptions options = OptionsFor(kLogFolder);
  options.collection_uuid.bytes[3] = 1;
  Status status = world_.Open(options).status();
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("belongs to"), std::string_view::npos);
}

TEST_F(LogTest, RefusesAnEmptyFolderWhereALogMustBe) {
  LogOptions options = OptionsFor(kLogFolder);
  options.create = false;
  EXPECT_EQ(world_.Open(options).status().code(), ErrorCode::kCorruption);
}

TEST_F(LogTest, RefusesOptionsOutOfBounds) {
  LogOptions options = OptionsFor(kLogFolder);
  options.window_us = 2001;
  EXPECT_EQ(world_.Open(options).status().code(), ErrorCode::kInvalidArgument);
  options = OptionsFor(kLogFolder);
  options.file_bytes_max = 65535;
  EXPECT_EQ(world_.Open(options).status().code(), ErrorCode::kInvalidArgument);
}

TEST_F(LogTest, AnErrorOfTheReplayFunctionEndsTheRecovery) {
  ASSERT_TRUE(AppendNext(*world_.MustOpen(), 10).ok());
  auto logger = MakeNullLogger();
  auto log = Log::Open(
      {fs_, world_.random(), *logger}, OptionsFor(kLogFolder),
      [](const LogRecord&) { return InternalError("no"); }, nullptr);
  EXPECT_EQ(log.status().code(), ErrorCode::kInternal);
}

TEST_F(LogTest, TakesNothingAfterClose) {
  auto log = world_.MustOpen();
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  ASSERT_TRUE(log->Close().ok());
  ASSERT_TRUE(log->Close().ok());
  EXPECT_EQ(EnqueueNext(*log, 10).status().code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(log->Wait(1).ok());
}

TEST_F(LogTest, RemovesFilesThatWereNeverFinished) {
  ASSERT_TRUE(AppendNext(*world_.MustOpen(), 10).ok());
  ASSERT_TRUE(fs_.Open(LogPath(9) + ".tmp", env::OpenMode::kCreate).ok());
  ASSERT_TRUE(fs_.Open(env::JoinPath(kLogFolder, "note.txt"), env::OpenMode::kCreate).ok());
  world_.MustOpen();
  EXPECT_EQ(LogFiles(fs_), (std::vector<std::string>{LogFileName(1), "note.txt"}));
}

// Holds every sync until it is let go.
class Gate {
 public:
  void Hold() {
    std::unique_lock lock(mutex_);
    ++held_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_ || passes_ > 0; });
    if (!open_) --passes_;
  }
  void AwaitHeld(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_ >= count; });
  }
  void LetOnePass() {
    std::unique_lock lock(mutex_);
    ++passes_;
    changed_.notify_all();
  }
  void Open() {
    std::unique_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int held_ = 0;
  int passes_ = 0;
  bool open_ = false;
};

TEST_F(LogTest, WritersThatComeDuringASyncShareTheNextOne) {
  auto log = world_.MustOpen();
  Gate gate;
  fs_.SetSyncDelay([&] { gate.Hold(); });
  ASSERT_TRUE(EnqueueNext(*log, 10).ok());
  std::thread leader([&] { EXPECT_TRUE(log->Wait(1).ok()); });
  gate.AwaitHeld(1);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(EnqueueNext(*log, 10).ok());
  EXPECT_EQ(log->durable_seq(), 0u);
  std::vector<std::thread> followers;
  for (uint64_t seq = 2; seq <= 9; ++seq) {
    followers.emplace_back([&, seq] { EXPECT_TRUE(log->Wait(seq).ok()); });
  }
  gate.LetOnePass();
  leader.join();
  gate.AwaitHeld(2);
  EXPECT_EQ(log->durable_seq(), 1u);
  gate.Open();
  for (std::thread& thread : followers) thread.join();
  EXPECT_EQ(log->durable_seq(), 9u);
  EXPECT_EQ(log->stats().syncs, 2u);
}

TEST_F(LogTest, ASyncMakesNothingDurableThatComesDuringIt) {
  auto log = world_.MustOpen();
  Gate gate;
  fs_.SetSyncDelay([&] { gate.Hold(); });
  ASSERT_TRUE(EnqueueNext(*log, 10).ok());
  std::thread leader([&] { EXPECT_TRUE(log->Wait(1).ok()); });
  gate.AwaitHeld(1);
  ASSERT_TRUE(EnqueueNext(*log, 10).ok());
  gate.Open();
  leader.join();
  EXPECT_EQ(log->durable_seq(), 1u);
}

TEST_F(LogTest, ManyWritersLoseNothingAndKeepTheirOrder) {
  constexpr int kThreads = 8;
  constexpr int kRecords = 400;
  auto log = world_.MustOpen();
  std::mutex order;  // as the engine's writer lock
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      uint64_t before = 0;
      for (int i = 0; i < kRecords; ++i) {
        Result<uint64_t> seq = InternalError("");
        {
          std::lock_guard lock(order);
          seq = EnqueueNext(*log, static_cast<size_t>((t * 977 + i * 131) % 3000));
        }
        ASSERT_TRUE(seq.ok()) << seq.status().ToString();
        ASSERT_GT(*seq, before);
        before = *seq;
        if (i % 100 == 50) log->Rotate();
        ASSERT_TRUE(log->Wait(*seq).ok());
        ASSERT_GE(log->durable_seq(), *seq);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log->last_seq(), uint64_t{kThreads * kRecords});
  log.reset();
  world_.MustOpen();
  EXPECT_EQ(world_.replayed, uint64_t{kThreads * kRecords});
}

TEST_F(LogTest, IntervalModeAcknowledgesWhatTheSystemHasAndSyncsLater) {
  LogOptions options = OptionsFor(kLogFolder);
  options.durability = Durability::kInterval;
  options.interval_ms = 3'600'000;
  auto log = world_.MustOpen(options);
  uint64_t syncs = fs_.counters().data_syncs;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(AppendNext(*log, 10).ok());
  EXPECT_EQ(fs_.counters().data_syncs, syncs);
  EXPECT_EQ(log->durable_seq(), 0u);
  EXPECT_EQ(log->stats().records, 10u);
  ASSERT_TRUE(log->Sync().ok());
  EXPECT_EQ(log->durable_seq(), 10u);
  ASSERT_TRUE(AppendNext(*log, 10).ok());
  log.reset();  // an orderly end syncs
  fs_.Crash(1);
  world_.MustOpen(options);
  EXPECT_EQ(world_.replayed, 11u);
}

TEST_F(LogTest, IntervalModeSyncsByItself) {
  constexpr std::chrono::seconds kPatience{20};
  LogOptions options = OptionsFor(kLogFolder);
  options.durability = Durability::kInterval;
  options.interval_ms = 1;
  auto log = world_.MustOpen(options);
  std::mutex mutex;
  std::condition_variable changed;
  int syncs = 0;
  fs_.SetSyncDelay([&] {
    std::lock_guard lock(mutex);
    ++syncs;
    changed.notify_all();
  });
  for (int round = 1; round <= 3; ++round) {
    // Not even waited for.
    ASSERT_TRUE(EnqueueNext(*log, 10).ok());
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, kPatience, [&] { return syncs >= round; })) {
      ADD_FAILURE() << "no sync in round " << round;
      break;
    }
  }
  log.reset();
  world_.MustOpen(options);
  EXPECT_EQ(world_.replayed, 3u);
}

}  // namespace
}  // namespace akidb::storage
