#include "simd/code_kernels_impl.h"
#include "simd/code_neon_lane.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// For processors without dot products of bytes. 16 bits hold two products of a code of 7 bits
// (2 x 127 x 127 = 32,258) and 17 of one of 4 bits (17 x 15 x 127 = 32,385).
struct NeonLane : CodeNeonLane<NeonLane> {
  static Sum AddU7(Sum sum, const Part& query, const std::byte* codes) {
    for (int i = 0; i < 4; ++i) {
      sum = vpadalq_s16(sum, AddProducts(vdupq_n_s16(0), Codes7(codes + 16 * i), query.val[i]));
    }
    return sum;
  }
  static Sum AddU4(Sum sum, const Part& low, const Part& high, const std::byte* codes) {
    int16x8_t sixteen = vdupq_n_s16(0);
    for (int i = 0; i < 4; ++i) {
      const uint8x16_t both = Bytes(codes + 16 * i);
      sixteen = AddProducts(sixteen, LowNibbles(both), low.val[i]);
      sixteen = AddProducts(sixteen, HighNibbles(both), high.val[i]);
    }
    return vpadalq_s16(sum, sixteen);
  }
  static Sum AddHalfU4(Sum sum, const Part& query, const std::byte* codes) {
    int16x8_t eight = vdupq_n_s16(0);
    for (int i = 0; i < 2; ++i) {
      const uint8x16_t both = Bytes(codes + 16 * i);
      eight = AddProducts(eight, LowNibbles(both), query.val[i]);
      eight = AddProducts(eight, HighNibbles(both), query.val[2 + i]);
    }
    return vpadalq_s16(sum, eight);
  }
  // The four planes of a byte add up to -64 at least and 56 at most.
  static Sum AddBits(Sum sum, const int8_t* planes, uint8x16_t codes) {
    int8x16_t counts = CountBoth(planes, codes);
    counts = vmlaq_s8(counts, CountBoth(planes + kCodeChunk, codes), vdupq_n_s8(2));
    counts = vmlaq_s8(counts, CountBoth(planes + 2 * kCodeChunk, codes), vdupq_n_s8(4));
    counts = vmlaq_s8(counts, CountBoth(planes + 3 * kCodeChunk, codes), vdupq_n_s8(-8));
    return vpadalq_s16(sum, vpaddlq_s8(counts));
  }

 private:
  static int16x8_t AddProducts(int16x8_t sum, int8x16_t codes, int8x16_t query) {
    return vmlal_high_s8(vmlal_s8(sum, vget_low_s8(codes), vget_low_s8(query)), codes, query);
  }
};

}  // namespace

constinit const CodeKernels kNeonCodeKernels = MakeCodeKernels<NeonLane>({"neon", "neon"});

}  // namespace akidb::simd
