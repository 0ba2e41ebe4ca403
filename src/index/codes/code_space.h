// Vectors as small codes whose distances to a query are estimated by integer dot products:
// docs/format/codes.md.
//
// A vector o is coded by what separates it from the centre of its segment, rotated: r = P(o - c).
// Each component becomes a whole number; the code x of r points nearly in r's direction. With the
// factor f = |r|^2 / <x, r>, taken from the code as it was rounded, f <x, q> is an unbiased
// estimate of <r, q> over the random rotation, and its error falls with the root of the dimension:
// Gao, Long, "RaBitQ" (SIGMOD 2024) and Gao et al., "Practical and Asymptotically Optimal
// Quantization of High-Dimensional Vectors in Euclidean Space" (SIGMOD 2025).
//
// Queries are rounded to 8 bits, or 4 where the codes have 1: an error that is small beside that of
// the codes. With so few bits rounding to the nearest would go along with the signs of rows that
// lie in the query's direction; it is random instead, so that no estimate is biased.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "index/codes/rotation.h"
#include "simd/code_kernels.h"
#include "types/metric.h"

namespace akidb::index {

// Numbers on disk: never reused, never changed.
enum class CodeKind : uint8_t {
  kU4 = 1,  // 4 bits: what a graph is walked by
  kU7 = 2,  // 7 bits in a byte: what a graph is built by
  kU1 = 3,  // the sign alone
};

// What of a coded row stands beside its codes, as it lies there.
struct CodeFactors {
  float rescale = 0;       // f
  float squared_norm = 0;  // |r|^2
};

// A query as the kernels take it, and what turns their sums into distances:
// base + norm_weight * |r|^2 + inner_weight * f * (step * sum - shift).
struct CodeQuery {
  // padded_dim components from -127 to 127, or for kU1 what simd::PackU1Query makes of them.
  std::vector<int8_t> values;
  float step = 0;   // of one unit of a component
  float shift = 0;  // step x the codes' zero x the sum of the components
  float base = 0;
  float norm_weight = 0;
  float inner_weight = 0;
  float length = 0;    // of what `values` stands for
  float rounding = 0;  // the length of what rounding the query has changed
  // The squared standard deviation of an estimate is norm_spread * |r|^2 + factor_spread * f^2.
  double norm_spread = 0;
  double factor_spread = 0;

  // Of an estimate for a row with these factors.
  float SquaredSpread(const CodeFactors& factors) const;
  // At least that for any row whose factors are no larger. Of one bit it is two to three times as
  // much for rows that are alike: a longer row with the same f has less.
  float SquaredSpreadUpTo(const CodeFactors& largest) const;
};

// Of vectors whose first components say nearly what all do (Kusupati et al., "Matryoshka
// Representation Learning", NeurIPS 2022) these alone are coded. What is beyond them, the tail,
// counts by its length, which |r|^2 holds exactly; its product with the query's tail is estimated
// from that of the prefixes. index/codes/prefix_fit.h measures how.
struct CodedPrefix {
  uint32_t dim = 0;  // components that are coded
  // The product of the tails is about so many times that of the prefixes.
  float tail_share = 0;
  // The standard deviation of what this leaves, by the lengths of the query's tail and of r.
  float tail_spread = 0;
};

// How the vectors of one segment are coded. Immutable, thread-safe.
class CodeSpace {
 public:
  // `centre`: dim components, of any vector near the middle of those to be coded. `prefix` has
  // fewer; without it all are coded.
  CodeSpace(CodeKind kind, uint64_t rotation_seed, std::span<const float> centre,
            const std::optional<CodedPrefix>& prefix = std::nullopt);

  CodeKind kind() const { return kind_; }
  uint32_t dim() const { return static_cast<uint32_t>(centre_.size()); }
  // Of what is coded.
  uint32_t padded_dim() const { return rotation_.padded_dim(); }
  const std::optional<CodedPrefix>& prefix() const { return prefix_; }
  uint64_t rotation_seed() const { return seed_; }
  std::span<const float> centre() const { return centre_; }
  // Of one row: the codes, then f and |r|^2 as float32.
  size_t row_bytes() const { return code_bytes_ + 2 * sizeof(float); }
  size_t code_bytes() const { return code_bytes_; }

  // Writes row_bytes() to `row`. `vector` is finite, dim components.
  void Encode(std::span<const float> vector, std::byte* row) const;

  // Prepares a query, always in the same way, of any metric but Manhattan, which a rotation doesn't
  // keep. For Cosine rows and query have unit length; a row of zeros is then estimated nearer than
  // it is. Of a query with hardly any component above 2^-132 all estimates are not numbers.
  CodeQuery Prepare(Metric metric, std::span<const float> query) const;
  // A coded row as a query for the squared distance to other rows; kU7 of whole vectors only.
  // Reuses `query`.
  void PrepareRow(const std::byte* row, CodeQuery& query) const;

  // The standard deviation of a distance's estimate for this row over the random rotation, at most:
  // Gao and Long, theorem 3.2, for a query at right angles to the row, and what rounding the query
  // adds. 0 for a row at the centre. Of whole vectors only.
  float Deviation(const std::byte* row, const CodeQuery& query) const;

 private:
  void EncodeValues(std::span<const float> rotated, float step, std::byte* codes) const;
  // The sum of x^2 and x's inner product with `rotated`, x being the code rounded by `step`.
  struct Fit {
    double squares = 0;
    double inner = 0;
  };
  Fit FitOf(std::span<const float> rotated, float step) const;
  float BestStep(std::span<const float> rotated, float squared_norm) const;
  // May scale `rotated`.
  void RoundQuery(std::span<float> rotated, CodeQuery& query) const;
  // `squared_tail`: the squared length of the query's tail.
  void SetSpread(CodeQuery& query, double squared_tail) const;
  float TailShare() const { return prefix_ ? prefix_->tail_share : 0; }

  const CodeKind kind_;
  const uint64_t seed_;
  const std::optional<CodedPrefix> prefix_;
  const Rotation rotation_;  // of what is coded
  const std::vector<float> centre_;
  std::vector<float> rotated_centre_;
  std::vector<float> rounding_;  // of a query's components, from 0 to 1; padded_dim, for kU1 alone
  const size_t code_bytes_;
  const float zero_;       // the code that stands for 0
  const float value_max_;  // the largest value of a component
};

// The coded rows of one vector of a segment, borrowed: row i at first + i * row_bytes.
class CodeArray {
 public:
  CodeArray(const CodeSpace& space, const std::byte* first, uint32_t count,
            const simd::CodeKernels& kernels = simd::BestCodeKernels());

  const CodeSpace& space() const { return space_; }
  uint32_t count() const { return count_; }
  const std::byte* row(uint32_t i) const { return rows_.base + i * rows_.stride; }

  // Asks memory for rows whose distances will be wanted soon, and returns at once.
  void Prefetch(std::span<const uint32_t> list) const {
    dot_.prefetch(rows_, {list.data(), list.size()});
  }
  // distances[i] of row list[i].
  void Distances(const CodeQuery& query, std::span<const uint32_t> list, float* distances) const;
  // distances[i] of row first + i. Not a number where the row's code says nothing.
  void Distances(const CodeQuery& query, uint32_t first, std::span<float> distances) const;
  // distances[q * rows.count + i] of query q and row rows.first + i, with the same bits as for one
  // query. Reads memory once for all queries; their metrics may differ.
  void Distances(std::span<const CodeQuery* const> queries, simd::CodeRange rows,
                 float* distances) const;
  // About one standard deviation of a row's estimated distance: CodeSpace::Deviation, for codes of
  // more than one bit with the angle that they nearly always have.
  float Spread(const CodeQuery& query, uint32_t row) const;
  // Its square.
  float SquaredSpread(const CodeQuery& query, uint32_t row) const;
  // The largest of each of the rows' factors, for CodeQuery::SquaredSpreadUpTo. Both are infinite
  // if one of the rows' is no finite number.
  CodeFactors LargestFactors(std::span<const uint32_t> list) const;

 private:
  float DistanceOf(const CodeQuery& query, int32_t sum, uint32_t row) const;

  const CodeSpace& space_;
  const simd::CodeRows rows_;
  const uint32_t count_;
  const simd::CodeDot& dot_;
};

}  // namespace akidb::index
