// What the tables of code kernels for Arm share. `Lane` is the table's own lane: being local to its
// file, it keeps these functions local, too.
#pragma once

#include <arm_neon.h>

#include "simd/code_kernels_impl.h"

namespace akidb::simd {

template <class Lane>
struct CodeNeonLane {
  using Part = int8x16x4_t;
  using Sum = int32x4_t;
  static constexpr size_t kTile = 4;
  static constexpr size_t kBlock = 4;
  static constexpr size_t kMany = 4;

  static Sum Zero() { return vdupq_n_s32(0); }
  static Part Load(const int8_t* from) { return vld1q_s8_x4(from); }
  static Sum AddU1(Sum sum, const int8_t* planes, const std::byte* codes) {
    for (size_t at = 0; at < kCodeChunk; at += 16) {
      sum = Lane::AddBits(sum, planes + at, Bytes(codes + at));
    }
    return sum;
  }
  static Sum AddPartU1(Sum sum, const int8_t* planes, const std::byte* codes, size_t bytes) {
    size_t at = 0;
    for (; at + 16 <= bytes; at += 16) sum = Lane::AddBits(sum, planes + at, Bytes(codes + at));
    if (at == bytes) return sum;
    const uint8x8_t last = vld1_u8(reinterpret_cast<const uint8_t*>(codes + at));
    return Lane::AddBits(sum, planes + at, vcombine_u8(last, vdup_n_u8(0)));
  }
  static int32_t Total(Sum sum) { return vaddvq_s32(sum); }
  static void StoreTotals(const Sum* sums, int32_t* out) {
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3])));
  }

 protected:
  // All codes are below 128, so signed bytes hold them.
  static int8x16_t Codes7(const std::byte* from) { return vreinterpretq_s8_u8(Bytes(from)); }
  static uint8x16_t Bytes(const std::byte* from) {
    return vld1q_u8(reinterpret_cast<const uint8_t*>(from));
  }
  // How many bits of each byte are set in both: at most 8, a signed byte.
  static int8x16_t CountBoth(const int8_t* plane, uint8x16_t codes) {
    return vreinterpretq_s8_u8(vcntq_u8(vandq_u8(codes, vreinterpretq_u8_s8(vld1q_s8(plane)))));
  }
  static int8x16_t LowNibbles(uint8x16_t both) {
    return vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
  }
  static int8x16_t HighNibbles(uint8x16_t both) { return vreinterpretq_s8_u8(vshrq_n_u8(both, 4)); }
};

}  // namespace akidb::simd
