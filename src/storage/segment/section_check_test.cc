// Segments that are damaged or cut off, looked at by whoever copies them.
#include "storage/segment/section_check.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"
#include "storage/segment/test_segment.h"

namespace akidb::storage {
namespace {

struct Stored {
  explicit Stored(const TestShape& shape) {
    EXPECT_TRUE(fs.CreateDirectories("seg").ok());
    std::mt19937_64 random(TestSeed());
    Result<WrittenSegment> written =
        WriteSegment(fs, TestOptions("seg"), RandomRows(shape, random));
    EXPECT_TRUE(written.ok()) << written.status().ToString();
    file = written->file;
  }
  std::string path() const { return "seg/" + file.name; }
  env::SimulatedFileSystem fs{1};
  FileRef file;
};

bool IsRefusal(const Status& status) {
  return status.code() == ErrorCode::kCorruption || status.code() == ErrorCode::kUnsupported;
}

Status CheckWhileReading(Stored& stored) {
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> file,
                         stored.fs.Open(stored.path(), env::OpenMode::kRead));
  AKIDB_ASSIGN_OR_RETURN(SectionCheck check, SectionCheck::Open(*file, stored.file));
  std::vector<std::byte> piece(2 * kSectionBlockBytes);
  for (uint64_t offset = 0;; offset += piece.size()) {
    AKIDB_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(offset, piece));
    if (got == 0) return OkStatus();
    AKIDB_RETURN_IF_ERROR(check.Update(std::span(piece).first(got)));
  }
}

TEST(SectionCheckTest, FindsEveryFlippedBit) {
  Stored stored({.rows = 12, .payload_bytes = 60});
  ASSERT_TRUE(CheckWhileReading(stored).ok());
  for (uint64_t bit = 0; bit < stored.file.bytes * 8; ++bit) {
    ASSERT_TRUE(stored.fs.FlipBit(stored.path(), bit).ok());
    ASSERT_TRUE(IsRefusal(CheckWhileReading(stored))) << bit;
    ASSERT_TRUE(stored.fs.FlipBit(stored.path(), bit).ok());
  }
}

TEST(SectionCheckTest, FindsDamageInAnyOfManyBlocks) {
  Stored stored({.rows = 3000, .payload_bytes = 100});
  ASSERT_GT(stored.file.bytes, 3 * kSectionBlockBytes);
  ASSERT_TRUE(CheckWhileReading(stored).ok());
  for (uint64_t byte = 0; byte < stored.file.bytes; byte += 4999) {
    ASSERT_TRUE(stored.fs.FlipBit(stored.path(), 8 * byte).ok());
    ASSERT_TRUE(IsRefusal(CheckWhileReading(stored))) << byte;
    ASSERT_TRUE(stored.fs.FlipBit(stored.path(), 8 * byte).ok());
  }
}

TEST(SectionCheckTest, FindsEveryTruncation) {
  Stored stored({.rows = 12, .payload_bytes = 60});
  auto file = *stored.fs.Open(stored.path(), env::OpenMode::kReadWrite);
  for (uint64_t bytes = stored.file.bytes; bytes > 0; bytes -= std::min<uint64_t>(bytes, 7)) {
    ASSERT_TRUE(file->Truncate(bytes - 1).ok());
    ASSERT_EQ(CheckWhileReading(stored).code(), ErrorCode::kCorruption) << bytes;
    stored.file.bytes = bytes - 1;  // nor is it found to be whole where the list has this length
    if (bytes > 1) ASSERT_EQ(CheckWhileReading(stored).code(), ErrorCode::kCorruption) << bytes;
    stored.file.bytes = bytes;
  }
}

}  // namespace
}  // namespace akidb::storage
