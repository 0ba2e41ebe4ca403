// Compiled with -mavx2 -mfma -mf16c; called only where the processor has all three.
#include <immintrin.h>

#include "simd/float_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// Eight rows of a list have more sums than there are registers; more rows under way are worth the
// spills, because lists wait for memory.
struct Avx2Lane {
  using Reg = __m256;
  static constexpr size_t kWidth = 8;
  static constexpr size_t kListRows = 8;
  static constexpr size_t kManyQueries = 2;

  static Reg Zero() { return _mm256_setzero_ps(); }
  static Reg Load(const float* from) { return _mm256_loadu_ps(from); }
  static Reg LoadOfStream(const float* from) { return Load(from); }
  static Reg LoadPart(const float* from, size_t count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(from,
                              _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane));
  }
  static Reg LoadHalves(const uint16_t* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Reg LoadBytes(const uint8_t* from) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  }
  static void Store(float* to, Reg a) { _mm256_storeu_ps(to, a); }
  static void StoreHalves(uint16_t* to, Reg a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
  }
  static Reg Add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg Subtract(Reg a, Reg b) { return _mm256_sub_ps(a, b); }
  static Reg Absolute(Reg a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  static Reg MultiplyAdd(Reg a, Reg b, Reg sum) { return _mm256_fmadd_ps(a, b, sum); }
  static float Sum(Reg a) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
};

}  // namespace

constinit const Kernels kAvx2Kernels = MakeKernels<Avx2Lane>("avx2");

}  // namespace akidb::simd
