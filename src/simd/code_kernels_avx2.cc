// Compiled with -mavx2; called only where the processor has it.
#include <immintrin.h>

#include "simd/code_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// The product of unsigned and signed bytes leaves sums of two in 16 bits, and those saturate. A
// code of 4 bits makes at most 2 x 15 x 127 = 3,810 of them, so eight can be added before they are
// widened; one of 7 bits 2 x 127 x 127 = 32,258, so each is widened at once.
struct Avx2Lane {
  struct Part {
    __m256i first;
    __m256i second;
  };
  using Sum = __m256i;
  static constexpr size_t kTile = 4;
  static constexpr size_t kBlock = 4;
  static constexpr size_t kMany = 4;

  static Sum Zero() { return _mm256_setzero_si256(); }
  static Part Load(const int8_t* from) { return {LoadReg(from), LoadReg(from + 32)}; }
  static Sum AddU7(Sum sum, const Part& query, const std::byte* codes) {
    sum = Widen(sum, _mm256_maddubs_epi16(LoadReg(codes), query.first));
    return Widen(sum, _mm256_maddubs_epi16(LoadReg(codes + 32), query.second));
  }
  static Sum AddU4(Sum sum, const Part& low, const Part& high, const std::byte* codes) {
    const __m256i pairs = _mm256_add_epi16(Pairs(LoadReg(codes), low.first, high.first),
                                           Pairs(LoadReg(codes + 32), low.second, high.second));
    return Widen(sum, pairs);
  }
  static Sum AddHalfU4(Sum sum, const Part& query, const std::byte* codes) {
    return Widen(sum, Pairs(LoadReg(codes), query.first, query.second));
  }
  static Sum AddU1(Sum sum, const int8_t* planes, const std::byte* codes) {
    sum = AddBits(sum, planes, LoadReg(codes));
    return AddBits(sum, planes + 32, LoadReg(codes + 32));
  }
  static Sum AddPartU1(Sum sum, const int8_t* planes, const std::byte* codes, size_t bytes) {
    if (bytes >= 32) {
      sum = AddBits(sum, planes, LoadReg(codes));
      planes += 32;
      codes += 32;
      bytes -= 32;
    }
    if (bytes == 0) return sum;
    const __m256i wanted = _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(bytes / 8)),
                                              _mm256_setr_epi64x(0, 1, 2, 3));
    const auto* words = reinterpret_cast<const long long*>(codes);
    return AddBits(sum, planes, _mm256_maskload_epi64(words, wanted));
  }
  static int32_t Total(Sum sum) {
    __m128i four = Halves(sum);
    __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
  }
  static void StoreTotals(const Sum* sums, int32_t* out) {
    const __m256i four =
        _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), Halves(four));
  }

 private:
  static __m256i LoadReg(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
  }
  static __m256i Pairs(__m256i both, __m256i low, __m256i high) {
    const __m256i mask = _mm256_set1_epi8(15);
    return _mm256_add_epi16(
        _mm256_maddubs_epi16(_mm256_and_si256(both, mask), low),
        _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(both, 4), mask), high));
  }
  // Bits are counted by tables of half a byte (Mula, "SSSE3: fast popcount", 2008) that hold the
  // counts times the plane's weight: all four of a byte add up to -64 at least and 56 at most.
  static Sum AddBits(Sum sum, const int8_t* planes, __m256i codes) {
    __m256i counts = CountBits<1>(codes, planes);
    counts = _mm256_add_epi8(counts, CountBits<2>(codes, planes + kCodeChunk));
    counts = _mm256_add_epi8(counts, CountBits<4>(codes, planes + 2 * kCodeChunk));
    counts = _mm256_add_epi8(counts, CountBits<-8>(codes, planes + 3 * kCodeChunk));
    return Widen(sum, _mm256_maddubs_epi16(_mm256_set1_epi8(1), counts));
  }
  template <char kWeight>
  static __m256i CountBits(__m256i codes, const int8_t* plane) {
    constexpr char k1 = kWeight;
    constexpr char k2 = 2 * kWeight;
    constexpr char k3 = 3 * kWeight;
    constexpr char k4 = 4 * kWeight;
    const __m256i table =
        _mm256_setr_epi8(0, k1, k1, k2, k1, k2, k2, k3, k1, k2, k2, k3, k2, k3, k3, k4, 0, k1, k1,
                         k2, k1, k2, k2, k3, k1, k2, k2, k3, k2, k3, k3, k4);
    const __m256i mask = _mm256_set1_epi8(15);
    const __m256i both = _mm256_and_si256(codes, LoadReg(plane));
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(both, mask));
    const __m256i high =
        _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(both, 4), mask));
    return _mm256_add_epi8(low, high);
  }
  static Sum Widen(Sum sum, __m256i pairs) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static __m128i Halves(__m256i a) {
    return _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  }
};

}  // namespace

constinit const CodeKernels kAvx2CodeKernels = MakeCodeKernels<Avx2Lane>({"avx2", "avx2"});

}  // namespace akidb::simd
