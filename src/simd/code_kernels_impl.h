// The one algorithm behind every table of code kernels. Included by code_kernels_<isa>.cc alone and
// free of inline functions with external linkage: float_kernels_impl.h says why.
//
// A table's file defines a Lane in its anonymous namespace:
//   Part       64 components of a query, in registers
//   Sum        32-bit partial sums of one row
//   kTile      rows of a list that are read side by side: 1, 2, 4 or 8
//   Zero, Load, AddU7 (64 codes), AddU4 (128 codes), AddHalfU4 (the last 64 codes),
//   Total (of one Sum), StoreTotals (of four)
#pragma once

#include "simd/code_kernels.h"

namespace akidb::simd {

// Of codes, in bytes: what is read of one row before it is the next row's turn, and a cache line.
inline constexpr size_t kCodeChunk = 64;

struct U7Codes {
  static constexpr size_t kChunkDim = kCodeChunk;
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
  static typename Lane::Sum AddHalf(typename Lane::Sum sum, const int8_t*, const std::byte*) {
    return sum;
  }
};

struct U4Codes {
  static constexpr size_t kChunkDim = 2 * kCodeChunk;
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

  template <class Lane>
  static typename Lane::Sum AddHalf(typename Lane::Sum sum, const int8_t* query,
                                    const std::byte* codes) {
    return Lane::AddHalfU4(sum, Lane::Load(query), codes);
  }
};

// kRows rows at once: a part of the query that is loaded is used for each of them, and their sums
// are reduced together. With kPrefetch, each line that is read of row r asks for the same line of
// next[r].
template <class Lane, class Codes, size_t kRows, bool kPrefetch>
class CodeTile {
 public:
  // `next` is not looked at without kPrefetch.
  CodeTile(const std::byte* const* rows, const std::byte* const* next) : rows_(rows), next_(next) {
    for (auto& sum : sums_) sum = Lane::Zero();
  }

  void Run(const int8_t* query, size_t dim, int32_t* out) {
    const size_t chunks = dim / Codes::kChunkDim;
    for (size_t chunk = 0; chunk < chunks; ++chunk) {
      const size_t at = chunk * kCodeChunk;
      Prefetch(at);
      const typename Codes::template Query<Lane> part(query + chunk * Codes::kChunkDim);
      for (size_t r = 0; r < kRows; ++r) sums_[r] = part.Add(sums_[r], rows_[r] + at);
    }
    if (dim % Codes::kChunkDim != 0) {
      const size_t at = chunks * kCodeChunk;
      Prefetch(at);
      const int8_t* rest = query + chunks * Codes::kChunkDim;
      for (size_t r = 0; r < kRows; ++r) {
        sums_[r] = Codes::template AddHalf<Lane>(sums_[r], rest, rows_[r] + at);
      }
    }
    Prefetch(Codes::BytesOf(dim) + kCodeTrailerBytes - 1);
    Store(out);
  }

 private:
  void Prefetch(size_t at) {
    if constexpr (kPrefetch) {
      for (size_t r = 0; r < kRows; ++r) __builtin_prefetch(next_[r] + at);
    }
  }

  void Store(int32_t* out) {
    if constexpr (kRows % 4 == 0) {
      for (size_t r = 0; r < kRows; r += 4) Lane::StoreTotals(sums_ + r, out + r);
    } else {
      for (size_t r = 0; r < kRows; ++r) out[r] = Lane::Total(sums_[r]);
    }
  }

  const std::byte* const* rows_;
  const std::byte* const* next_;
  typename Lane::Sum sums_[kRows];
};

template <class Lane, class Codes>
struct CodeForms {
  static void Block(const int8_t* query, const CodeRows& rows, CodeRange range, int32_t* out) {
    constexpr size_t kRows = Lane::kBlockRows;
    const std::byte* row = rows.base + range.first * rows.stride;
    size_t i = 0;
    for (; i + kRows <= range.count; i += kRows) {
      const std::byte* tile[kRows];
      for (size_t r = 0; r < kRows; ++r, row += rows.stride) tile[r] = row;
      CodeTile<Lane, Codes, kRows, false>(tile, nullptr).Run(query, rows.dim, out + i);
    }
    for (; i < range.count; ++i, row += rows.stride) {
      CodeTile<Lane, Codes, 1, false>(&row, nullptr).Run(query, rows.dim, out + i);
    }
  }

  static void List(const int8_t* query, const CodeRows& rows, CodeList list, int32_t* out) {
    PrefetchFirst(rows, list);
    size_t i = 0;
    for (; i + Lane::kTile <= list.count; i += Lane::kTile) {
      ListTile<Lane::kTile>(query, rows, {list.rows + i, list.count - i}, out + i);
    }
    if constexpr (Lane::kTile > 4) {
      if (i + 4 <= list.count) {
        ListTile<4>(query, rows, {list.rows + i, list.count - i}, out + i);
        i += 4;
      }
    }
    for (; i < list.count; ++i) {
      ListTile<1>(query, rows, {list.rows + i, list.count - i}, out + i);
    }
  }

 private:
  // Rows between the one that is computed and the one that is asked for.
  static constexpr size_t kAhead = 8;

  // No more of a row than this is asked for before its turn by the walk's first rows: the rest of
  // longer rows is a stream that the processor foresees.
  static constexpr size_t kFirstBytesMax = 1024;

  static void PrefetchFirst(const CodeRows& rows, CodeList list) {
    const size_t wanted = Codes::BytesOf(rows.dim) + kCodeTrailerBytes - 1;
    const size_t last = wanted < kFirstBytesMax ? wanted : kFirstBytesMax;
    for (size_t i = 0; i < kAhead && i < list.count; ++i) {
      const std::byte* row = rows.base + list.rows[i] * rows.stride;
      for (size_t at = 0; at < last; at += kCodeChunk) __builtin_prefetch(row + at);
      __builtin_prefetch(row + last);
    }
  }

  // The first kRows of the list; those kAhead later are asked for.
  template <size_t kRows>
  static void ListTile(const int8_t* query, const CodeRows& rows, CodeList list, int32_t* out) {
    const std::byte* tile[kRows];
    for (size_t r = 0; r < kRows; ++r) tile[r] = rows.base + list.rows[r] * rows.stride;
    if (kAhead >= list.count) {
      CodeTile<Lane, Codes, kRows, false>(tile, nullptr).Run(query, rows.dim, out);
      return;
    }
    const std::byte* next[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      const size_t ahead = kAhead + r < list.count ? kAhead + r : list.count - 1;
      next[r] = rows.base + list.rows[ahead] * rows.stride;
    }
    CodeTile<Lane, Codes, kRows, true>(tile, next).Run(query, rows.dim, out);
  }
};

template <class Lane, class Codes>
constexpr CodeDot MakeCodeDot() {
  return {CodeForms<Lane, Codes>::Block, CodeForms<Lane, Codes>::List};
}

template <class Lane>
constexpr CodeKernels MakeCodeKernels(const char* name) {
  return {name, MakeCodeDot<Lane, U4Codes>(), MakeCodeDot<Lane, U7Codes>()};
}

}  // namespace akidb::simd
