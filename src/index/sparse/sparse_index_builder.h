// Makes inverted lists over sparse vectors: docs/format/sparse_index.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "index/sparse/sparse_entries.h"

namespace akidb::index {

// In two passes over the same vectors: each is counted, then each is added, by ascending number
// from 0 on. Memory: what Finish returns, and some 40 bytes an index.
class SparseIndexBuilder {
 public:
  void Count(const SparseEntries& vector);
  // Of the index to come.
  uint64_t bytes() const;
  // Between both passes.
  void BeginLists();
  void Add(const SparseEntries& vector);
  // Once all that were counted are added.
  std::vector<std::byte> Finish() &&;

 private:
  // Of a list: where it begins among the postings, and how many are there so far.
  struct List {
    uint64_t start = 0;
    uint32_t count = 0;
    uint32_t filled = 0;
  };

  void WriteBounds();

  uint32_t vectors_ = 0;
  uint32_t added_ = 0;
  uint64_t postings_ = 0;
  std::unordered_map<uint32_t, List> lists_;
  std::vector<uint32_t> indices_;  // ascending
  std::vector<std::byte> bytes_;
  uint32_t* numbers_ = nullptr;  // in bytes_, as what follows
  float* values_ = nullptr;
  uint64_t blocks_ = 0;
  uint64_t bounds_offset_ = 0;
};

}  // namespace akidb::index
