// The dot product of sparse vectors.
#pragma once

#include <optional>
#include <span>

#include "index/sparse/sparse_entries.h"

namespace akidb::index {

// Summed in double by ascending index; nothing when both have no index in common. `terms` ascend by
// index. O(terms x log(entries)) where the query is the much shorter one, else O(both).
std::optional<float> SparseDot(std::span<const SparseTerm> terms, const SparseEntries& entries);

// Calls visit(term number, value) for every index of the query that the vector has, ascending.
template <typename Visit>
void ForEachShared(std::span<const SparseTerm> terms, const SparseEntries& entries, Visit&& visit) {
  size_t at = 0;
  for (size_t term = 0; term < terms.size() && at < entries.size(); ++term) {
    const uint32_t index = terms[term].index;
    // Steps that double, then a binary search between the last two.
    size_t step = 1;
    while (at + step < entries.size() && entries.index(at + step) < index) step *= 2;
    size_t low = at + step / 2;
    size_t high = at + step < entries.size() ? at + step + 1 : entries.size();
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (entries.index(middle) < index) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    at = low;
    if (at < entries.size() && entries.index(at) == index) visit(term, entries.value(at));
  }
}

}  // namespace akidb::index
