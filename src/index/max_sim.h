// Distances between multivectors, exactly. A multivector has rows of one dim; its distance from a
// query, which has rows, too, is the sum, over the rows of the query, of the distance of the
// nearest row: "max-sim" (ColBERT, Khattab and Zaharia 2020, section 3.3), with the largest
// similarity being the smallest distance. It is not symmetric.
#pragma once

#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "index/row_comparison.h"

namespace akidb::index {

// Memory: a few hundred KB of buffers that are kept between calls. Not thread-safe.
class MaxSim {
 public:
  // Rows of dim components, one or more; borrowed. For cosine each is at unit length.
  struct Query {
    std::span<const float> rows;
    size_t dim = 0;
  };

  // `context` and `kernels` outlive the object.
  MaxSim(const RequestContext& context, RowMeasure measure, const Query& query,
         const simd::Kernels& kernels = simd::BestKernels());

  // `rows`: n x dim, n >= 1. Summed in double; a product that is not a number counts as infinitely
  // far. O(rows x rows of the query x dim); the context's error when it takes long and the answer
  // is no longer wanted.
  Result<float> DistanceOf(std::span<const float> rows);

 private:
  void Compare(const simd::RowBlock& rows);

  const RequestContext& context_;
  const RowComparison comparison_;
  const size_t dim_;
  std::vector<const float*> query_;
  std::vector<float> nearest_;  // by row of the query
  std::vector<float> results_;  // rows of the query x rows of the present chunk
};

}  // namespace akidb::index
