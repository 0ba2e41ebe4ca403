// Which nodes a walk has seen: one bit each, so that the set stays in the first-level caches, and
// cleared by what was set, so that a small walk through a large graph costs little.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace akidb::index {

// Not thread-safe. Memory: nodes / 8 bytes, kept between uses.
class VisitedNodes {
 public:
  // Empties it, for nodes 0..nodes-1.
  void Reset(uint32_t nodes) {
    if (touched_.size() > words_.size() / 4) {
      std::fill(words_.begin(), words_.end(), 0);
    } else {
      for (uint32_t word : touched_) words_[word] = 0;
    }
    touched_.clear();
    if (words_.size() < nodes / 64 + 1) words_.resize(nodes / 64 + 1);
  }

  // Whether the node is new; it isn't any more.
  bool Add(uint32_t node) {
    uint64_t& word = words_[node / 64];
    const uint64_t bit = uint64_t{1} << (node % 64);
    if ((word & bit) != 0) return false;
    if (word == 0) touched_.push_back(node / 64);
    word |= bit;
    return true;
  }

 private:
  std::vector<uint64_t> words_;
  std::vector<uint32_t> touched_;  // words that are not zero
};

}  // namespace akidb::index
