// Candidates for the nearest vectors of one source by its codes, read one after the other: those
// whose distance may be small enough by its estimate and the estimate's spread.
//
// Several queries share one pass: each finds what it would find alone, in the same order.
#pragma once

#include <cstdint>
#include <limits>
#include <queue>
#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/vector_index.h"
#include "index/exact_scan.h"

namespace akidb::engine {

// Spreads by which a candidate's distance may be smaller than its estimate: hardly one in a
// thousand is smaller yet.
inline constexpr float kSpreads = 3;

// A number, and the least distance that its vector may have.
struct Near {
  float least = 0;
  uint32_t number = 0;
  friend bool operator<(const Near& a, const Near& b) {
    return a.least != b.least ? a.least < b.least : a.number < b.number;
  }
};

// The k-th least of the greatest distances that candidates may have: what may not be nearer than
// that need not be looked at. Memory grows with what is offered.
class KthGreatest {
 public:
  explicit KthGreatest(size_t k) : k_(k) {}
  void Offer(float distance);
  float bound() const;

 private:
  const size_t k_;
  std::priority_queue<float> distances_;
};

// One query's scan of one source. Memory grows with what may be near enough. Not thread-safe.
class CodeScan {
 public:
  struct Query {
    const index::CodeQuery& prepared;
    size_t k = 0;
    index::RowGate& gate;
    float bound = 0;  // of distances; what is farther is not wanted
  };
  // All that is referred to outlives the scan.
  CodeScan(const VectorIndex& index, const Query& query);

  const index::CodeQuery& prepared() const { return query_.prepared; }
  // Nodes and the estimates of their distances; one that is no finite number may be anything. Each
  // node is offered once. The gate is asked about those that may be near enough. `largest`:
  // CodeArray::LargestFactors of the nodes.
  void Offer(std::span<const uint32_t> nodes, std::span<const float> distances,
             const index::CodeFactors& largest);
  // Nothing that the gate admits was left out by its estimate: there were fewer than k.
  bool kept_all() const { return bound_ == std::numeric_limits<float>::infinity(); }
  // What may be among the nearest, in no order, and a little more. Ends the scan.
  std::vector<Near> Take() { return std::move(near_); }

 private:
  void OfferOne(uint32_t node, float distance);

  const VectorIndex& index_;
  const Query query_;
  KthGreatest greatest_;
  std::vector<Near> near_;
  float bound_;  // of the distance of what is wanted
  size_t thin_out_at_;
};

// Offers all codes of `index` to each of the scans, which are of it; memory is read once for all.
// The context's error when the answer is no longer wanted.
Status ScanAllCodes(const RequestContext& context, const VectorIndex& index,
                    std::span<CodeScan> scans);

}  // namespace akidb::engine
