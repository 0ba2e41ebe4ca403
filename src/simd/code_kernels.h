// Integer dot products of a query with rows of small unsigned codes, the distances that a graph is
// walked by. One table per instruction set, picked once at run time.
//
// All results are exact: every table gives the same integers. Everything here is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace akidb::simd {

// Row i begins at base + i * stride bytes; what lies between a row's codes and the next row is
// skipped. Pointers need no alignment.
struct CodeRows {
  const std::byte* base = nullptr;
  size_t stride = 0;
  size_t dim = 0;  // of the codes; a multiple of 64, at most kCodeDimMax
};

// So that no sum exceeds 32 bits: 65,536 x 127 x 127 < 2^31.
inline constexpr size_t kCodeDimMax = 65536;

inline constexpr size_t kCodeTrailerBytes = 8;

// Queries of u1 are rounded to so many bits, in two's complement: components from -7 to 7.
inline constexpr size_t kU1QueryBits = 4;
inline constexpr int kU1QueryMax = 7;

// Rows first, first + 1, … first + count - 1.
struct CodeRange {
  size_t first = 0;
  size_t count = 0;
};

// Rows rows[0], rows[1], … in this order; repeats are fine.
struct CodeList {
  const uint32_t* rows = nullptr;
  size_t count = 0;
};

// Queries of one dim, each anywhere in memory.
struct CodeQueries {
  const int8_t* const* vectors = nullptr;
  size_t count = 0;
};

// out[i] = sum over d of query[d] * code(i-th row, d). `query` has rows.dim components from -127 to
// 127, or is what PackU1Query made of it; out has room for count.
struct CodeDot {
  void (*block)(const int8_t* query, const CodeRows& rows, CodeRange range, int32_t* out);
  // Asks memory for rows before it comes to them, each with the kCodeTrailerBytes behind its codes:
  // what belongs to a row may lie there and is then at hand, too.
  void (*list)(const int8_t* query, const CodeRows& rows, CodeList list, int32_t* out);
  // Asks memory for the rows of a list that will be wanted soon, as `list` does, and returns at
  // once. They go to the second-level cache, which takes more of such requests than the first and
  // gains from a list of up to about 64 rows.
  void (*prefetch)(const CodeRows& rows, CodeList list);
  // out[q * range.count + i] = what `block` gives for query q and the i-th row. Reads each row once
  // per few queries: of a range that fits the second-level cache, memory is read once for all.
  void (*many)(const CodeQueries& queries, const CodeRows& rows, CodeRange range, int32_t* out);
};

struct CodeKernels {
  const char* name;
  const char* floats;  // the table of float kernels that goes with it
  // 4 bits, 0..15, two in a byte. Every 128 dimensions take 64 bytes: the low nibble of byte b is
  // dimension b, the high one dimension 64 + b. The last 64, where dim is no multiple of 128, take
  // 32 bytes: low nibbles 0..31, high nibbles 32..63.
  CodeDot u4;
  // 7 bits in a byte, 0..127, in order: two products fit into 16 signed bits, and a code is a
  // signed byte, too, which is what processors without a mixed product need.
  CodeDot u7;
  // 1 bit, 0 or 1: dimension d is bit d mod 8, lowest first, of byte d / 8. Only for queries that
  // PackU1Query has made.
  CodeDot u1;
};

// The bytes of a query for u1.
constexpr size_t U1QueryBytes(size_t dim) { return (dim + 511) / 512 * kU1QueryBits * 64; }

// Turns `dim` components from -kU1QueryMax to kU1QueryMax into U1QueryBytes(dim) bytes. Every 512
// dimensions take four planes of 64 bytes: bit 0 of each component, in the order of the codes, then
// bits 1, 2 and 3. Planes of fewer dimensions are filled up with zeros.
void PackU1Query(const int8_t* components, size_t dim, int8_t* query);

// The tables that this processor can run, fastest first; the last one is scalar.
std::vector<const CodeKernels*> AvailableCodeKernels();

// The table called `name` ("scalar", "avx2", "avx512vnni", "avx512bitalg", "neon", "neondot",
// "neoni8mm", "sve"), or the fastest one if `name` is empty. kInvalidArgument, with what this
// processor offers, for any other name.
Result<const CodeKernels*> FindCodeKernels(std::string_view name);

// The table that AKIDB_SIMD names, else the fastest; the fastest, too, where it names a table of
// float kernels alone ("avx512"). Picked once, at the first call.
const CodeKernels& BestCodeKernels();

}  // namespace akidb::simd
