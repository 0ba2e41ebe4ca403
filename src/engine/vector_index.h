// Codes and graphs over the vectors of a segment: built when it is written, opened with it, and
// searched instead of the vectors themselves.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/log.h"
#include "engine/section_fetch.h"
#include "engine/segment_indexer.h"
#include "index/codes/code_section.h"
#include "index/graph/graph.h"
#include "index/recall_curve.h"

namespace akidb::engine {

struct SecondCodes {
  explicit SecondCodes(index::CodeSection opened)
      : section(std::move(opened)), codes(*section.space, section.rows, section.count) {}

  const index::CodeSection section;
  const index::CodeArray codes;
  // Null: they are in the process's own memory.
  std::unique_ptr<SectionFetch> fetch;
};

// Over one vector of a segment. Row i of `codes` is that of node i of `graph`; without a graph it
// is that of the vector number i.
struct VectorIndex {
  explicit VectorIndex(index::CodeSection opened)
      : section(std::move(opened)), codes(*section.space, section.rows, section.count) {}

  // Of a row of the codes, and the other way.
  uint32_t NumberOf(uint32_t node) const { return graph ? graph->NumberOf(node) : node; }
  uint32_t NodeOf(uint32_t number) const { return graph ? graph->NodeOf(number) : number; }

  const index::CodeSection section;
  const index::CodeArray codes;
  // Finer codes, in the same order, for what the others find; null: there are none.
  std::unique_ptr<SecondCodes> second;
  std::optional<index::GraphView> graph;
  // Numbers of rows that searches compare beside the graph; ascending.
  std::vector<uint32_t> long_rows;
  // Of the graph; without points when it was not measured.
  index::RecallCurve recall;
};

struct VectorIndexerOptions {
  // Segments with fewer vectors are searched by their codes alone: that takes about as long as a
  // walk.
  uint32_t graph_rows_min = 5'000;
  // While points arrive fast, only segments of so many get a graph at once: smaller ones are soon
  // merged again, and building would hold the points up.
  uint32_t graph_rows_min_in_haste = 2'000'000;
  uint32_t threads = 1;  // that build one graph
  // Of memory that building a graph takes, at most: larger segments are not made.
  uint64_t memory_max = uint64_t{2} << 30;
  // A graph over a permitted prefix that was measured to find less is given up for one over whole
  // vectors.
  double prefix_recall_min = 0.98;
};

// Manhattan distances are not kept by codes: such vectors are walked by Euclid's where both nearly
// agree, and else compared one by one. Multivectors have no
// index. `log` outlives it.
std::unique_ptr<SegmentIndexer> MakeVectorIndexer(const VectorIndexerOptions& options, Logger& log);

}  // namespace akidb::engine
