// Which nodes a walk has seen: one bit each, so that the set stays in the first-level caches, and a
// list of them, by which it is cleared: a small walk through a large graph costs little.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/graph/graph.h"

namespace akidb::index {

// Not thread-safe. Memory: nodes / 8 bytes and 4 for each node seen, kept between uses.
class VisitedNodes {
 public:
  // Empties it, for nodes 0..nodes-1.
  void Reset(uint32_t nodes) {
    if (seen_count_ > words_.size()) {
      std::fill(words_.begin(), words_.end(), 0);
    } else {
      for (size_t i = 0; i < seen_count_; ++i) words_[seen_[i] / 64] = 0;
    }
    seen_count_ = 0;
    if (words_.size() < nodes / 64 + 1) words_.resize(nodes / 64 + 1);
  }

  // Whether the node is new; it isn't any more.
  bool Add(uint32_t node) { return !AddNew({&node, 1}).empty(); }

  // Those of `nodes` up to the first kNoNode that are new, in their order; they aren't any more.
  // Valid until the next call. Whether a node is new can't be foretold: without a branch on it, a
  // walk is some hundredths faster.
  std::span<const uint32_t> AddNew(std::span<const uint32_t> nodes) {
    const size_t first = seen_count_;
    if (seen_.size() < first + nodes.size()) seen_.resize(2 * (first + nodes.size()));
    uint32_t* const seen = seen_.data();
    size_t count = first;
    for (uint32_t node : nodes) {
      if (node == kNoNode) break;
      uint64_t& word = words_[node / 64];
      const uint64_t before = word;
      seen[count] = node;
      count += 1 - (before >> (node % 64) & 1);
      word = before | uint64_t{1} << (node % 64);
    }
    seen_count_ = count;
    return {seen + first, count - first};
  }

  // Nodes that were new are so again.
  void Forget(std::span<const uint32_t> nodes) {
    for (uint32_t node : nodes) words_[node / 64] &= ~(uint64_t{1} << (node % 64));
  }

 private:
  std::vector<uint64_t> words_;
  std::vector<uint32_t> seen_;  // the first seen_count_ are
  size_t seen_count_ = 0;
};

}  // namespace akidb::index
