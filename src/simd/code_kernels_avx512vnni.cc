// Compiled with -mavx512f -mavx512bw -mavx512vnni; called only where the processor has all of them.
#include "simd/code_avx512_lane.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

struct Avx512VnniLane : CodeAvx512Lane<Avx512VnniLane> {
  // By a table of half a byte, as in code_kernels_avx2.cc.
  static __m512i CountBits(__m512i bytes) {
    const __m512i table =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    return _mm512_add_epi8(_mm512_shuffle_epi8(table, LowNibbles(bytes)),
                           _mm512_shuffle_epi8(table, LowNibbles(_mm512_srli_epi16(bytes, 4))));
  }
};

}  // namespace

constinit const CodeKernels kAvx512VnniCodeKernels = MakeCodeKernels<Avx512VnniLane>("avx512vnni");

}  // namespace akidb::simd
