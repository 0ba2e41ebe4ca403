// The rows of a sealed segment whose payload was replaced since it was written. A value: copying
// copies a pointer, and a copy never changes, so that a view keeps what it saw.
//
// A tree of 64-way nodes over the row number, of which a change copies those on the way to its rows
// (Driscoll et al., Making Data Structures Persistent, 1989). Copies may be read on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "types/payload.h"

namespace akidb::engine {

struct RowChange {
  uint64_t seq = 0;  // of the record
  // Shared by the copies, and by the rows that one request gave the same payload.
  std::shared_ptr<const Payload> payload;
};

struct RowUpdate {
  uint32_t row = 0;
  RowChange change;
};

class RowChanges {
 public:
  bool empty() const { return root_ == nullptr; }
  uint64_t rows() const;
  // Of payloads and bookkeeping; a shared payload counts for each of its rows.
  uint64_t bytes() const;
  // The greatest of all changes; 0 when empty.
  uint64_t last_seq() const;

  // Null when the row is as it was written. Valid as long as any copy that holds it.
  const RowChange* Find(uint32_t row) const;
  // Ascending rows that were changed after `seq`; O(those, and the nodes around them).
  void ForEach(uint64_t after_seq,
               const std::function<void(uint32_t row, const RowChange&)>& visit) const;

  // Replaces changes of the same rows by those with greater sequence numbers. Rows below 2^30, in
  // any order. O(updates), whatever there is already.
  void Apply(std::span<const RowUpdate> updates);

  // The same object, not only equal: nothing was applied in between.
  friend bool operator==(const RowChanges& a, const RowChanges& b) { return a.root_ == b.root_; }

 private:
  struct Node;
  static std::shared_ptr<const Node> With(const Node* before, uint32_t level,
                                          std::span<const RowUpdate> updates);
  static void Visit(const Node& node, uint64_t after_seq,
                    const std::function<void(uint32_t row, const RowChange&)>& visit);

  std::shared_ptr<const Node> root_;  // shared by copies
};

}  // namespace akidb::engine
