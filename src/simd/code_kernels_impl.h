// The one algorithm behind every table of code kernels. Included by code_kernels_<isa>.cc alone and
// free of inline functions with external linkage: float_kernels_impl.h says why.
//
// A table's file defines a Lane in its anonymous namespace:
//   Part       64 components of a query, in registers
//   Sum        32-bit partial sums of one row
//   kTile      rows of a list that are read side by side: 1 or 4
//   kBlock      rows of a block whose sums are reduced together: 1 or 4
//   kMany       queries that share one reading of a row: 1 or 4
//   Zero, Load, AddU7 (64 codes), AddU4 (128 codes), AddHalfU4 (the last 64 codes),
//   AddU1 (512 codes and the planes of a query), AddPartU1 (the last 8 to 56 bytes of codes),
//   Total (of one Sum), StoreTotals (of four)
#pragma once

#include "simd/code_kernels.h"

namespace akidb::simd {

// Of codes, in bytes: what is read of one row before it is the next row's turn.
inline constexpr size_t kCodeChunk = 64;

struct U7Codes {
  static constexpr size_t kChunkDim = kCodeChunk;
  static constexpr size_t kChunkQuery = kChunkDim;
  static constexpr size_t BytesOf(size_t dim) { return dim; }

  template <class Lane>
  struct Query {
    explicit Query(const int8_t* from) : part(Lane::Load(from)) {}
    typename Lane::Sum Add(typename Lane::Sum sum, const std::byte* codes) const {
      return Lane::AddU7(sum, part, codes);
    }
    typename Lane::Part part;
  };

  template <class Lane>
  static typename Lane::Sum AddRest(typename Lane::Sum sum, const int8_t*, const std::byte*,
                                    size_t) {
    return sum;
  }
};

struct U4Codes {
  static constexpr size_t kChunkDim = 2 * kCodeChunk;
  static constexpr size_t kChunkQuery = kChunkDim;
  static constexpr size_t BytesOf(size_t dim) { return dim / 2; }

  template <class Lane>
  struct Query {
    explicit Query(const int8_t* from)
        : low(Lane::Load(from)), high(Lane::Load(from + kChunkDim / 2)) {}
    typename Lane::Sum Add(typename Lane::Sum sum, const std::byte* codes) const {
      return Lane::AddU4(sum, low, high, codes);
    }
    typename Lane::Part low;
    typename Lane::Part high;
  };

  // `rest` is 64: rows have a multiple of it.
  template <class Lane>
  static typename Lane::Sum AddRest(typename Lane::Sum sum, const int8_t* query,
                                    const std::byte* codes, size_t) {
    return Lane::AddHalfU4(sum, Lane::Load(query), codes);
  }
};

struct U1Codes {
  static constexpr size_t kChunkDim = 8 * kCodeChunk;
  static constexpr size_t kChunkQuery = kU1QueryBits * kCodeChunk;
  static constexpr size_t BytesOf(size_t dim) { return dim / 8; }

  template <class Lane>
  struct Query {
    explicit Query(const int8_t* from) : planes(from) {}
    typename Lane::Sum Add(typename Lane::Sum sum, const std::byte* codes) const {
      return Lane::AddU1(sum, planes, codes);
    }
    const int8_t* planes;
  };

  template <class Lane>
  static typename Lane::Sum AddRest(typename Lane::Sum sum, const int8_t* query,
                                    const std::byte* codes, size_t rest) {
    return Lane::AddPartU1(sum, query, codes, rest / 8);
  }
};

// kQueries x kRows sums, of which one of both is 1: what is loaded of the one side is used for each
// of the other, and the sums are reduced together.
template <class Lane, class Codes, size_t kQueries, size_t kRows>
class CodeTile {
 public:
  static constexpr size_t kSums = kQueries * kRows;

  CodeTile(const int8_t* const* queries, const std::byte* const* rows)
      : queries_(queries), rows_(rows) {
    for (auto& sum : sums_) sum = Lane::Zero();
  }

  void Run(size_t dim, int32_t* out) {
    Add(dim);
    Store(out);
  }

  typename Lane::Sum sum(size_t i) const { return sums_[i]; }

  void Add(size_t dim) {
    const size_t chunks = dim / Codes::kChunkDim;
    size_t at = 0;
    size_t query_at = 0;
    for (size_t chunk = 0; chunk < chunks; ++chunk) {
      for (size_t q = 0; q < kQueries; ++q) {
        const typename Codes::template Query<Lane> part(queries_[q] + query_at);
        for (size_t r = 0; r < kRows; ++r) {
          typename Lane::Sum& sum = sums_[q * kRows + r];
          sum = part.Add(sum, rows_[r] + at);
        }
      }
      at += kCodeChunk;
      query_at += Codes::kChunkQuery;
    }
    const size_t rest = dim % Codes::kChunkDim;
    if (rest != 0) {
      for (size_t i = 0; i < kSums; ++i) {
        sums_[i] = Codes::template AddRest<Lane>(sums_[i], queries_[i / kRows] + query_at,
                                                 rows_[i % kRows] + at, rest);
      }
    }
  }

 private:
  void Store(int32_t* out) {
    if constexpr (kSums == 4) {
      Lane::StoreTotals(sums_, out);
    } else {
      for (size_t i = 0; i < kSums; ++i) out[i] = Lane::Total(sums_[i]);
    }
  }

  const int8_t* const* queries_;
  const std::byte* const* rows_;
  typename Lane::Sum sums_[kSums];
};

template <class Lane, class Codes>
class CodeForms {
 public:
  // One row at a time and no prefetch: a single stream is what the processor foresees best. Two
  // rows side by side read 1,024 dimensions at a third of the speed. Only their sums are reduced
  // together.
  static void Block(const int8_t* query, const CodeRows& rows, CodeRange range, int32_t* out) {
    const std::byte* row = rows.base + range.first * rows.stride;
    size_t i = 0;
    if constexpr (Lane::kBlock == 4) {
      for (; i + 4 <= range.count; i += 4) {
        typename Lane::Sum sums[4];
        for (auto& sum : sums) {
          CodeTile<Lane, Codes, 1, 1> tile(&query, &row);
          tile.Add(rows.dim);
          sum = tile.sum(0);
          row += rows.stride;
        }
        Lane::StoreTotals(sums, out + i);
      }
    }
    for (; i < range.count; ++i, row += rows.stride) {
      CodeTile<Lane, Codes, 1, 1>(&query, &row).Run(rows.dim, out + i);
    }
  }

  // Several queries on one row: rows again form a single stream.
  static void Many(const CodeQueries& queries, const CodeRows& rows, CodeRange range,
                   int32_t* out) {
    size_t q = 0;
    if constexpr (Lane::kMany > 1) {
      for (; q + Lane::kMany <= queries.count; q += Lane::kMany) {
        ManyOf<Lane::kMany>(queries.vectors + q, rows, range, out + q * range.count);
      }
    }
    for (; q < queries.count; ++q) {
      Block(queries.vectors[q], rows, range, out + q * range.count);
    }
  }

  static void List(const int8_t* query, const CodeRows& rows, CodeList list, int32_t* out) {
    constexpr size_t kTile = Lane::kTile;
    const CodeForms forms(query, rows, list, out);
    Ask(rows, list, {0, kAhead});
    size_t i = 0;
    for (; i + kTile <= list.count; i += kTile) {
      Ask(rows, list, {i + kAhead, kTile});
      forms.template Tile<kTile>(i);
    }
    if constexpr (kTile > 2) i = forms.template TileIfLeft<2>(i);
    if constexpr (kTile > 1) forms.template TileIfLeft<1>(i);
  }

  static void Prefetch(const CodeRows& rows, CodeList list) { Ask(rows, list, {0, list.count}); }

 private:
  // The rows on their way from memory, beyond those of the present tile.
  static constexpr size_t kAhead = 32;

  // No more of a row than this is asked for ahead: the rest of a longer row is a stream that the
  // processor foresees.
  static constexpr size_t kAskBytesMax = 2048;

  // Of a prefetch: into the second-level cache. The first level waits for few lines at once, and
  // lists are as much faster as the second level waits for more.
  static constexpr int kSecondLevel = 2;
  static constexpr size_t kLine = 64;

  CodeForms(const int8_t* query, const CodeRows& rows, CodeList list, int32_t* out)
      : query_(query), rows_(rows), list_(list), out_(out) {}

  // Asks memory for the rows of a part of the list, as far as there are such. Always inline: g++ 12
  // leaves out the call of a function that only prefetches, as one without effect.
  [[gnu::always_inline]] static void Ask(const CodeRows& rows, CodeList list, CodeRange range) {
    const size_t last = Codes::BytesOf(rows.dim) + kCodeTrailerBytes - 1;
    const size_t end = last < kAskBytesMax ? last : kAskBytesMax;
    for (size_t i = range.first; i < range.first + range.count && i < list.count; ++i) {
      const std::byte* row = rows.base + list.rows[i] * rows.stride;
      for (size_t at = 0; at < end; at += kLine) __builtin_prefetch(row + at, 0, kSecondLevel);
      __builtin_prefetch(row + last, 0, kSecondLevel);
    }
  }

  template <size_t kQueries>
  static void ManyOf(const int8_t* const* queries, const CodeRows& rows, CodeRange range,
                     int32_t* out) {
    const std::byte* row = rows.base + range.first * rows.stride;
    for (size_t i = 0; i < range.count; ++i, row += rows.stride) {
      int32_t totals[kQueries];
      CodeTile<Lane, Codes, kQueries, 1>(queries, &row).Run(rows.dim, totals);
      for (size_t q = 0; q < kQueries; ++q) out[q * range.count + i] = totals[q];
    }
  }

  template <size_t kRows>
  void Tile(size_t first) const {
    const std::byte* tile[kRows];
    for (size_t r = 0; r < kRows; ++r) tile[r] = rows_.base + list_.rows[first + r] * rows_.stride;
    CodeTile<Lane, Codes, 1, kRows>(&query_, tile).Run(rows_.dim, out_ + first);
  }

  // Where the next tile begins.
  template <size_t kRows>
  size_t TileIfLeft(size_t first) const {
    if (first + kRows > list_.count) return first;
    Tile<kRows>(first);
    return first + kRows;
  }

  const int8_t* query_;
  const CodeRows& rows_;
  CodeList list_;
  int32_t* out_;
};

template <class Lane, class Codes>
constexpr CodeDot MakeCodeDot() {
  using F = CodeForms<Lane, Codes>;
  return {F::Block, F::List, F::Prefetch, F::Many};
}

struct CodeTableNames {
  const char* name;
  const char* floats;
};

template <class Lane>
constexpr CodeKernels MakeCodeKernels(CodeTableNames names) {
  return {names.name, names.floats, MakeCodeDot<Lane, U4Codes>(), MakeCodeDot<Lane, U7Codes>(),
          MakeCodeDot<Lane, U1Codes>()};
}

}  // namespace akidb::simd
