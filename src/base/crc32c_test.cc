#include "base/crc32c.h"

#include <cstdlib>
#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace akidb {
namespace {

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20240611;
}

uint32_t OfText(std::string_view text) { return Crc32c(std::as_bytes(std::span(text))); }

// The definition: one bit after the other.
uint32_t BitByBit(std::span<const std::byte> data) {
  uint32_t crc = 0xFFFFFFFF;
  for (std::byte value : data) {
    crc ^= static_cast<uint32_t>(value);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

std::vector<std::byte> RandomBytes(size_t count, std::mt19937_64& random) {
  std::vector<std::byte> data(count);
  for (std::byte& value : data) value = static_cast<std::byte>(random());
  return data;
}

TEST(Crc32c, MatchesPublishedVectors) {
  EXPECT_EQ(OfText(""), 0u);
  EXPECT_EQ(OfText("a"), 0xC1D04330u);
  EXPECT_EQ(OfText("123456789"), 0xE3069283u);
  // RFC 3720, appendix B.4.
  std::vector<std::byte> data(32, std::byte{0});
  EXPECT_EQ(Crc32c(data), 0x8A9136AAu);
  data.assign(32, std::byte{0xFF});
  EXPECT_EQ(Crc32c(data), 0x62A8AB43u);
  for (size_t i = 0; i < 32; ++i) data[i] = static_cast<std::byte>(i);
  EXPECT_EQ(Crc32c(data), 0x46DD794Eu);
  for (size_t i = 0; i < 32; ++i) data[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(Crc32c(data), 0x113FDB5Cu);
}

TEST(Crc32c, EqualsTheDefinitionForEveryLengthAroundTheStretches) {
  std::mt19937_64 random(TestSeed());
  SCOPED_TRACE(testing::Message() << "AKIDB_TEST_SEED=" << TestSeed());
  std::vector<std::byte> data = RandomBytes(3 * 4096 + 3 * 256 + 64, random);
  for (size_t length = 0; length <= 1700; ++length) {
    std::span<const std::byte> part = std::span(data).first(length);
    ASSERT_EQ(Crc32c(part), BitByBit(part)) << length;
  }
  for (size_t length = 3 * 4096 - 9; length <= data.size(); length += 7) {
    std::span<const std::byte> part = std::span(data).last(length);
    ASSERT_EQ(Crc32c(part), BitByBit(part)) << length;
  }
}

TEST(Crc32c, TablesEqualTheInstruction) {
  std::mt19937_64 random(TestSeed());
  SCOPED_TRACE(testing::Message() << "AKIDB_TEST_SEED=" << TestSeed());
  std::vector<std::byte> data = RandomBytes(100'000, random);
  for (int round = 0; round < 300; ++round) {
    size_t start = random() % data.size();
    std::span<const std::byte> part =
        std::span(data).subspan(start, random() % (data.size() - start));
    uint32_t before = static_cast<uint32_t>(random());
    ASSERT_EQ(ExtendCrc32cPortable(before, part), ExtendCrc32c(before, part));
  }
}

TEST(Crc32c, ExtendingPartByPartEqualsTheWhole) {
  std::mt19937_64 random(TestSeed());
  SCOPED_TRACE(testing::Message() << "AKIDB_TEST_SEED=" << TestSeed());
  std::vector<std::byte> data = RandomBytes(50'000, random);
  uint32_t whole = Crc32c(data);
  for (int round = 0; round < 100; ++round) {
    uint32_t crc = 0;
    for (std::span<const std::byte> rest(data); !rest.empty();) {
      size_t length = std::min<size_t>(rest.size(), 1 + random() % 9000);
      crc = ExtendCrc32c(crc, rest.first(length));
      rest = rest.subspan(length);
    }
    ASSERT_EQ(crc, whole);
  }
}

}  // namespace
}  // namespace akidb
