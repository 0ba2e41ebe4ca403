// Parts of a log that is in use, copied; each copy must open as a log of its own that holds exactly
// the records asked for.
#include "storage/wal/log_copy.h"

#include <gtest/gtest.h>

#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

constexpr char kCopyFolder[] = "/data/copy";
// Files of 64 KiB: some records span frames, and twenty of them fill several files.
constexpr size_t kBodyBytes = 20'000;
constexpr uint64_t kRecords = 20;

class LogCopyTest : public testing::Test {
 protected:
  LogCopyTest() {
    log_ = world_.MustOpen();
    for (uint64_t seq = 1; seq <= kRecords; ++seq) EXPECT_TRUE(AppendNext(*log_, kBodyBytes).ok());
  }

  Status Copy(uint64_t after_seq, uint64_t last_seq) {
    EXPECT_TRUE(disk_->RemoveAll(kCopyFolder).ok());
    return CopyLog(context_, {*disk_, *random_, *logger_},
                   {.from = kLogFolder,
                    .to = kCopyFolder,
                    .collection_uuid = OptionsFor(kLogFolder).collection_uuid,
                    .after_seq = after_seq,
                    .last_seq = last_seq});
  }
  void ExpectCopied(uint64_t after_seq, uint64_t last_seq) {
    LogWorld world(*disk_);
    LogOptions options = OptionsFor(kCopyFolder);
    options.start_after_seq = after_seq;
    options.create = false;
    auto copy = world.Open(options);
    ASSERT_TRUE(copy.ok()) << copy.status().ToString();
    EXPECT_TRUE(world.report.clean_shutdown);
    EXPECT_EQ(world.report.records_skipped, 0u);
    EXPECT_EQ(world.replayed, last_seq - after_seq);
    EXPECT_EQ((*copy)->last_seq(), last_seq);
  }
  // First sequence numbers of the log's files, ascending.
  std::vector<uint64_t> FirstSeqs() {
    std::vector<uint64_t> firsts;
    for (const std::string& name : LogFiles(*disk_)) firsts.push_back(*ParseLogFileName(name));
    return firsts;
  }
  void Overwrite(const std::string& path, uint64_t offset, std::string_view text) {
    auto file = disk_->Open(path, env::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->WriteAt(offset, std::as_bytes(std::span(text))).ok());
  }
  std::string LastFile() { return LogPath(FirstSeqs().back()); }

  RequestContext context_;
  std::unique_ptr<env::SimulatedFileSystem> disk_ = MakeDisk(1);
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(5);
  std::unique_ptr<Logger> logger_ = MakeNullLogger();
  LogWorld world_{*disk_};
  std::unique_ptr<Log> log_;
};

TEST_F(LogCopyTest, EveryRangeOfRecordsIsCopiedExactly) {
  ASSERT_GT(FirstSeqs().size(), 3u);
  for (uint64_t after = 0; after <= kRecords; ++after) {
    for (uint64_t last = after; last <= kRecords; ++last) {
      Status status = Copy(after, last);
      ASSERT_TRUE(status.ok()) << after << ".." << last << ": " << status.ToString();
      ExpectCopied(after, last);
    }
  }
}

TEST_F(LogCopyTest, TheLogGoesOnMeanwhile) {
  ASSERT_TRUE(AppendNext(*log_, kBodyBytes).ok());
  ASSERT_TRUE(Copy(0, kRecords).ok());
  ExpectCopied(0, kRecords);
  ASSERT_TRUE(AppendNext(*log_, kBodyBytes).ok());
  ASSERT_TRUE(Copy(kRecords, kRecords + 2).ok());
  ExpectCopied(kRecords, kRecords + 2);
}

TEST_F(LogCopyTest, BeginsInTheMiddleOfALogThatWasCut) {
  const uint64_t cut = FirstSeqs()[2];
  ASSERT_TRUE(log_->CutBefore(cut - 1).ok());
  ASSERT_EQ(FirstSeqs().front(), cut);
  ASSERT_TRUE(Copy(cut - 1, kRecords).ok());
  ExpectCopied(cut - 1, kRecords);
  // One record earlier is gone.
  EXPECT_EQ(Copy(cut - 2, kRecords).code(), ErrorCode::kCorruption);
}

TEST_F(LogCopyTest, WhatIsBehindTheLastRecordIsLeftOut) {
  // A torn write, and stale bytes in blocks that the log has only reserved.
  const std::string path = LastFile();
  const uint64_t end = (*disk_->Open(path, env::OpenMode::kRead))->Size().value();
  Overwrite(path, end, "the rest of a write that a power cut has torn");
  ASSERT_TRUE(Copy(3, kRecords).ok());
  ExpectCopied(3, kRecords);
  EXPECT_EQ(Copy(3, kRecords + 1).code(), ErrorCode::kCorruption);
}

TEST_F(LogCopyTest, RefusesMoreThanThereIsAndDamage) {
  const Status beyond = Copy(0, kRecords + 1);
  EXPECT_EQ(beyond.code(), ErrorCode::kCorruption);
  EXPECT_NE(beyond.message().find("record 21 is missing"), std::string::npos) << beyond.message();

  const std::vector<uint64_t> firsts = FirstSeqs();
  const std::string second = LogPath(firsts[1]);
  ASSERT_TRUE(disk_->FlipBit(second, (kLogHeaderBytes + 100) * 8).ok());
  EXPECT_EQ(Copy(0, kRecords).code(), ErrorCode::kCorruption);
  // What doesn't reach there is as good as ever.
  ASSERT_TRUE(Copy(0, firsts[1] - 1).ok());
  ExpectCopied(0, firsts[1] - 1);
  ASSERT_TRUE(Copy(firsts[2] - 1, kRecords).ok());
  ExpectCopied(firsts[2] - 1, kRecords);

  ASSERT_TRUE(disk_->Remove(second).ok());
  EXPECT_EQ(Copy(0, kRecords).code(), ErrorCode::kCorruption);
}

TEST_F(LogCopyTest, RefusesTheLogOfAnotherCollectionAndAFolderInUse) {
  LogCopy copy{
      .from = kLogFolder, .to = kCopyFolder, .collection_uuid = {}, .after_seq = 0, .last_seq = 3};
  const Status other = CopyLog(context_, {*disk_, *random_, *logger_}, copy);
  EXPECT_EQ(other.code(), ErrorCode::kCorruption) << other.ToString();
  ASSERT_TRUE(Copy(0, 3).ok());
  copy.collection_uuid = OptionsFor(kLogFolder).collection_uuid;
  EXPECT_EQ(CopyLog(context_, {*disk_, *random_, *logger_}, copy).code(), ErrorCode::kCorruption);
}

TEST_F(LogCopyTest, EndsWithTheRequest) {
  context_.Cancel();
  EXPECT_EQ(Copy(0, 3).code(), ErrorCode::kCancelled);
}

TEST_F(LogCopyTest, AFailedOperationIsReported) {
  for (uint64_t fail_at = 0;; ++fail_at) {
    ASSERT_LT(fail_at, 1000u);
    ASSERT_TRUE(disk_->RemoveAll(kCopyFolder).ok());
    bool hit = false;
    const uint64_t begin = disk_->counters().operations + 1;  // Copy clears the folder first
    disk_->SetFaultHook([&](const env::SimulatedOperation& operation) {
      if (operation.index != begin + fail_at) return OkStatus();
      hit = true;
      return IoError("broken");
    });
    const Status status = Copy(0, kRecords);
    disk_->SetFaultHook(nullptr);
    if (!hit) break;
    EXPECT_FALSE(status.ok()) << fail_at;
  }
  ASSERT_TRUE(Copy(0, kRecords).ok());
  ExpectCopied(0, kRecords);
}

}  // namespace
}  // namespace akidb::storage
