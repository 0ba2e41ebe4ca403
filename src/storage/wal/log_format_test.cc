#include "storage/wal/log_format.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "storage/wal/log_fixture.h"

namespace akidb::storage {
namespace {

std::string Hex(std::span<const std::byte> bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (std::byte value : bytes) {
    hex.push_back(kHex[static_cast<size_t>(value) >> 4]);
    hex.push_back(kHex[static_cast<size_t>(value) & 15]);
  }
  return hex;
}

LogFileHeader SomeHeader() {
  LogFileHeader header;
  for (uint8_t i = 0; i < 16; ++i) {
    header.file_uuid.bytes[i] = i;
    header.collection_uuid.bytes[i] = static_cast<uint8_t>(0xF0 + i);
  }
  header.epoch = 7;
  header.first_seq = 0x1122334455667788;
  header.checksum_before = 0xCAFEBABE;
  return header;
}

void SetCrc(std::vector<std::byte>& page) {
  uint32_t crc = Crc32c(std::span(page).first(4092));
  std::memcpy(page.data() + 4092, &crc, sizeof crc);
}

TEST(LogFileHeader, HasTheBytesOfTheFormatPage) {
  std::vector<std::byte> page = EncodeLogFileHeader(SomeHeader());
  ASSERT_EQ(page.size(), 4096u);
  EXPECT_EQ(Hex(std::span(page).first(76)),
            "414b4944424c4f47"                  // AKIDBLOG
            "01000000"                          // version
            "00000000"                          // mandatory features
            "00000000"                          // optional features
            "00800000"                          // frame
            "000102030405060708090a0b0c0d0e0f"  // file
            "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"  // collection
            "0700000000000000"                  // epoch
            "8877665544332211"                  // first sequence number
            "bebafeca");                        // checksum before
  EXPECT_EQ(Hex(std::span(page).last(4)), "eb7d7667");
}

TEST(LogFileHeader, ReadsBackWhatWasWritten) {
  auto header = DecodeLogFileHeader(EncodeLogFileHeader(SomeHeader()), "f");
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->file_uuid, SomeHeader().file_uuid);
  EXPECT_EQ(header->collection_uuid, SomeHeader().collection_uuid);
  EXPECT_EQ(header->epoch, 7u);
  EXPECT_EQ(header->first_seq, 0x1122334455667788u);
  EXPECT_EQ(header->checksum_before, 0xCAFEBABEu);
}

TEST(LogFileHeader, EveryFlippedBitIsFound) {
  const std::vector<std::byte> page = EncodeLogFileHeader(SomeHeader());
  for (size_t bit = 0; bit < page.size() * 8; ++bit) {
    std::vector<std::byte> damaged = page;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    ASSERT_EQ(DecodeLogFileHeader(damaged, "f").status().code(), ErrorCode::kCorruption) << bit;
  }
  EXPECT_EQ(DecodeLogFileHeader(std::span(page).first(4095), "f").status().code(),
            ErrorCode::kCorruption);
}

TEST(LogFileHeader, RefusesNewerVersionsAndUnknownMandatoryFeatures) {
  std::vector<std::byte> page = EncodeLogFileHeader(SomeHeader());
  page[8] = std::byte{2};
  SetCrc(page);
  Status newer = DecodeLogFileHeader(page, "f.log").status();
  EXPECT_EQ(newer.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(newer.message(),
            "f.log has log format version 2 and mandatory features 0; this program reads version 1 "
            "without any: open it with a newer AkiDB");
  page[8] = std::byte{1};
  page[12] = std::byte{4};
  SetCrc(page);
  EXPECT_EQ(DecodeLogFileHeader(page, "f").status().code(), ErrorCode::kUnsupported);
  page[12] = std::byte{0};
  page[16] = std::byte{4};
  SetCrc(page);
  EXPECT_TRUE(DecodeLogFileHeader(page, "f").ok());
}

TEST(LogFileName, IsHexadecimalAndSortsAsTheNumbers) {
  EXPECT_EQ(LogFileName(0xA1), "00000000000000a1.log");
  EXPECT_EQ(LogFileName(UINT64_MAX), "ffffffffffffffff.log");
  EXPECT_EQ(ParseLogFileName("00000000000000a1.log"), 0xA1u);
  for (const char* name : {"a1.log", "00000000000000A1.log", "00000000000000a1.log.tmp",
                           "00000000000000g1.log", "x00000000000000a1.log", ""}) {
    EXPECT_EQ(ParseLogFileName(name), std::nullopt) << name;
  }
}

TEST(LogFragment, HasTheBytesOfTheFormatPage) {
  std::vector<std::byte> bytes;
  const std::byte body[] = {std::byte{1}, std::byte{2}, std::byte{3}};
  LayOutRecord({0x0102030405060708, 9, body}, 4096, bytes);
  uint32_t seed = ChecksumSeed(SomeHeader().file_uuid);
  uint32_t last = SealFragments(bytes, 4096, {seed, 0xCAFEBABE, 4096});
  EXPECT_EQ(Hex(bytes),
            "2c9c9d68"          // checksum
            "bebafeca"          // checksum before
            "0807060504030201"  // sequence number
            "00100000"          // durable
            "03000000"          // record length
            "00000000"          // offset in the body
            "0300"              // part length
            "01"                // kind
            "09"                // type
            "010203");
  EXPECT_EQ(last, 0x689D9C2Cu);
}

TEST(LogFragment, RecordEndForetellsTheLayout) {
  std::mt19937_64 random(TestSeed());
  SCOPED_TRACE(testing::Message() << "AKIDB_TEST_SEED=" << TestSeed());
  for (int round = 0; round < 3000; ++round) {
    uint64_t offset = 4096 + random() % 100'000;
    size_t length = random() % 3 == 0 ? random() % 200'000 : random() % 100;
    // Around the ends of frames, where the cases are.
    if (round % 2 == 0) offset = 32768 * (1 + random() % 3) - random() % 140;
    if (round % 5 == 0) length = 32736 * (random() % 4) + random() % 3;
    std::vector<std::byte> body(length);
    std::vector<std::byte> bytes;
    LayOutRecord({1, 1, body}, offset, bytes);
    ASSERT_EQ(offset + bytes.size(), RecordEnd(offset, length)) << offset << " " << length;
    // No fragment crosses a frame, and the body is all there.
    uint64_t seen = 0;
    for (uint64_t at = NextFragmentStart(offset); at < offset + bytes.size();) {
      FragmentHeader header =
          DecodeFragmentHeader(std::span(bytes).subspan(at - offset).first<32>());
      ASSERT_EQ(header.body_offset, seen);
      seen += header.part_bytes;
      uint64_t end = at + 32 + header.part_bytes;
      ASSERT_EQ(at / 32768, (end - 1) / 32768);
      at = NextFragmentStart(end);
    }
    ASSERT_EQ(seen, length);
  }
}

}  // namespace
}  // namespace akidb::storage
