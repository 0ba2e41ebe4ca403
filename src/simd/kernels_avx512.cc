// Compiled with -mavx512f; called only where the processor has it.
#include <immintrin.h>

#include "simd/float_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

struct Avx512Lane {
  using Reg = __m512;
  static constexpr size_t kWidth = 16;
  static constexpr size_t kListRows = 8;
  static constexpr size_t kManyQueries = 4;

  static Reg Zero() { return _mm512_setzero_ps(); }
  static Reg Load(const float* from) { return _mm512_loadu_ps(from); }
  static Reg LoadPart(const float* from, size_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
  }
  static Reg Add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg Subtract(Reg a, Reg b) { return _mm512_sub_ps(a, b); }
  static Reg Absolute(Reg a) { return _mm512_abs_ps(a); }
  static Reg MultiplyAdd(Reg a, Reg b, Reg sum) { return _mm512_fmadd_ps(a, b, sum); }
  static float Sum(Reg a) { return _mm512_reduce_add_ps(a); }
};

}  // namespace

constinit const Kernels kAvx512Kernels = MakeKernels<Avx512Lane>("avx512");

}  // namespace akidb::simd
