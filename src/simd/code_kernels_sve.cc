// Compiled with -march=armv8.2-a+sve; called only where the processor has it.
#include <arm_sve.h>

#include "simd/code_kernels_impl.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// Registers of any length, which only the processor knows: so they can't be members, and the sums
// of a tile are named one by one.
struct SveLane {
  static constexpr size_t kTile = 4;
  static constexpr size_t kBlock = 1;
  static constexpr size_t kMany = 4;
};

// A part of one row: `bytes` of codes, and those of them from `at` that `lanes` selects.
struct Part {
  const int8_t* query;
  const std::byte* codes;
  size_t at;
  size_t bytes;
};

svuint8_t Bytes(svbool_t lanes, const Part& part) {
  return svld1_u8(lanes, reinterpret_cast<const uint8_t*>(part.codes) + part.at);
}

svint32_t AddPart(U7Codes, svint32_t sum, svbool_t lanes, const Part& part) {
  const svint8_t codes = svreinterpret_s8_u8(Bytes(lanes, part));
  return svdot_s32(sum, codes, svld1_s8(lanes, part.query + part.at));
}

svint32_t AddPart(U4Codes, svint32_t sum, svbool_t lanes, const Part& part) {
  const svuint8_t both = Bytes(lanes, part);
  const svint8_t low = svreinterpret_s8_u8(svand_n_u8_x(lanes, both, 15));
  const svint8_t high = svreinterpret_s8_u8(svlsr_n_u8_x(lanes, both, 4));
  sum = svdot_s32(sum, low, svld1_s8(lanes, part.query + part.at));
  return svdot_s32(sum, high, svld1_s8(lanes, part.query + part.bytes + part.at));
}

svint32_t AddPart(U1Codes, svint32_t sum, svbool_t lanes, const Part& part) {
  constexpr int8_t kWeights[kU1QueryBits] = {1, 2, 4, -8};
  const svuint8_t codes = Bytes(lanes, part);
  const int8_t* plane = part.query + part.at;
  for (int8_t weight : kWeights) {
    const svuint8_t bits = svreinterpret_u8_s8(svld1_s8(lanes, plane));
    const svuint8_t counts = svcnt_u8_z(lanes, svand_u8_z(lanes, codes, bits));
    sum = svdot_s32(sum, svreinterpret_s8_u8(counts), svdup_n_s8(weight));
    plane += kCodeChunk;
  }
  return sum;
}

}  // namespace

template <class Codes, size_t kQueries, size_t kRows>
class CodeTile<SveLane, Codes, kQueries, kRows> {
 public:
  static constexpr size_t kSums = kQueries * kRows;
  static_assert(kSums == 1 || kSums == 2 || kSums == 4);

  CodeTile(const int8_t* const* queries, const std::byte* const* rows)
      : queries_(queries), rows_(rows) {}

  void Run(size_t dim, int32_t* out) const {
    svint32_t sum0 = svdup_n_s32(0);
    svint32_t sum1 = sum0;
    svint32_t sum2 = sum0;
    svint32_t sum3 = sum0;
    const size_t bytes = Codes::BytesOf(dim);
    size_t query_at = 0;
    for (size_t at = 0; at < bytes; at += kCodeChunk, query_at += Codes::kChunkQuery) {
      const size_t chunk = bytes - at < kCodeChunk ? bytes - at : kCodeChunk;
      for (size_t in_chunk = 0; in_chunk < chunk; in_chunk += svcntb()) {
        const svbool_t lanes = svwhilelt_b8_u64(in_chunk, chunk);
        auto part = [&](size_t i) {
          return Part{queries_[i / kRows] + query_at, rows_[i % kRows] + at, in_chunk, chunk};
        };
        sum0 = AddPart(Codes(), sum0, lanes, part(0));
        if constexpr (kSums > 1) sum1 = AddPart(Codes(), sum1, lanes, part(1));
        if constexpr (kSums > 2) sum2 = AddPart(Codes(), sum2, lanes, part(2));
        if constexpr (kSums > 2) sum3 = AddPart(Codes(), sum3, lanes, part(3));
      }
    }
    out[0] = Total(sum0);
    if constexpr (kSums > 1) out[1] = Total(sum1);
    if constexpr (kSums > 2) out[2] = Total(sum2);
    if constexpr (kSums > 2) out[3] = Total(sum3);
  }

 private:
  static int32_t Total(svint32_t sum) {
    return static_cast<int32_t>(svaddv_s32(svptrue_b32(), sum));
  }

  const int8_t* const* queries_;
  const std::byte* const* rows_;
};

constinit const CodeKernels kSveCodeKernels = MakeCodeKernels<SveLane>({"sve", "neon"});

}  // namespace akidb::simd
