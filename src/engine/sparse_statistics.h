// How rare indices are among the sparse vectors of a view, and what that makes of a query's
// components: the dialect's "idf".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/view_matches.h"
#include "index/sparse/sparse_entries.h"

namespace akidb::engine {

// Of a sparse query, as rows; by ascending index.
std::vector<index::SparseTerm> TermsOf(std::span<const float> query);

// ln(1 + (n - df + 0.5) / (df + 0.5)): n vectors, of which df have the index.
double InverseDocumentFrequency(uint64_t vectors, uint64_t having);

// Among which points indices are rare or not.
class RarityCorpus {
 public:
  // Null: all visible points. Otherwise a bit is kept for each row; the filter is not needed
  // afterwards.
  static Result<RarityCorpus> Of(const ViewLook& look, const Filter* filter);

  // Rows of the source of this number that count; null: all visible ones.
  const std::vector<bool>* RowsOf(size_t source) const {
    return rows_.empty() ? nullptr : &rows_[source];
  }

 private:
  std::vector<std::vector<bool>> rows_;  // by source
};

// Multiplies each weight by how rare its index is among the visible vectors of this name, as
// far as the corpus, which is of the same view, holds them: right after updates and deletes, too.
// O(indices) for a segment that counts as a whole, else the lists of the query's indices; in
// memory, and in segments without lists, every vector is looked at.
Status WeighByRarity(const ViewLook& look, const RarityCorpus& corpus, size_t ordinal,
                     std::span<index::SparseTerm> terms);

}  // namespace akidb::engine
