// The nearest vectors of one indexed source: candidates by estimated distances, through its graph
// or through all of its codes, compared exactly as long as they could still be among the nearest.
//
// An estimate's spread is known (index/codes/code_space.h), and says how far down the list of
// candidates a nearest one may hide: few are compared where vectors lie apart, many where they lie
// closer together than codes can tell.
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
#include "index/graph/visited_nodes.h"
#include "types/metric.h"

namespace akidb::engine {

struct IndexQuery {
  Metric metric = Metric::kCosine;
  std::span<const float> vector;  // as it is compared with stored ones; borrowed
  size_t k = 0;                   // nearest vectors that are wanted
  size_t ef = 0;                  // candidates of a walk; 0: the default
};

// Which numbers may be in the answer.
struct IndexCandidates {
  index::RowGate& gate;
  // The gate admits every number.
  bool gate_is_open = false;
  // The gate answers so fast that a walk may ask about every number that it comes near.
  bool gate_is_fast = false;
  // The gate admits no number but these, ascending; borrowed. Nothing: any.
  std::optional<std::span<const uint32_t>> only;
  // About which share of all numbers the gate admits.
  double admitted_share = 1;
};

// Compares a number's vector exactly, and keeps the nearest.
class ExactComparison {
 public:
  virtual ~ExactComparison() = default;
  // A gate has admitted the number.
  virtual Status Compare(uint32_t number) = 0;
  // What is farther can't be among the nearest any more.
  virtual float bound() const = 0;
};

// One query against one source. Not thread-safe.
class IndexSearch {
 public:
  // All outlive the search.
  IndexSearch(const RequestContext& context, const IndexQuery& query, const VectorIndex& index)
      : context_(context), query_(query), index_(index) {}

  // Whether the index is worth asking: where the vectors are few, or nearly all would be compared
  // anyway, reading them at once is as fast, and sees all of them.
  bool IsWorthwhile() const;

  // Each number that may be among the nearest is compared once.
  Status Find(const IndexCandidates& candidates, ExactComparison& exact);

 private:
  struct Near;  // a number and the least distance that it may have

  // Whether estimates and graph are of another distance than the query's: Manhattan's by Euclid's.
  bool IsByProxy() const;
  bool MayWalk(const IndexCandidates& candidates) const;
  // False if it was given up: a scan is faster than what it would still have to look at.
  Result<bool> Walk(const IndexCandidates& candidates, ExactComparison& exact);
  // Whether most of what is nearer than the nearest of `found` was rejected.
  bool LieBehind(std::span<const index::Candidate> found, std::span<const uint32_t> rejected,
                 double admitted_share) const;
  Status CompareFound(std::span<const index::Candidate> found, ExactComparison& exact);
  // Whether a walk with more candidates than one that began with the bound `before` could find what
  // is nearer still.
  bool MayLieBeyond(const index::Candidate& last, float before, const ExactComparison& exact) const;
  // Every candidate exactly: where codes say nothing about how far one may be.
  Status CompareAll(const IndexCandidates& candidates, ExactComparison& exact);
  Status Scan(const IndexCandidates& candidates, ExactComparison& exact);

  const RequestContext& context_;
  const IndexQuery& query_;
  const VectorIndex& index_;
  index::CodeQuery prepared_;
  index::VisitedNodes compared_;
};

}  // namespace akidb::engine
