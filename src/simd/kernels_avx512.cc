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
  // In halves: Zen 4 reads a stream faster by loads of 256 bits, most of all where rows are short.
  static Reg LoadOfStream(const float* from) {
    const __m512d low = _mm512_castps_pd(_mm512_castps256_ps512(_mm256_loadu_ps(from)));
    return _mm512_castpd_ps(
        _mm512_insertf64x4(low, _mm256_castps_pd(_mm256_loadu_ps(from + 8)), 1));
  }
  static Reg LoadPart(const float* from, size_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
  }
  static Reg LoadHalves(const uint16_t* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Reg LoadBytes(const uint8_t* from) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  }
  static void Store(float* to, Reg a) { _mm512_storeu_ps(to, a); }
  static void StoreHalves(uint16_t* to, Reg a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
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
