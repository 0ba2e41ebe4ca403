// The order of a graph's nodes in memory: neighbours near each other, so that a walk meets the same
// pages and cache lines again.
//
// Source: Cuthill and McKee, "Reducing the bandwidth of sparse symmetric matrices" (1969), over the
// links and what they lead back from; that orders of this kind make walks faster: Coleman et al.,
// "Graph Reordering for Cache-Efficient Near Neighbor Search" (NeurIPS 2022).
#pragma once

#include "index/graph/graph.h"

namespace akidb::index {

// Gives the nodes of a graph whose nodes are the numbers of vectors an order of their own, and
// notes which is which. The same graph always gets the same order. Memory beside the result: 12 x
// degree bytes a node.
void Renumber(Graph& graph);

}  // namespace akidb::index
