// What the tables of code kernels for AVX-512 share; they differ in how the bits of each byte are
// counted. `Lane` is the table's own lane: being local to its file, it keeps these functions local,
// too.
#pragma once

#include <immintrin.h>

#include "simd/code_kernels_impl.h"

namespace akidb::simd {

template <class Lane>
struct CodeAvx512Lane {
  using Part = __m512i;
  using Sum = __m512i;
  static constexpr size_t kTile = 4;
  static constexpr size_t kBlock = 4;
  static constexpr size_t kMany = 4;

  static Sum Zero() { return _mm512_setzero_si512(); }
  static Part Load(const int8_t* from) { return _mm512_loadu_si512(from); }
  static Sum AddU7(Sum sum, Part query, const std::byte* codes) {
    return _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(codes), query);
  }
  static Sum AddU4(Sum sum, Part low, Part high, const std::byte* codes) {
    const __m512i both = _mm512_loadu_si512(codes);
    sum = _mm512_dpbusd_epi32(sum, LowNibbles(both), low);
    return _mm512_dpbusd_epi32(sum, LowNibbles(_mm512_srli_epi16(both, 4)), high);
  }
  static Sum AddHalfU4(Sum sum, Part query, const std::byte* codes) {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
    const __m512i apart =
        _mm512_inserti64x4(_mm512_castsi256_si512(both), _mm256_srli_epi16(both, 4), 1);
    return _mm512_dpbusd_epi32(sum, LowNibbles(apart), query);
  }
  static Sum AddU1(Sum sum, const int8_t* planes, const std::byte* codes) {
    return AddBits(sum, planes, _mm512_loadu_si512(codes));
  }
  static Sum AddPartU1(Sum sum, const int8_t* planes, const std::byte* codes, size_t bytes) {
    const auto wanted = static_cast<__mmask8>((1u << bytes / 8) - 1);
    if (bytes > 32) return AddBits(sum, planes, _mm512_maskz_loadu_epi64(wanted, codes));
    // Half as wide is twice as fast where a register is computed in two halves.
    const __m256i part = _mm256_maskz_loadu_epi64(wanted, codes);
    __m256i counts = _mm256_setzero_si256();
    for (size_t plane = 0; plane < kU1QueryBits; ++plane) {
      const void* from = planes + plane * kCodeChunk;
      const __m256i both =
          _mm256_and_si256(part, _mm256_loadu_si256(static_cast<const __m256i*>(from)));
      counts =
          _mm256_dpbusd_epi32(counts, Lane::CountBits(both), _mm256_set1_epi8(kWeights[plane]));
    }
    return _mm512_add_epi32(sum, _mm512_zextsi256_si512(counts));
  }
  static int32_t Total(Sum sum) { return _mm512_reduce_add_epi32(sum); }
  static void StoreTotals(const Sum* sums, int32_t* out) {
    const __m512i four = AddPairs64(AddPairs32(sums[0], sums[1]), AddPairs32(sums[2], sums[3]));
    const __m256i two =
        _mm256_add_epi32(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64(four, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1)));
  }

 protected:
  static __m512i LowNibbles(__m512i bytes) { return _mm512_and_si512(bytes, _mm512_set1_epi8(15)); }

 private:
  static constexpr char kWeights[kU1QueryBits] = {1, 2, 4, -8};

  // A product of bytes weighs the counts of a plane and widens them in one instruction.
  static Sum AddBits(Sum sum, const int8_t* planes, __m512i codes) {
    for (size_t plane = 0; plane < kU1QueryBits; ++plane) {
      const __m512i both = _mm512_and_si512(codes, Load(planes + plane * kCodeChunk));
      sum = _mm512_dpbusd_epi32(sum, Lane::CountBits(both), _mm512_set1_epi8(kWeights[plane]));
    }
    return sum;
  }
  // In each 128 bits: a0 + a2, b0 + b2, a1 + a3, b1 + b3.
  static __m512i AddPairs32(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  }
  static __m512i AddPairs64(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
  }
};

}  // namespace akidb::simd
