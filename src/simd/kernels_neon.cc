#include <arm_neon.h>

#include "simd/float_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

struct NeonLane {
  using Reg = float32x4_t;
  static constexpr size_t kWidth = 4;
  static constexpr size_t kListRows = 4;
  static constexpr size_t kManyQueries = 4;

  static Reg Zero() { return vdupq_n_f32(0); }
  static Reg Load(const float* from) { return vld1q_f32(from); }
  static Reg LoadOfStream(const float* from) { return Load(from); }
  static Reg LoadPart(const float* from, size_t count) {
    float padded[kWidth] = {};
    for (size_t i = 0; i < count; ++i) padded[i] = from[i];
    return vld1q_f32(padded);
  }
  static Reg LoadHalves(const uint16_t* from) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)));
  }
  static Reg LoadBytes(const uint8_t* from) {
    uint32_t four;
    __builtin_memcpy(&four, from, sizeof(four));
    const uint16x8_t widened = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(widened)));
  }
  static void Store(float* to, Reg a) { vst1q_f32(to, a); }
  static void StoreHalves(uint16_t* to, Reg a) {
    vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32(a)));
  }
  static Reg Add(Reg a, Reg b) { return vaddq_f32(a, b); }
  static Reg Subtract(Reg a, Reg b) { return vsubq_f32(a, b); }
  static Reg Absolute(Reg a) { return vabsq_f32(a); }
  static Reg MultiplyAdd(Reg a, Reg b, Reg sum) { return vfmaq_f32(sum, a, b); }
  static float Sum(Reg a) { return vaddvq_f32(a); }
};

}  // namespace

constinit const Kernels kNeonKernels = MakeKernels<NeonLane>("neon");

}  // namespace akidb::simd
