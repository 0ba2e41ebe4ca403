// Compiled with -march=armv8.2-a+dotprod; called only where the processor has it.
#include "simd/code_kernels_impl.h"
#include "simd/code_neon_lane.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

struct NeonDotLane : CodeNeonLane<NeonDotLane> {
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

 private:
  static Sum AddBoth(Sum sum, uint8x16_t both, int8x16_t low, int8x16_t high) {
    return vdotq_s32(vdotq_s32(sum, LowNibbles(both), low), HighNibbles(both), high);
  }
};

}  // namespace

constinit const CodeKernels kNeonDotCodeKernels = MakeCodeKernels<NeonDotLane>("neondot");

}  // namespace akidb::simd
