// Compiled with -march=armv8.2-a+dotprod; called only where the processor has it.
#include <arm_neon.h>

#include "simd/code_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// All codes are below 128 and so the signed product, which every such processor has, will do.
struct NeonDotLane {
  using Part = int8x16x4_t;
  using Sum = int32x4_t;
  static constexpr size_t kTile = 4;

  static Sum Zero() { return vdupq_n_s32(0); }
  static Part Load(const int8_t* from) { return vld1q_s8_x4(from); }
  static Sum AddU7(Sum sum, const Part& query, const std::byte* codes) {
    for (int i = 0; i < 4; ++i) {
      sum = vdotq_s32(sum, vreinterpretq_s8_u8(LoadReg(codes + 16 * i)), query.val[i]);
    }
    return sum;
  }
  static Sum AddU4(Sum sum, const Part& low, const Part& high, const std::byte* codes) {
    for (int i = 0; i < 4; ++i) {
      sum = AddBoth(sum, LoadReg(codes + 16 * i), low.val[i], high.val[i]);
    }
    return sum;
  }
  static Sum AddHalfU4(Sum sum, const Part& query, const std::byte* codes) {
    sum = AddBoth(sum, LoadReg(codes), query.val[0], query.val[2]);
    return AddBoth(sum, LoadReg(codes + 16), query.val[1], query.val[3]);
  }
  static int32_t Total(Sum sum) { return vaddvq_s32(sum); }
  static void StoreTotals(const Sum* sums, int32_t* out) {
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3])));
  }

 private:
  static uint8x16_t LoadReg(const std::byte* from) {
    return vld1q_u8(reinterpret_cast<const uint8_t*>(from));
  }
  static Sum AddBoth(Sum sum, uint8x16_t both, int8x16_t low, int8x16_t high) {
    sum = vdotq_s32(sum, vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))), low);
    return vdotq_s32(sum, vreinterpretq_s8_u8(vshrq_n_u8(both, 4)), high);
  }
};

}  // namespace

constinit const CodeKernels kNeonDotCodeKernels = MakeCodeKernels<NeonDotLane>("neondot");

}  // namespace akidb::simd
