// How a search was carried out, for those who ask why it took as long, or found what it did.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "types/no_graph_reason.h"

namespace akidb {

// The ways to search one source of rows: docs/internals/index.md.
enum class SearchWay : uint8_t {
  kNothing,        // no row can be in the answer
  kVectors,        // every vector compared
  kListedVectors,  // the vectors that a filter leaves, compared
  kCodes,          // every code, then the vectors that may be near enough
  kListedCodes,    // the codes that a filter leaves, then as above
  kGraph,          // a walk, then as above
  kFilteredGraph,  // a walk that keeps to what a filter or tombstones leave, then as above
  kInvertedLists,  // lists over sparse vectors or words, then what may be good enough
  kTexts,          // every text, or those of the points that a filter lists
};

struct SourcePlan {
  bool sealed = false;                      // a segment; else points in memory
  bool degraded = false;                    // its codes or graph are damaged, and being built anew
  std::optional<NoGraphReason> no_graph{};  // of a segment that has codes, and is to have no graph
  uint64_t rows = 0;                        // dead ones among them
  SearchWay way = SearchWay::kNothing;
  double admitted_share = 1;  // of the rows, about: living and passing the filter
  uint64_t ef = 0;            // candidates of the last walk; 0: none
  uint64_t walks = 0;         // one more for each time that ef was doubled
  uint64_t estimated = 0;     // distances by codes; postings of lists
  uint64_t compared = 0;      // vectors
  uint64_t bytes = 0;         // of codes, links and vectors that this touched
  // Searches of a batch that one pass over its codes or vectors served, each with all of search_ms.
  uint64_t shared_by = 1;
  double filter_ms = 0;  // asking the payload indexes
  double search_ms = 0;  // the rest
  double recall = 1;     // of the ten nearest, as measured when the segment was written
};

struct SearchPlan {
  std::vector<SourcePlan> sources;  // newest first
  double fetch_ms = 0;              // payloads and vectors of the hits
  // The least of the sources' recall: what the search is expected to find of the nearest.
  double recall = 1;
  // A source is: the answer is as exact as ever, only slower.
  bool degraded = false;
};

}  // namespace akidb
