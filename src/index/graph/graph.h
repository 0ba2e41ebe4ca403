// A graph over the rows of a segment whose edges lead from any row to near ones:
// docs/format/graph.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace akidb::index {

inline constexpr uint32_t kNoNode = 0xFFFFFFFF;

// Borrowed. Node i is row i of the codes that the graph is walked by, and stands for the vector
// with the number NumberOf(i).
struct GraphView {
  uint32_t degree = 0;
  // nodes x degree: the neighbours of node i at i * degree, then kNoNode for the rest.
  std::span<const uint32_t> links;
  // Where a walk begins: at those of them that are nearest to the query.
  std::span<const uint32_t> entries;
  // Each the other's inverse; both empty where nodes have the numbers of their vectors.
  std::span<const uint32_t> number_of_node;
  std::span<const uint32_t> node_of_number;

  uint32_t NumberOf(uint32_t node) const {
    return number_of_node.empty() ? node : number_of_node[node];
  }
  uint32_t NodeOf(uint32_t number) const {
    return node_of_number.empty() ? number : node_of_number[number];
  }
  uint32_t nodes() const { return static_cast<uint32_t>(links.size() / degree); }
  std::span<const uint32_t> LinksOf(uint32_t node) const {
    return links.subspan(size_t{node} * degree, degree);
  }
};

struct Graph {
  uint32_t degree = 0;
  std::vector<uint32_t> links;
  std::vector<uint32_t> entries;
  std::vector<uint32_t> number_of_node;
  std::vector<uint32_t> node_of_number;

  GraphView view() const { return {degree, links, entries, number_of_node, node_of_number}; }
};

}  // namespace akidb::index
