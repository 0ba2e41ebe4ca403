// Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512vnni -mavx512bitalg; called only where the
// processor has all of them.
#include "simd/code_avx512_lane.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

struct Avx512BitalgLane : CodeAvx512Lane<Avx512BitalgLane> {
  static __m256i CountBits(__m256i bytes) { return _mm256_popcnt_epi8(bytes); }
  static __m512i CountBits(__m512i bytes) { return _mm512_popcnt_epi8(bytes); }
};

}  // namespace

constinit const CodeKernels kAvx512BitalgCodeKernels =
    MakeCodeKernels<Avx512BitalgLane>({"avx512bitalg", "avx512"});

}  // namespace akidb::simd
