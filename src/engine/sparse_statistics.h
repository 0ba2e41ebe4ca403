// How rare indices are among the sparse vectors of a view, and what that makes of a query's
// components: the dialect's "idf".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "engine/row_source.h"
#include "index/sparse/sparse_entries.h"

namespace akidb::engine {

// Of a sparse query, as rows; by ascending index.
std::vector<index::SparseTerm> TermsOf(std::span<const float> query);

// ln(1 + (n - df + 0.5) / (df + 0.5)): n vectors, of which df have the index.
double InverseDocumentFrequency(uint64_t vectors, uint64_t having);

// Multiplies each weight by how rare its index is among the visible vectors of this name, right
// after updates and deletes, too. O(indices) for a segment in which nothing is dead, else the lists
// of the query's indices; in memory, and in segments without lists, every vector is looked at.
Status WeighByRarity(const RequestContext& context, const View& view, size_t ordinal,
                     std::span<index::SparseTerm> terms);

}  // namespace akidb::engine
