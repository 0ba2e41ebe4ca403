// The best of many sparse vectors by their dot product with a query, through inverted lists.
//
// Vectors are taken in windows of some thousand numbers. For each window the lists' block bounds
// say what each term can add at most. Terms that, even together, can't lift a vector into the
// result are left for the end: vectors are found by the lists of the others, whose products are
// summed list by list, and only those that may still reach the result are looked up in the rest
// (MaxScore: Turtle and Flood, "Query evaluation: strategies and optimizations", Information
// Processing and Management 1995; with block bounds: Ding and Suel, "Faster top-k document
// retrieval using block-max indexes", SIGIR 2011). Exact.
#pragma once

#include <cstdint>
#include <span>

#include "base/request_context.h"
#include "base/status.h"
#include "index/sparse/sparse_entries.h"
#include "index/sparse/sparse_index.h"

namespace akidb::index {

// What becomes of vectors that may be in the result.
class SparseCandidates {
 public:
  virtual ~SparseCandidates() = default;
  // No vector of a lower score enters the result any more; never descends.
  virtual float bound() const = 0;
  // Of a vector that shares an index with the query. By ascending number, each once.
  virtual Status Look(uint32_t number) = 0;
};

struct SparseWork {
  uint64_t postings = 0;   // read
  uint64_t looked_at = 0;  // candidates
};

// Looks at every vector whose score may reach the bound at that time, and shares an index with the
// query. `terms` ascend by index. The context's error when the answer is no longer wanted.
Result<SparseWork> SearchSparse(const RequestContext& context, const SparseIndex& index,
                                std::span<const SparseTerm> terms, SparseCandidates& candidates);

}  // namespace akidb::index
