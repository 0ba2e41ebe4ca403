// Compiled with -march=armv8.2-a+dotprod+i8mm; called only where the processor has both.
#include "simd/code_neondot_lane.h"
#include "simd/tables.h"

namespace akidb::simd {
namespace {

// A product of matrices multiplies two rows by two queries: twice the products of a dot product in
// one instruction, which only batches of queries can use. One query takes the dot product.
struct NeonI8mmLane : CodeNeonDotLane<NeonI8mmLane> {
  using CodeNeonDotLane<NeonI8mmLane>::Bytes;
  using CodeNeonDotLane<NeonI8mmLane>::Codes7;
  using CodeNeonDotLane<NeonI8mmLane>::HighNibbles;
  using CodeNeonDotLane<NeonI8mmLane>::LowNibbles;
};

constexpr size_t kSide = 4;  // rows, and queries, that are multiplied at once

// Of queries that are packed on the stack; longer rows take the dot product.
constexpr size_t kPackedDimMax = 4096;

// Eight components of the one query and eight of the other in turn.
void PackPair(const int8_t* a, const int8_t* b, size_t dim, int8_t* packed) {
  for (size_t d = 0; d < dim; d += 8) {
    vst1q_s8(packed + 2 * d, vcombine_s8(vld1_s8(a + d), vld1_s8(b + d)));
  }
}

// kSide rows times kSide packed queries.
class Products {
 public:
  Products(const int8_t* packed, size_t dim) : packed_(packed), pair_bytes_(2 * dim) {
    for (auto& of_rows : sums_) {
      for (auto& of_queries : of_rows) of_queries[0] = of_queries[1] = vdupq_n_s32(0);
    }
  }

  // 16 codes of each row, those of dimension d and up.
  void Add(const int8x16_t* codes, size_t d) {
    for (size_t r = 0; r < kSide / 2; ++r) {
      const int8x16_t first = Zip<1>(codes[2 * r], codes[2 * r + 1]);
      const int8x16_t second = Zip<2>(codes[2 * r], codes[2 * r + 1]);
      for (size_t q = 0; q < kSide / 2; ++q) {
        const int8_t* query = packed_ + q * pair_bytes_ + 2 * d;
        sums_[r][q][0] = vmmlaq_s32(sums_[r][q][0], first, vld1q_s8(query));
        sums_[r][q][1] = vmmlaq_s32(sums_[r][q][1], second, vld1q_s8(query + 16));
      }
    }
  }

  // out[q * stride + r]
  void Store(int32_t* out, size_t stride) const {
    for (size_t r = 0; r < kSide / 2; ++r) {
      for (size_t q = 0; q < kSide / 2; ++q) {
        int32_t four[4];
        vst1q_s32(four, vaddq_s32(sums_[r][q][0], sums_[r][q][1]));
        int32_t* at = out + 2 * q * stride + 2 * r;
        at[0] = four[0];
        at[stride] = four[1];
        at[1] = four[2];
        at[stride + 1] = four[3];
      }
    }
  }

 private:
  template <int kHalf>
  static int8x16_t Zip(int8x16_t a, int8x16_t b) {
    const int64x2_t wide_a = vreinterpretq_s64_s8(a);
    const int64x2_t wide_b = vreinterpretq_s64_s8(b);
    return vreinterpretq_s8_s64(kHalf == 1 ? vzip1q_s64(wide_a, wide_b)
                                           : vzip2q_s64(wide_a, wide_b));
  }

  const int8_t* packed_;
  size_t pair_bytes_;
  int32x4_t sums_[kSide / 2][kSide / 2][2];  // pair of rows, pair of queries, half of 16 codes
};

// `bytes` bytes of each row at `at`, whose first dimension is d.
struct Part {
  size_t at;
  size_t d;
  size_t bytes;
};

void AddPart(U7Codes, Products& products, const std::byte* const* rows, Part part) {
  for (size_t i = 0; i < part.bytes; i += 16) {
    int8x16_t codes[kSide];
    for (size_t r = 0; r < kSide; ++r) codes[r] = NeonI8mmLane::Codes7(rows[r] + part.at + i);
    products.Add(codes, part.d + i);
  }
}

void AddPart(U4Codes, Products& products, const std::byte* const* rows, Part part) {
  for (size_t i = 0; i < part.bytes; i += 16) {
    int8x16_t low[kSide];
    int8x16_t high[kSide];
    for (size_t r = 0; r < kSide; ++r) {
      const uint8x16_t both = NeonI8mmLane::Bytes(rows[r] + part.at + i);
      low[r] = NeonI8mmLane::LowNibbles(both);
      high[r] = NeonI8mmLane::HighNibbles(both);
    }
    products.Add(low, part.d + i);
    products.Add(high, part.d + part.bytes + i);
  }
}

// kSide queries on all rows of the range.
template <class Codes>
void Multiply(const int8_t* const* queries, const CodeRows& rows, CodeRange range, int32_t* out) {
  int8_t packed[kSide * kPackedDimMax];
  PackPair(queries[0], queries[1], rows.dim, packed);
  PackPair(queries[2], queries[3], rows.dim, packed + 2 * rows.dim);
  const size_t bytes = Codes::BytesOf(rows.dim);
  const std::byte* first = rows.base + range.first * rows.stride;
  size_t i = 0;
  for (; i + kSide <= range.count; i += kSide) {
    const std::byte* tile[kSide];
    for (size_t r = 0; r < kSide; ++r) tile[r] = first + (i + r) * rows.stride;
    Products products(packed, rows.dim);
    for (size_t at = 0; at < bytes; at += kCodeChunk) {
      const size_t left = bytes - at;
      const Part part{at, at / kCodeChunk * Codes::kChunkDim,
                      left < kCodeChunk ? left : kCodeChunk};
      AddPart(Codes(), products, tile, part);
    }
    products.Store(out + i, range.count);
  }
  for (; i < range.count; ++i) {
    const std::byte* row = first + i * rows.stride;
    int32_t totals[kSide];
    CodeTile<NeonI8mmLane, Codes, kSide, 1>(queries, &row).Run(rows.dim, totals);
    for (size_t q = 0; q < kSide; ++q) out[q * range.count + i] = totals[q];
  }
}

template <class Codes>
void Many(const CodeQueries& queries, const CodeRows& rows, CodeRange range, int32_t* out) {
  size_t q = 0;
  if (rows.dim <= kPackedDimMax) {
    for (; q + kSide <= queries.count; q += kSide) {
      Multiply<Codes>(queries.vectors + q, rows, range, out + q * range.count);
    }
  }
  CodeForms<NeonI8mmLane, Codes>::Many({queries.vectors + q, queries.count - q}, rows, range,
                                       out + q * range.count);
}

constexpr CodeKernels MakeKernels() {
  CodeKernels kernels = MakeCodeKernels<NeonI8mmLane>({"neoni8mm", "neon"});
  kernels.u4.many = Many<U4Codes>;
  kernels.u7.many = Many<U7Codes>;
  return kernels;
}

}  // namespace

constinit const CodeKernels kNeonI8mmCodeKernels = MakeKernels();

}  // namespace akidb::simd
