// What the tables of code kernels for Arm with dot products of bytes share. `Lane` is the table's
// own lane: being local to its file, it keeps these functions local, too.
#pragma once

#include "simd/code_neon_lane.h"

namespace akidb::simd {

template <class Lane>
struct CodeNeonDotLane : CodeNeonLane<Lane> {
  using typename CodeNeonLane<Lane>::Part;
  using typename CodeNeonLane<Lane>::Sum;

  static Sum AddU7(Sum sum, const Part& query, const std::byte* codes) {
    for (int i = 0; i < 4; ++i) sum = vdotq_s32(sum, Codes7(codes + 16 * i), query.val[i]);
    return sum;
  }
  static Sum AddU4(Sum sum, const Part& low, const Part& high, const std::byte* codes) {
    for (int i = 0; i < 4; ++i) {
      sum = AddBoth(sum, Bytes(codes + 16 * i), low.val[i], high.val[i]);
    }
    return sum;
  }
  static Sum AddHalfU4(Sum sum, const Part& query, const std::byte* codes) {
    sum = AddBoth(sum, Bytes(codes), query.val[0], query.val[2]);
    return AddBoth(sum, Bytes(codes + 16), query.val[1], query.val[3]);
  }
  static Sum AddBits(Sum sum, const int8_t* planes, uint8x16_t codes) {
    sum = vdotq_s32(sum, CountBoth(planes, codes), vdupq_n_s8(1));
    sum = vdotq_s32(sum, CountBoth(planes + kCodeChunk, codes), vdupq_n_s8(2));
    sum = vdotq_s32(sum, CountBoth(planes + 2 * kCodeChunk, codes), vdupq_n_s8(4));
    return vdotq_s32(sum, CountBoth(planes + 3 * kCodeChunk, codes), vdupq_n_s8(-8));
  }

 protected:
  using CodeNeonLane<Lane>::Bytes;
  using CodeNeonLane<Lane>::Codes7;
  using CodeNeonLane<Lane>::CountBoth;
  using CodeNeonLane<Lane>::LowNibbles;
  using CodeNeonLane<Lane>::HighNibbles;

 private:
  static Sum AddBoth(Sum sum, uint8x16_t both, int8x16_t low, int8x16_t high) {
    return vdotq_s32(vdotq_s32(sum, LowNibbles(both), low), HighNibbles(both), high);
  }
};

}  // namespace akidb::simd
