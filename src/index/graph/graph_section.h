// A graph as bytes: docs/format/graph.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "index/graph/graph.h"

namespace akidb::index {

std::vector<std::byte> EncodeGraph(const GraphView& graph);

// Looks at every link, so that a walk never leaves the graph. The view lies in `bytes`, which are
// aligned to 4. kCorruption for a graph that isn't of `nodes` nodes or leads elsewhere,
// kUnsupported for one of a newer version.
Result<GraphView> OpenGraph(std::span<const std::byte> bytes, uint32_t nodes);

}  // namespace akidb::index
