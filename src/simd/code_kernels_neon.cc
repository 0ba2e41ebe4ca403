#include <arm_neon.h>

#include "simd/code_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// For processors without dot products of bytes. 16 bits hold two products of a code of 7 bits
// (2 x 127 x 127 = 32,258) and 17 of one of 4 bits (17 x 15 x 127 = 32,385).
struct NeonLane {
  using Part = int8x16x4_t;
  using Sum = int32x4_t;
  static constexpr size_t kTile = 4;

  static Sum Zero() { return vdupq_n_s32(0); }
  static Part Load(const int8_t* from) { return vld1q_s8_x4(from); }
  static Sum AddU7(Sum sum, const Part& query, const std::byte* codes) {
    for (int i = 0; i < 4; ++i) {
      const int8x16_t reg = vreinterpretq_s8_u8(LoadReg(codes + 16 * i));
      int16x8_t pairs = vmull_s8(vget_low_s8(reg), vget_low_s8(query.val[i]));
      sum = vpadalq_s16(sum, vmlal_high_s8(pairs, reg, query.val[i]));
    }
    return sum;
  }
  static Sum AddU4(Sum sum, const Part& low, const Part& high, const std::byte* codes) {
    int16x8_t sixteen = vdupq_n_s16(0);
    for (int i = 0; i < 4; ++i) {
      const uint8x16_t both = LoadReg(codes + 16 * i);
      sixteen = AddProducts(sixteen, LowNibbles(both), low.val[i]);
      sixteen = AddProducts(sixteen, HighNibbles(both), high.val[i]);
    }
    return vpadalq_s16(sum, sixteen);
  }
  static Sum AddHalfU4(Sum sum, const Part& query, const std::byte* codes) {
    int16x8_t eight = vdupq_n_s16(0);
    for (int i = 0; i < 2; ++i) {
      const uint8x16_t both = LoadReg(codes + 16 * i);
      eight = AddProducts(eight, LowNibbles(both), query.val[i]);
      eight = AddProducts(eight, HighNibbles(both), query.val[2 + i]);
    }
    return vpadalq_s16(sum, eight);
  }
  static int32_t Total(Sum sum) { return vaddvq_s32(sum); }
  static void StoreTotals(const Sum* sums, int32_t* out) {
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3])));
  }

 private:
  static uint8x16_t LoadReg(const std::byte* from) {
    return vld1q_u8(reinterpret_cast<const uint8_t*>(from));
  }
  static int8x16_t LowNibbles(uint8x16_t both) {
    return vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
  }
  static int8x16_t HighNibbles(uint8x16_t both) { return vreinterpretq_s8_u8(vshrq_n_u8(both, 4)); }
  static int16x8_t AddProducts(int16x8_t sum, int8x16_t codes, int8x16_t query) {
    return vmlal_high_s8(vmlal_s8(sum, vget_low_s8(codes), vget_low_s8(query)), codes, query);
  }
};

}  // namespace

constinit const CodeKernels kNeonCodeKernels = MakeCodeKernels<NeonLane>("neon");

}  // namespace akidb::simd
