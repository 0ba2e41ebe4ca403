// A graph over the rows of a segment whose edges lead from any row to near ones:
// docs/format/graph.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace akidb::index {

inline constexpr uint32_t kNoNode = 0xFFFFFFFF;

// Borrowed. Nodes are numbered as the rows of their CodeArray.
struct GraphView {
  uint32_t degree = 0;
  // nodes x degree: the neighbours of node i at i * degree, then kNoNode for the rest.
  std::span<const uint32_t> links;
  // Where a walk begins: at those of them that are nearest to the query.
  std::span<const uint32_t> entries;

  uint32_t nodes() const { return static_cast<uint32_t>(links.size() / degree); }
  std::span<const uint32_t> LinksOf(uint32_t node) const {
    return links.subspan(size_t{node} * degree, degree);
  }
};

struct Graph {
  uint32_t degree = 0;
  std::vector<uint32_t> links;
  std::vector<uint32_t> entries;

  GraphView view() const { return {degree, links, entries}; }
};

}  // namespace akidb::index
