// Distance kernels on float32, one table per instruction set, picked once at run time.
//
// Within one table a row's result depends on the query, the row and dim alone: not on the form that
// was called, on the row's place in a block or on its alignment. Equal rows thus get equal bits,
// and ties stay ties. Tables differ from each other by rounding only. Pointers need no alignment.
// Everything here is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace akidb::simd {

// count x dim, float32. Row i begins at first + i * stride; stride >= dim, in floats.
struct RowBlock {
  const float* first = nullptr;
  size_t count = 0;
  size_t dim = 0;
  size_t stride = 0;
};

// The rows base + rows[i] * stride, for i < count: the order of `rows` is the order of the results.
struct RowList {
  const float* base = nullptr;
  const uint32_t* rows = nullptr;
  size_t count = 0;
  size_t dim = 0;
  size_t stride = 0;
};

// count vectors of one dim, each anywhere in memory.
struct QueryList {
  const float* const* vectors = nullptr;
  size_t count = 0;
};

// One measure in every form. Results that exceed float32 are infinite, or NaN where infinities of
// both signs meet.
struct FloatKernels {
  float (*pair)(const float* a, const float* b, size_t dim);
  // out[i] = measure(query, row i); out has room for rows.count.
  void (*block)(const float* query, const RowBlock& rows, float* out);
  void (*list)(const float* query, const RowList& rows, float* out);
  // out[q * rows.count + i] = measure(query q, row i). Reads each row once per few queries, so with
  // blocks that fit the second-level cache memory is read once for all of them.
  void (*many)(const QueryList& queries, const RowBlock& rows, float* out);
};

// Between float32 and smaller components: `from` and `to` have `count` of them and don't overlap.
// All tables give the same bits.
struct ConversionKernels {
  // IEEE 754 binary16, given as its bits, and integers 0..255; both fit into float32 exactly.
  void (*halves_to_floats)(const uint16_t* from, size_t count, float* to);
  void (*bytes_to_floats)(const uint8_t* from, size_t count, float* to);
  // To the nearest, ties to even; of 65520 and more infinity.
  void (*floats_to_halves)(const float* from, size_t count, uint16_t* to);
};

struct Kernels {
  const char* name;
  FloatKernels dot;         // sum of a[i] * b[i]
  FloatKernels squared_l2;  // sum of (a[i] - b[i])^2
  FloatKernels l1;          // sum of |a[i] - b[i]|
  ConversionKernels convert;
};

// The tables that this processor can run, fastest first; the last one is scalar.
std::vector<const Kernels*> AvailableKernels();

// The table called `name` ("scalar", "avx2", "avx512", "neon"), or the fastest one if `name` is
// empty. kInvalidArgument, with what this processor offers, for any other name.
Result<const Kernels*> FindKernels(std::string_view name);

// Ok if the environment variable AKIDB_SIMD is unset, empty or names a table of this processor,
// here or in code_kernels.h; else kInvalidArgument with the names there are. For programs to call
// once at their start.
Status CheckKernelsEnvironment();

// The table that AKIDB_SIMD names, or the one that goes with the table of code kernels that it
// names, else the fastest: read once, at the first call. Dies with the message of
// CheckKernelsEnvironment where that fails.
const Kernels& BestKernels();

// False if any component is NaN or infinite.
bool AllFinite(std::span<const float> vector);

// Scales a finite vector to unit length; sums in double, so nothing overflows or vanishes. Zero
// vectors stay zero, and vectors whose length is within 1e-6 of 1 keep their bits: what was once
// normalised can be read and written again without change.
void Normalize(std::span<float> vector);

// Rounds to what a half holds (binary16, nearest, ties to even). Components are below kHalfLimit.
void RoundToHalf(std::span<float> vector);
inline constexpr float kHalfLimit = 65520;  // from here on a half would be infinite
// Normalize, then RoundToHalf. What is rounded and of unit length but for the rounding keeps its
// bits, so that it, too, can be read and written again without change.
void NormalizeToHalf(std::span<float> vector);

}  // namespace akidb::simd
