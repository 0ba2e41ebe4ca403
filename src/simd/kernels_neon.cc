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
  static Reg LoadPart(const float* from, size_t count) {
    float padded[kWidth] = {};
    for (size_t i = 0; i < count; ++i) padded[i] = from[i];
    return vld1q_f32(padded);
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
