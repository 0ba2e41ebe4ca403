// Power cuts and failing operations while a segment is written.
#include <gtest/gtest.h>

#include "env/simulated_file_system.h"
#include "storage/segment/test_segment.h"

namespace akidb::storage {
namespace {

constexpr uint64_t kSeedsPerOperation = 20;

std::unique_ptr<env::SimulatedFileSystem> MakeFileSystem(uint64_t seed) {
  auto fs = std::make_unique<env::SimulatedFileSystem>(seed);
  EXPECT_TRUE(fs->CreateDirectories("seg").ok());
  EXPECT_TRUE(fs->SyncDirectory(".").ok());
  return fs;
}

// Enough to be written in several pieces.
TestRows SomeRows() {
  std::mt19937_64 random(11);
  return RandomRows({.rows = 20000, .payload_bytes = 100}, random);
}

// "missing", "whole", or what is wrong with the segment.
std::string StateOf(env::FileSystem& fs, const SegmentWriteOptions& options,
                    const WrittenSegment& whole, const TestRows& rows) {
  auto reader = OpenTestSegment(fs, options, whole.file.bytes);
  if (reader.status().code() == ErrorCode::kNotFound) return "missing";
  if (!reader.ok()) return reader.status().ToString();
  Status all = (*reader)->VerifyAll(whole.file.sha256);
  if (!all.ok()) return all.ToString();
  if ((*reader)->rows() != rows.rows()) return "another segment";
  return "whole";
}

WrittenSegment WriteUndisturbed(const SegmentWriteOptions& options, const TestRows& rows) {
  auto fs = MakeFileSystem(1);
  Result<WrittenSegment> written = WriteSegment(*fs, options, rows);
  EXPECT_TRUE(written.ok());
  return *written;
}

TEST(SegmentCrash, AtAnyOperationLeavesAWholeSegmentOrNone) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  SegmentWriteOptions options = TestOptions("seg");
  TestRows rows = SomeRows();
  WrittenSegment whole = WriteUndisturbed(options, rows);
  std::map<std::string, int> states;
  bool finished = false;
  for (uint64_t operation = 0; !finished; ++operation) {
    ASSERT_LT(operation, 100u);
    auto fs = MakeFileSystem(seed + operation);
    fs->PowerOffAfter(operation);
    finished = WriteSegment(*fs, options, rows).ok();
    for (uint64_t i = 0; i < kSeedsPerOperation; ++i) {
      auto after = fs->CloneAfterCrash(seed * 1000 + operation * kSeedsPerOperation + i);
      std::string state = StateOf(*after, options, whole, rows);
      ASSERT_TRUE(state == "whole" || (state == "missing" && !finished))
          << state << " after " << operation << " changes";
      ++states[state];
    }
  }
  EXPECT_GT(states["missing"], 0);
  EXPECT_GT(states["whole"], 0);
}

TEST(SegmentCrash, AnyFailingOperationIsReportedAndAnotherAttemptSucceeds) {
  SegmentWriteOptions options = TestOptions("seg");
  TestRows rows = SomeRows();
  WrittenSegment whole = WriteUndisturbed(options, rows);
  for (bool full : {false, true}) {
    uint64_t failures = 0;
    for (bool finished = false; !finished; ++failures) {
      ASSERT_LT(failures, 200u);
      auto fs = MakeFileSystem(failures);
      bool armed = true;
      const uint64_t fail_at = fs->counters().operations + failures;
      fs->SetFaultHook([&](const env::SimulatedOperation& operation) {
        if (!armed || operation.index != fail_at) return OkStatus();
        return full ? StorageFullError("no space") : IoError("broken");
      });
      Status status = WriteSegment(*fs, options, rows).status();
      armed = false;
      finished = fs->counters().operations <= fail_at;
      if (!finished && !status.ok()) {
        EXPECT_EQ(status.code(), full ? ErrorCode::kStorageFull : ErrorCode::kIo);
        // After a failed sync of the folder the file may have its name; nothing is half written.
        std::string state = StateOf(*fs, options, whole, rows);
        EXPECT_TRUE(state == "missing" || state == "whole") << state;
      }
      Result<WrittenSegment> again = WriteSegment(*fs, options, rows);
      ASSERT_TRUE(again.ok()) << again.status().ToString();
      EXPECT_EQ(again->file, whole.file);
      EXPECT_EQ(StateOf(*fs, options, whole, rows), "whole");
      EXPECT_EQ(fs->List("seg")->size(), 1u);
    }
    EXPECT_GT(failures, 6u);
  }
}

TEST(SegmentCrash, AFullDiskLeavesNoTemporaryFile) {
  SegmentWriteOptions options = TestOptions("seg");
  auto fs = MakeFileSystem(1);
  fs->SetCapacity(1 << 20);
  EXPECT_EQ(WriteSegment(*fs, options, SomeRows()).status().code(), ErrorCode::kStorageFull);
  EXPECT_TRUE(fs->List("seg")->empty());
}

}  // namespace
}  // namespace akidb::storage
