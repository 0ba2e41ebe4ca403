// Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512vnni; called only where the processor has
// all of them.
#include "simd/code_avx512_lane.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

struct Avx512VnniLane : CodeAvx512Lane<Avx512VnniLane> {
  // By a table of half a byte, as in code_kernels_avx2.cc.
  static __m256i CountBits(__m256i bytes) {
    const __m256i mask = _mm256_set1_epi8(15);
    const __m256i table = _mm256_broadcastsi128_si256(Table());
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(bytes, mask));
    const __m256i high =
        _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask));
    return _mm256_add_epi8(low, high);
  }
  static __m512i CountBits(__m512i bytes) {
    const __m512i table = _mm512_broadcast_i32x4(Table());
    return _mm512_add_epi8(_mm512_shuffle_epi8(table, LowNibbles(bytes)),
                           _mm512_shuffle_epi8(table, LowNibbles(_mm512_srli_epi16(bytes, 4))));
  }

 private:
  static __m128i Table() { return _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4); }
};

}  // namespace

constinit const CodeKernels kAvx512VnniCodeKernels =
    MakeCodeKernels<Avx512VnniLane>({"avx512vnni", "avx512"});

}  // namespace akidb::simd
