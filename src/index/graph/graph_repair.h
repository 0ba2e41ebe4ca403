// Makes every node of a graph reachable: some rows are chosen as a link by nobody, and a walk would
// never find them.
#pragma once

#include <atomic>
#include <vector>

#include "base/status.h"
#include "index/codes/code_space.h"
#include "index/graph/graph.h"

namespace akidb::index {

// Links each node that the entries don't lead to from a near one that they do lead to; where all of
// those have no link to spare, the node becomes an entry. `codes` as the graph was built by.
// kCancelled soon after `stop` turns true.
Status MakeReachable(const CodeArray& codes, Graph& graph, const std::atomic<bool>& stop);

// For each node whether a walk from the entries can get there.
std::vector<bool> ReachableNodes(const GraphView& graph);

}  // namespace akidb::index
