#include "storage/snapshot/archive.h"

#include <vector>

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"

namespace akidb::storage {
namespace {

using Bytes = std::vector<std::byte>;

Bytes BytesOf(std::string_view text) {
  auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() { EXPECT_TRUE(fs_.CreateDirectories("/a").ok()); }

  void Put(const Bytes& bytes) {
    static_cast<void>(fs_.Remove("/a/x"));
    auto file = fs_.Open("/a/x", env::OpenMode::kCreate);
    ASSERT_TRUE(file.ok() && (*file)->WriteAt(0, bytes).ok());
  }
  Bytes Get() { return BytesOf(*env::ReadWholeFile(fs_, "/a/x", 1 << 20)); }

  // "name:content;" of each entry.
  Result<std::string> Read() {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<ArchiveReader> reader, ArchiveReader::Open(fs_, "/a/x"));
    std::string all;
    for (;;) {
      AKIDB_ASSIGN_OR_RETURN(std::optional<ArchiveEntry> entry, reader->Next());
      if (!entry) return all;
      std::string content(entry->bytes, ' ');
      AKIDB_RETURN_IF_ERROR(reader->Read(std::as_writable_bytes(std::span(content))).status());
      all += entry->name + ":" + content + ";";
    }
  }

  void Write() {
    auto writer = ArchiveWriter::Create(fs_, "/a/x");
    ASSERT_TRUE(writer.ok());
    for (auto [name, content] : {std::pair{"one", "1"}, std::pair{"two.seg", "22"}}) {
      ASSERT_TRUE((*writer)->Begin(name, std::string_view(content).size()).ok());
      ASSERT_TRUE((*writer)->Append(BytesOf(content)).ok());
    }
    auto finished = (*writer)->Finish();
    ASSERT_TRUE(finished.ok());
    EXPECT_EQ(finished->bytes, Get().size());
  }

  // An archive of one entry, whose header is changed and given the sum that then belongs to it.
  Status ReadChanged(size_t offset, std::string_view field) {
    auto header = ArchiveHeader("name", 3);
    std::copy(field.begin(), field.end(), reinterpret_cast<char*>(header.data()) + offset);
    std::fill(header.begin() + 148, header.begin() + 156, std::byte{' '});
    unsigned sum = 0;
    for (std::byte b : header) sum += std::to_integer<unsigned>(b);
    char text[8];
    snprintf(text, sizeof text, "%06o", sum);
    std::copy(text, text + 7, reinterpret_cast<char*>(header.data()) + 148);
    Bytes bytes(header.begin(), header.end());
    bytes.resize(512 * 4);
    Put(bytes);
    return Read().status();
  }

  env::SimulatedFileSystem fs_{1};
};

TEST_F(ArchiveTest, GivesBackWhatWasWritten) {
  Write();
  EXPECT_EQ(*Read(), "one:1;two.seg:22;");
}

TEST_F(ArchiveTest, EveryFlippedBitOutsideOfContentsIsRefused) {
  Write();
  const Bytes good = Get();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= std::byte(1 << bit % 8);
    Put(bad);
    Result<std::string> read = Read();
    const size_t place = bit / 8;
    const bool content = place == 512 || place == 1536 || place == 1537;
    EXPECT_EQ(read.ok(), content) << "bit " << bit;
    if (!read.ok()) EXPECT_EQ(read.status().code(), ErrorCode::kCorruption);
  }
}

TEST_F(ArchiveTest, EveryTruncationAndEveryLongerOneIsRefused) {
  Write();
  const Bytes good = Get();
  for (size_t bytes = 0; bytes < good.size(); ++bytes) {
    Put(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(bytes)));
    EXPECT_EQ(Read().status().code(), ErrorCode::kCorruption) << bytes;
  }
  Bytes longer = good;
  longer.resize(longer.size() + 512);
  Put(longer);
  EXPECT_EQ(Read().status().code(), ErrorCode::kCorruption);
}

TEST_F(ArchiveTest, RefusesWhatReachesOutOfAFolder) {
  EXPECT_TRUE(ReadChanged(0, "name").ok());
  for (const char* name : {"/etc/x", "../x", "..", ".x", "a/b", "a\\b", "a b", "\xC3\xA4"}) {
    EXPECT_EQ(ReadChanged(0, name).code(), ErrorCode::kCorruption) << name;
  }
  for (const char* type : {"1", "2", "3", "4", "5", "6", "7", "x", "g", "L", "K", "S"}) {
    EXPECT_EQ(ReadChanged(156, type).code(), ErrorCode::kCorruption) << type;
  }
  EXPECT_EQ(ReadChanged(157, "/etc/passwd").code(), ErrorCode::kCorruption);  // the link's target
  EXPECT_EQ(ReadChanged(345, "../..").code(), ErrorCode::kCorruption);        // the name's prefix
}

TEST_F(ArchiveTest, RefusesSizesBeyondTheArchive) {
  for (const char* size : {"00000004000", "77777777777", "-0000000001", "00000000009",
                           "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x90"}) {
    EXPECT_EQ(ReadChanged(124, size).code(), ErrorCode::kCorruption) << size;
  }
}

TEST_F(ArchiveTest, RefusesAnEntryThatStandsThereTwice) {
  const auto header = ArchiveHeader("name", 0);
  Bytes bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.resize(512 * 4);
  Put(bytes);
  EXPECT_EQ(Read().status().code(), ErrorCode::kCorruption);
}

TEST_F(ArchiveTest, SizesBeyondOctalDigitsAreBinary) {
  const auto header = ArchiveHeader("big", uint64_t{1} << 33);
  EXPECT_EQ(header[124], std::byte{0x80});
  EXPECT_EQ(header[131], std::byte{2});
}

TEST_F(ArchiveTest, AnArchiveThatIsNotFinishedIsRemoved) {
  {
    auto writer = ArchiveWriter::Create(fs_, "/a/x");
    ASSERT_TRUE(writer.ok() && (*writer)->Begin("one", 1).ok());
  }
  EXPECT_TRUE(fs_.List("/a")->empty());
}

}  // namespace
}  // namespace akidb::storage
