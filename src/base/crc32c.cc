#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#define AKIDB_CRC32C_HARDWARE 1
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define AKIDB_CRC32C_HARDWARE 1
#endif

namespace akidb {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected

// "Slicing": table n holds what a byte becomes after n more zero bytes.
constexpr std::array<std::array<uint32_t, 256>, 8> MakeSlices() {
  std::array<std::array<uint32_t, 256>, 8> slices{};
  for (uint32_t value = 0; value < 256; ++value) {
    uint32_t crc = value;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    slices[0][value] = crc;
  }
  for (uint32_t value = 0; value < 256; ++value) {
    for (size_t n = 1; n < 8; ++n) {
      uint32_t before = slices[n - 1][value];
      slices[n][value] = (before >> 8) ^ slices[0][before & 0xFF];
    }
  }
  return slices;
}

constexpr auto kSlices = MakeSlices();

uint32_t ExtendByTables(uint32_t crc, const std::byte* at, const std::byte* end) {
  for (; end - at >= 8; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= crc;
    crc = 0;
    for (size_t n = 0; n < 8; ++n) crc ^= kSlices[7 - n][word >> (8 * n) & 0xFF];
  }
  for (; at != end; ++at) {
    crc = (crc >> 8) ^ kSlices[0][(crc ^ static_cast<uint32_t>(*at)) & 0xFF];
  }
  return crc;
}

#if defined(AKIDB_CRC32C_HARDWARE)

// The 32 x 32 bit matrix that appends zeros to a CRC, as four tables of 256 columns each.
using ZerosTable = std::array<std::array<uint32_t, 256>, 4>;

// The instruction takes three cycles but one can start every cycle, so three stretches of the input
// are worked on at once and their CRCs joined by shifting them over the bytes that follow.
constexpr size_t kLongStretch = 4096;
constexpr size_t kShortStretch = 256;

constexpr uint32_t AppendZeroBit(uint32_t crc) {
  return (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
}

// What `bytes` zero bytes, a power of two, make of each single bit, by squaring.
constexpr std::array<uint32_t, 32> ZerosMatrix(size_t bytes) {
  std::array<uint32_t, 32> matrix{};
  for (uint32_t bit = 0; bit < 32; ++bit) matrix[bit] = AppendZeroBit(uint32_t{1} << bit);
  for (size_t bits = 1; bits < bytes * 8; bits *= 2) {
    std::array<uint32_t, 32> square{};
    for (uint32_t bit = 0; bit < 32; ++bit) {
      uint32_t vector = matrix[bit];
      for (uint32_t i = 0; i < 32; ++i) {
        if ((vector >> i & 1) != 0) square[bit] ^= matrix[i];
      }
    }
    matrix = square;
  }
  return matrix;
}

constexpr ZerosTable MakeZerosTable(size_t bytes) {
  std::array<uint32_t, 32> matrix = ZerosMatrix(bytes);
  ZerosTable table{};
  for (uint32_t byte = 0; byte < 4; ++byte) {
    for (uint32_t value = 0; value < 256; ++value) {
      for (uint32_t bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1) != 0) table[byte][value] ^= matrix[byte * 8 + bit];
      }
    }
  }
  return table;
}

constexpr ZerosTable kLongZeros = MakeZerosTable(kLongStretch);
constexpr ZerosTable kShortZeros = MakeZerosTable(kShortStretch);

uint32_t Shift(const ZerosTable& zeros, uint32_t crc) {
  return zeros[0][crc & 0xFF] ^ zeros[1][crc >> 8 & 0xFF] ^ zeros[2][crc >> 16 & 0xFF] ^
         zeros[3][crc >> 24];
}

uint64_t Load64(const std::byte* from) {
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

#if defined(__SSE4_2__)
uint32_t Step8(uint32_t crc, uint64_t word) {
  return static_cast<uint32_t>(_mm_crc32_u64(crc, word));
}
uint32_t Step1(uint32_t crc, std::byte value) {
  return _mm_crc32_u8(crc, static_cast<unsigned char>(value));
}
#else
uint32_t Step8(uint32_t crc, uint64_t word) { return __crc32cd(crc, word); }
uint32_t Step1(uint32_t crc, std::byte value) {
  return __crc32cb(crc, static_cast<unsigned char>(value));
}
#endif

template <size_t kStretch>
const std::byte* ThreeStretches(const ZerosTable& zeros, const std::byte* at, uint32_t& crc) {
  uint32_t crc1 = 0;
  uint32_t crc2 = 0;
  for (size_t i = 0; i < kStretch; i += 8) {
    crc = Step8(crc, Load64(at + i));
    crc1 = Step8(crc1, Load64(at + i + kStretch));
    crc2 = Step8(crc2, Load64(at + i + 2 * kStretch));
  }
  crc = Shift(zeros, crc) ^ crc1;
  crc = Shift(zeros, crc) ^ crc2;
  return at + 3 * kStretch;
}

uint32_t Extend(uint32_t crc, const std::byte* at, const std::byte* end) {
  auto left = [&] { return static_cast<size_t>(end - at); };
  while (left() >= 3 * kLongStretch) at = ThreeStretches<kLongStretch>(kLongZeros, at, crc);
  while (left() >= 3 * kShortStretch) at = ThreeStretches<kShortStretch>(kShortZeros, at, crc);
  for (; left() >= 8; at += 8) crc = Step8(crc, Load64(at));
  for (; at != end; ++at) crc = Step1(crc, *at);
  return crc;
}

#endif

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::span<const std::byte> data) {
#if defined(AKIDB_CRC32C_HARDWARE)
  return ~Extend(~crc, data.data(), data.data() + data.size());
#else
  return ExtendCrc32cPortable(crc, data);
#endif
}

uint32_t ExtendCrc32cPortable(uint32_t crc, std::span<const std::byte> data) {
  return ~ExtendByTables(~crc, data.data(), data.data() + data.size());
}

}  // namespace akidb
