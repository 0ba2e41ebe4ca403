// The nearest nodes seen so far, in order, each with a mark whether the walk has been there: what a
// best-first search is made of. Sorted, because with some hundred entries moving a few of them
// costs less than a heap's branches, and the next node to visit is always at hand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace akidb::index {

struct Candidate {
  float distance = 0;
  uint32_t node = 0;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.node < b.node;
  }
};

// Not thread-safe. Memory: `capacity` entries, kept between uses.
class CandidatePool {
 public:
  // Empties it.
  void Reset(size_t capacity) {
    capacity_ = capacity;
    size_ = 0;
    next_ = 0;
    if (entries_.size() < capacity + 1) {
      entries_.resize(capacity + 1);
      visited_.resize(capacity + 1);
    }
  }

  // A farther node can't enter any more.
  float bound() const {
    return size_ < capacity_ ? std::numeric_limits<float>::infinity()
                             : entries_[size_ - 1].distance;
  }
  size_t size() const { return size_; }
  std::span<const Candidate> candidates() const { return {entries_.data(), size_}; }

  // A node must not be offered twice. NaN counts as infinitely far.
  void Offer(Candidate candidate) {
    if (candidate.distance != candidate.distance) {
      candidate.distance = std::numeric_limits<float>::infinity();
    }
    if (size_ == capacity_ && !(candidate.distance < bound())) return;
    const size_t at = static_cast<size_t>(
        std::upper_bound(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(size_),
                         candidate) -
        entries_.begin());
    const size_t last = std::min(size_, capacity_ - 1);
    std::move_backward(entries_.begin() + static_cast<ptrdiff_t>(at),
                       entries_.begin() + static_cast<ptrdiff_t>(last),
                       entries_.begin() + static_cast<ptrdiff_t>(last + 1));
    std::move_backward(visited_.begin() + static_cast<ptrdiff_t>(at),
                       visited_.begin() + static_cast<ptrdiff_t>(last),
                       visited_.begin() + static_cast<ptrdiff_t>(last + 1));
    entries_[at] = candidate;
    visited_[at] = 0;
    size_ = last + 1;
    next_ = std::min(next_, at);
  }

  // Marks the nearest node that has not been visited and returns it; false when all have.
  bool Next(uint32_t& node) {
    while (next_ < size_ && visited_[next_] != 0) ++next_;
    if (next_ == size_) return false;
    visited_[next_] = 1;
    node = entries_[next_].node;
    return true;
  }
  // Those that Next would return in turn, as many as there is room for, so that they can be
  // prefetched. Returns how many there are.
  size_t Peek(std::span<uint32_t> nodes) const {
    size_t count = 0;
    for (size_t at = next_; at < size_ && count < nodes.size(); ++at) {
      if (visited_[at] == 0) nodes[count++] = entries_[at].node;
    }
    return count;
  }

 private:
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t next_ = 0;  // none before it is unvisited
  std::vector<Candidate> entries_;
  std::vector<uint8_t> visited_;
};

}  // namespace akidb::index
