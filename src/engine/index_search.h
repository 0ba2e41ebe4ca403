// The nearest vectors of one indexed source by estimated distances: through its graph, or through
// all of its codes. Exact distances are the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/vector_index.h"
#include "index/exact_scan.h"
#include "index/graph/candidate_pool.h"
#include "types/metric.h"

namespace akidb::engine {

struct IndexQuery {
  Metric metric = Metric::kCosine;
  std::span<const float> vector;  // as it is compared with stored ones; borrowed
  size_t k = 0;                   // nearest vectors that are wanted
  size_t ef = 0;                  // candidates of a walk; 0: the default
};

// What may be left out of the answer.
struct IndexCandidates {
  index::RowGate* gate = nullptr;  // null: only `dead` numbers, which the caller leaves out
  uint64_t dead = 0;
  // The gate admits no number but these, ascending; borrowed. Nothing: any.
  std::optional<std::span<const uint32_t>> only;
  // The gate answers so fast that a walk may ask about every number that it comes near.
  bool gate_is_fast = false;
};

// One query against one source after the other. Not thread-safe.
class IndexSearch {
 public:
  // Both outlive the search.
  IndexSearch(const RequestContext& context, const IndexQuery& query)
      : context_(context), query_(query) {}

  // Whether the index is worth asking: where nearly every vector would be looked at again, reading
  // them at once is faster, and exact.
  bool IsWorthwhile(const VectorIndex& index) const;

  // Numbers whose exact distances are worth computing, nearest first, valid until the next call. A
  // gate has admitted them; it is asked only about numbers near enough to be among them.
  Result<std::span<const uint32_t>> Find(const VectorIndex& index,
                                         const IndexCandidates& candidates);

 private:
  Status Walk(const VectorIndex& index, const index::CodeQuery& prepared, uint64_t dead);
  // False if it was given up: there are too few admitted numbers near the query.
  Result<bool> WalkAdmitted(const VectorIndex& index, const index::CodeQuery& prepared,
                            index::RowGate& gate);
  Status Scan(const VectorIndex& index, const index::CodeQuery& prepared,
              const IndexCandidates& candidates);
  size_t Ef() const;
  void Take(std::span<const index::Candidate> candidates);

  const RequestContext& context_;
  const IndexQuery& query_;
  std::vector<uint32_t> found_;
};

}  // namespace akidb::engine
