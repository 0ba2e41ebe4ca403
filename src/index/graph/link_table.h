// The links of a graph that is being built: for each node a bounded list with distances, under a
// lock of its own. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/check.h"
#include "index/graph/candidate_pool.h"

namespace akidb::index {

class LinkTable {
  struct Node {
    std::atomic_flag locked = ATOMIC_FLAG_INIT;
    uint32_t size = 0;
  };

 public:
  LinkTable(uint32_t nodes, uint32_t capacity)
      : capacity_(capacity),
        nodes_(std::make_unique<Node[]>(nodes)),
        links_(size_t{nodes} * capacity) {}

  uint32_t capacity() const { return capacity_; }

  // A node's links while nobody else sees or changes them.
  class Locked {
   public:
    Locked(LinkTable& table, uint32_t node) : table_(table), node_(table.nodes_[node]), at_(node) {
      while (node_.locked.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    ~Locked() { node_.locked.clear(std::memory_order_release); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

    std::span<const Candidate> links() const { return {first(), node_.size}; }
    bool full() const { return node_.size == table_.capacity_; }
    void Append(Candidate link) {
      AKIDB_CHECK(!full());
      first()[node_.size++] = link;
    }
    void Assign(std::span<const Candidate> links) {
      AKIDB_CHECK(links.size() <= table_.capacity_);
      std::copy(links.begin(), links.end(), first());
      node_.size = static_cast<uint32_t>(links.size());
    }

   private:
    Candidate* first() const { return table_.links_.data() + size_t{at_} * table_.capacity_; }

    LinkTable& table_;
    Node& node_;
    const uint32_t at_;
  };

 private:
  const uint32_t capacity_;
  const std::unique_ptr<Node[]> nodes_;
  std::vector<Candidate> links_;  // nodes x capacity
};

}  // namespace akidb::index
