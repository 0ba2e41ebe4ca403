// The k nearest rows seen so far: a bounded heap that several blocks, segments and kinds of scan
// share, so that each begins with the bound that the ones before it reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "types/point_id.h"

namespace akidb::index {

struct Neighbor {
  float distance = 0;
  uint32_t source = 0;  // the caller's number of the head or segment
  uint32_t row = 0;     // within that source
  PointId id;
};

// The order of results: smaller distance first, then smaller id, so that an answer depends neither
// on the order of scanning nor on how rows are spread over segments.
bool NearerThan(const Neighbor& a, const Neighbor& b);

// Memory grows with the rows that enter, never with k. Not thread-safe.
class TopK {
 public:
  // Keeps the best k rows whose distance is at most `distance_max`.
  explicit TopK(size_t k, float distance_max = std::numeric_limits<float>::infinity());

  // A row with a larger distance can't enter any more. A row at exactly this distance enters if its
  // id is smaller than that of the row it would push out.
  float bound() const { return bound_; }
  // Whether a row would enter. A distance that is not a number counts as infinite.
  bool Accepts(float distance, PointId id) const;
  // Enters the row if Accepts says so.
  void Offer(Neighbor candidate);

  size_t size() const { return rows_.size(); }
  // Nearest first. Leaves the object empty and as it was made.
  std::vector<Neighbor> Take();

 private:
  void Reset();

  const size_t k_;
  const float distance_max_;
  float bound_;
  std::vector<Neighbor> rows_;  // a heap with the worst row first, once k_ are there
};

}  // namespace akidb::index
