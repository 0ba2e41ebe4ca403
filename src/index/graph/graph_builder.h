// Builds a graph over coded rows by inserting them one after the other: each is searched for in the
// graph so far, linked to those of the nodes found that lead in different directions, and they back
// to it. Source: Jayaram Subramanya et al., "DiskANN" (NeurIPS 2019), algorithms 1 to 3; the same
// rule of choice is algorithm 4 of Malkov and Yashunin (2018) with alpha = 1.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "index/codes/code_space.h"
#include "index/graph/graph.h"

namespace akidb::index {

struct GraphBuildOptions {
  uint32_t degree = 32;  // links of a node, at most; 2 to 1024
  uint32_t width = 128;  // nodes that a row's neighbours are chosen from: the wire's ef_construct
  float alpha = 1.05f;   // more than 1 keeps longer links, too, and with them the graph walkable
  uint32_t threads = 1;  // with one, the same seed gives the same graph
  uint64_t seed = 1;     // of the order of insertion and of the entries
};

struct GraphBuildRows {
  const CodeArray& codes;  // kU7
  // Empty, or one for each row: a further component. For the dot product of vectors of different
  // lengths, sqrt(longest^2 - |o|^2): then the nearest by squared distance are those of the largest
  // product (Bachrach et al., "Speeding Up the Xbox Recommender System", 2014).
  std::span<const float> lifts;
};

// Every node can be reached from the entries. Memory beside the result: 1.5 x degree x 8 bytes a
// node. kCancelled soon after `stop` turns true. Node i of the result is row i.
Result<Graph> BuildGraph(const GraphBuildRows& rows, const GraphBuildOptions& options,
                         const std::atomic<bool>& stop);

// A graph over some of the rows and others that are gone.
struct KeptGraph {
  const GraphView& graph;
  // Of each of its nodes the row that it has become; kNoNode for one that is gone, and for at least
  // one it isn't.
  std::span<const uint32_t> rows;
};

// As BuildGraph, in time that grows with the rows that are new and those that are gone: the kept
// graph's links are taken over. Whoever has lost links is given others, of those to which the lost
// ones led; then the new rows are inserted. Source: Singh et al., "FreshDiskANN" (2021),
// algorithm 4.
Result<Graph> ExtendGraph(const GraphBuildRows& rows, const KeptGraph& kept,
                          const GraphBuildOptions& options, const std::atomic<bool>& stop);

}  // namespace akidb::index
