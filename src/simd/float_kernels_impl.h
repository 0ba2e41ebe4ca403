// The one algorithm behind every table of float kernels. Included by kernels_<isa>.cc alone.
//
// A table's file defines a Lane in its anonymous namespace: the register type and the handful of
// operations on it. Templates over that type have internal linkage, which matters: an inline
// function with external linkage, compiled for AVX-512 here and for the baseline elsewhere, could
// be kept in its AVX-512 form by the linker and be called on a processor without it. For the same
// reason nothing of the standard library is used here.
//
// Every result is the sum of four accumulators: the i-th register of a row goes to accumulator
// i mod 4 while four registers are left, then to 0, 1, 2, and the last components that don't fill a
// register go to 3. This order depends on dim alone, so all forms give the same bits. Four chains
// also hide the latency of the multiply-add.
#pragma once

#include "simd/kernels.h"

namespace akidb::simd {

struct DotMeasure {
  template <class Lane, class Reg = typename Lane::Reg>
  static Reg Step(Reg sum, Reg a, Reg b) {
    return Lane::MultiplyAdd(a, b, sum);
  }
};

struct SquaredL2Measure {
  template <class Lane, class Reg = typename Lane::Reg>
  static Reg Step(Reg sum, Reg a, Reg b) {
    Reg difference = Lane::Subtract(a, b);
    return Lane::MultiplyAdd(difference, difference, sum);
  }
};

struct L1Measure {
  template <class Lane, class Reg = typename Lane::Reg>
  static Reg Step(Reg sum, Reg a, Reg b) {
    return Lane::Add(sum, Lane::Absolute(Lane::Subtract(a, b)));
  }
};

// kQueries x kRows results at once: each register that is loaded is used kQueries or kRows times.
// With kPrefetch, each line that is read of row r asks for the same line of next[r].
template <class Lane, class Measure, size_t kQueries, size_t kRows, bool kPrefetch = false>
class Tile {
 public:
  using Reg = typename Lane::Reg;
  static constexpr size_t kWidth = Lane::kWidth;
  static constexpr size_t kChains = 4;
  static constexpr size_t kLineFloats = 16;  // of a cache line

  // `next` may be anything that can be pointed to.
  Tile(const float* const* queries, const float* const* rows, const float* const* next = nullptr)
      : queries_(queries), rows_(rows), next_(next) {
    for (auto& of_query : sums_) {
      for (auto& of_row : of_query) {
        for (Reg& sum : of_row) sum = Lane::Zero();
      }
    }
  }

  // out[q * out_stride + r]
  void Run(size_t dim, float* out, size_t out_stride) {
    size_t at = 0;
    for (; at + kChains * kWidth <= dim; at += kChains * kWidth) {
      Step<0>(at);
      Step<1>(at + kWidth);
      Step<2>(at + 2 * kWidth);
      Step<3>(at + 3 * kWidth);
    }
    // Spelled out, because a chain chosen at run time would force the sums out of registers.
    if (at + kWidth <= dim) {
      Step<0>(at);
      at += kWidth;
    }
    if (at + kWidth <= dim) {
      Step<1>(at);
      at += kWidth;
    }
    if (at + kWidth <= dim) {
      Step<2>(at);
      at += kWidth;
    }
    if (at < dim) LastStep(at, dim - at);
    Store(out, out_stride);
  }

 private:
  template <size_t kChain>
  void Step(size_t at) {
    if constexpr (kPrefetch && kChain * kWidth % kLineFloats == 0) {
      for (size_t r = 0; r < kRows; ++r) __builtin_prefetch(next_[r] + at);
    }
    Reg row_parts[kRows];
    for (size_t r = 0; r < kRows; ++r) row_parts[r] = LoadRow(rows_[r] + at);
    for (size_t q = 0; q < kQueries; ++q) {
      Reg query_part = Lane::Load(queries_[q] + at);
      for (size_t r = 0; r < kRows; ++r) {
        Reg& sum = sums_[q][r][kChain];
        sum = Measure::template Step<Lane>(sum, query_part, row_parts[r]);
      }
    }
  }

  static Reg LoadRow(const float* from) {
    if constexpr (kQueries * kRows == 1) return Lane::LoadOfStream(from);
    return Lane::Load(from);
  }

  // Missing components are zeros on both sides, which add nothing to any measure.
  void LastStep(size_t at, size_t left) {
    for (size_t q = 0; q < kQueries; ++q) {
      Reg query_part = Lane::LoadPart(queries_[q] + at, left);
      for (size_t r = 0; r < kRows; ++r) {
        Reg& sum = sums_[q][r][kChains - 1];
        sum = Measure::template Step<Lane>(sum, query_part, Lane::LoadPart(rows_[r] + at, left));
      }
    }
  }

  void Store(float* out, size_t out_stride) {
    for (size_t q = 0; q < kQueries; ++q) {
      for (size_t r = 0; r < kRows; ++r) {
        Reg* sums = sums_[q][r];
        out[q * out_stride + r] =
            Lane::Sum(Lane::Add(Lane::Add(sums[0], sums[1]), Lane::Add(sums[2], sums[3])));
      }
    }
  }

  const float* const* queries_;
  const float* const* rows_;
  const float* const* next_;
  Reg sums_[kQueries][kRows][kChains];
};

template <class Lane, class Measure>
struct Forms {
  static float Pair(const float* a, const float* b, size_t dim) {
    float result;
    Tile<Lane, Measure, 1, 1>(&a, &b).Run(dim, &result, 1);
    return result;
  }

  // One row at a time: a single stream is what the processor's prefetcher follows best, and one row
  // keeps the arithmetic well ahead of memory. Two rows side by side halved the speed.
  static void Block(const float* query, const RowBlock& rows, float* out) {
    const float* row = rows.first;
    for (size_t i = 0; i < rows.count; ++i, row += rows.stride) out[i] = Pair(query, row, rows.dim);
  }

  // Several rows side by side, with the next ones on their way: the processor can't guess where the
  // next row of a list begins, and only many requests under way at once fill the memory's pipeline.
  static void List(const float* query, const RowList& rows, float* out) {
    constexpr size_t kTile = Lane::kListRows;
    const size_t tiled = rows.count - rows.count % kTile;
    for (size_t i = 0; i < tiled; i += kTile) {
      const float* tile[kTile];
      const float* next[kTile];
      for (size_t r = 0; r < kTile; ++r) {
        tile[r] = RowAt(rows, i + r);
        next[r] = i + kTile + r < rows.count ? RowAt(rows, i + kTile + r) : tile[r];
      }
      Tile<Lane, Measure, 1, kTile, true>(&query, tile, next).Run(rows.dim, out + i, 1);
    }
    for (size_t i = tiled; i < rows.count; ++i) out[i] = Pair(query, RowAt(rows, i), rows.dim);
  }

  // Several queries on one row: rows again form a single stream.
  static void Many(const QueryList& queries, const RowBlock& rows, float* out) {
    size_t q = 0;
    for (; q + Lane::kManyQueries <= queries.count; q += Lane::kManyQueries) {
      ManyOf<Lane::kManyQueries>(queries.vectors + q, rows, out + q * rows.count);
    }
    for (; q + 2 <= queries.count; q += 2) {
      ManyOf<2>(queries.vectors + q, rows, out + q * rows.count);
    }
    if (q < queries.count) Block(queries.vectors[q], rows, out + q * rows.count);
  }

 private:
  static const float* RowAt(const RowList& rows, size_t i) {
    return rows.base + rows.rows[i] * rows.stride;
  }

  template <size_t kQueries>
  static void ManyOf(const float* const* queries, const RowBlock& rows, float* out) {
    const float* row = rows.first;
    for (size_t i = 0; i < rows.count; ++i, row += rows.stride) {
      Tile<Lane, Measure, kQueries, 1>(queries, &row).Run(rows.dim, out + i, rows.count);
    }
  }
};

// A register at a time; what doesn't fill one goes through a padded copy.
template <class Lane>
struct Conversions {
  static constexpr size_t kWidth = Lane::kWidth;

  static void HalvesToFloats(const uint16_t* from, size_t count, float* to) {
    Convert(from, count, to,
            [](const uint16_t* part, float* out) { Lane::Store(out, Lane::LoadHalves(part)); });
  }
  static void BytesToFloats(const uint8_t* from, size_t count, float* to) {
    Convert(from, count, to,
            [](const uint8_t* part, float* out) { Lane::Store(out, Lane::LoadBytes(part)); });
  }
  static void FloatsToHalves(const float* from, size_t count, uint16_t* to) {
    Convert(from, count, to,
            [](const float* part, uint16_t* out) { Lane::StoreHalves(out, Lane::Load(part)); });
  }

 private:
  template <typename From, typename To, typename F>
  static void Convert(const From* from, size_t count, To* to, F convert) {
    size_t at = 0;
    for (; at + kWidth <= count; at += kWidth) convert(from + at, to + at);
    if (at == count) return;
    From padded[kWidth] = {};
    To converted[kWidth];
    for (size_t i = at; i < count; ++i) padded[i - at] = from[i];
    convert(padded, converted);
    for (size_t i = at; i < count; ++i) to[i] = converted[i - at];
  }
};

template <class Lane>
constexpr ConversionKernels MakeConversionKernels() {
  using C = Conversions<Lane>;
  return {C::HalvesToFloats, C::BytesToFloats, C::FloatsToHalves};
}

template <class Lane, class Measure>
constexpr FloatKernels MakeFloatKernels() {
  using F = Forms<Lane, Measure>;
  return {F::Pair, F::Block, F::List, F::Many};
}

template <class Lane>
constexpr Kernels MakeKernels(const char* name) {
  return {name, MakeFloatKernels<Lane, DotMeasure>(), MakeFloatKernels<Lane, SquaredL2Measure>(),
          MakeFloatKernels<Lane, L1Measure>(), MakeConversionKernels<Lane>()};
}

}  // namespace akidb::simd
