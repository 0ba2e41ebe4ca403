// Segments on a device that can't read a part of them, or whose files become shorter while they are
// in use: an error of whoever wants that part, where touching it would end the process.
#include <filesystem>

#include <gtest/gtest.h>

#include "env/file_system.h"
#include "env/simulated_file_system.h"
#include "storage/segment/test_segment.h"

namespace akidb::storage {
namespace {

using Operation = env::SimulatedOperation;

// More than is read at once, so that there are several reads.
TestRows ManyRows() {
  std::mt19937_64 random(11);
  return RandomRows({.rows = 6000, .payload_bytes = 300}, random);
}

void ExpectUnreadable(const Status& status, const std::string& path) {
  EXPECT_EQ(status.code(), ErrorCode::kUnavailable) << status.ToString();
  EXPECT_TRUE(status.message().starts_with(path)) << status.message();
}

Status ReadAll(const SegmentReader& reader, const FileRef& file) {
  for (size_t ordinal = 0; ordinal < reader.vectors().size(); ++ordinal) {
    const uint32_t count = reader.vectors()[ordinal].count;
    AKIDB_RETURN_IF_ERROR(reader.Vectors(ordinal, 0, count).status());
  }
  return reader.VerifyAll(file.sha256);
}

TEST(SegmentMedia, EachReadThatFailsIsAnError) {
  env::SimulatedFileSystem fs(1);
  ASSERT_TRUE(fs.CreateDirectories("seg").ok());
  const SegmentWriteOptions options = TestOptions("seg");
  const auto written = WriteSegment(fs, options, ManyRows());
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  const std::string path = "seg/" + written->file.name;
  int on_opening = 0;
  for (int failing = 0;; ++failing) {
    int reads = 0;
    fs.SetFaultHook([&](const Operation& operation) {
      const bool fails = operation.kind == Operation::Kind::kRead && reads++ == failing;
      return fails ? IoError("a bad block") : OkStatus();
    });
    const auto reader = OpenTestSegment(fs, options, written->file.bytes);
    if (!reader.ok()) {
      ExpectUnreadable(reader.status(), path);
      ++on_opening;
      continue;
    }
    const Status status = ReadAll(**reader, written->file);
    if (reads <= failing) {
      EXPECT_TRUE(status.ok()) << status.ToString();
      EXPECT_GT(on_opening, 4);
      EXPECT_GT(failing, on_opening + 4);
      return;
    }
    ExpectUnreadable(status, path);
    // Once it can be read, it is.
    fs.SetFaultHook({});
    EXPECT_TRUE(ReadAll(**reader, written->file).ok());
  }
}

TEST(SegmentMedia, AFileThatHasBecomeShorterIsAnError) {
  for (const env::FetchWay way : {env::FetchWay::kBest, env::FetchWay::kReadAhead}) {
    std::string folder = testing::TempDir() + "akidb_media_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const auto fs = env::MakePosixFileSystem(way);
    const SegmentWriteOptions options = TestOptions(folder);
    const auto written = WriteSegment(*fs, options, ManyRows());
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    const std::string path = env::JoinPath(folder, written->file.name);
    const auto reader = OpenTestSegment(*fs, options, written->file.bytes);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    std::filesystem::resize_file(path, 4096);
    ExpectUnreadable(ReadAll(**reader, written->file), path);
    ExpectUnreadable((*reader)->VerifyAll(written->file.sha256), path);
    std::filesystem::remove_all(folder);
  }
}

}  // namespace
}  // namespace akidb::storage
