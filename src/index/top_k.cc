#include "index/top_k.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace akidb::index {

bool NearerThan(const Neighbor& a, const Neighbor& b) {
  if (a.distance != b.distance) return a.distance < b.distance;
  return a.id < b.id;
}

TopK::TopK(size_t k, float distance_max) : k_(k), distance_max_(distance_max) { Reset(); }

void TopK::Reset() {
  rows_.clear();
  // With k = 0 nothing may enter: no distance is below minus infinity, and Accepts knows the rest.
  bound_ = k_ == 0 ? -std::numeric_limits<float>::infinity() : distance_max_;
}

bool TopK::Accepts(float distance, PointId id) const {
  if (std::isnan(distance)) distance = std::numeric_limits<float>::infinity();
  if (k_ == 0 || distance > distance_max_) return false;
  if (rows_.size() < k_) return true;
  const Neighbor& worst = rows_.front();
  return distance < worst.distance || (distance == worst.distance && id < worst.id);
}

void TopK::Offer(Neighbor candidate) {
  if (!Accepts(candidate.distance, candidate.id)) return;
  if (std::isnan(candidate.distance)) candidate.distance = std::numeric_limits<float>::infinity();
  if (rows_.size() < k_) {
    rows_.push_back(candidate);
    // Until the heap is full its order doesn't matter, so a large k costs one pass and no more.
    if (rows_.size() < k_) return;
    std::make_heap(rows_.begin(), rows_.end(), NearerThan);
  } else {
    std::pop_heap(rows_.begin(), rows_.end(), NearerThan);
    rows_.back() = candidate;
    std::push_heap(rows_.begin(), rows_.end(), NearerThan);
  }
  bound_ = rows_.front().distance;
}

std::vector<Neighbor> TopK::Take() {
  std::vector<Neighbor> taken = std::exchange(rows_, {});
  std::sort(taken.begin(), taken.end(), NearerThan);
  Reset();
  return taken;
}

}  // namespace akidb::index
