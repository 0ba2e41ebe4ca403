#include "index/graph/graph_order.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace akidb::index {
namespace {

// A path through all nodes in a random order.
Graph ShuffledPath(uint32_t nodes) {
  std::vector<uint32_t> path(nodes);
  for (uint32_t i = 0; i < nodes; ++i) path[i] = i;
  std::mt19937_64 random(1);
  for (size_t i = nodes; i > 1; --i) std::swap(path[i - 1], path[random() % i]);
  Graph graph;
  graph.degree = 2;
  graph.links.assign(size_t{nodes} * 2, kNoNode);
  for (uint32_t i = 0; i + 1 < nodes; ++i) graph.links[size_t{path[i]} * 2] = path[i + 1];
  graph.entries = {path[0]};
  return graph;
}

TEST(GraphOrder, KeepsEveryLink) {
  const Graph before = ShuffledPath(100);
  Graph after = before;
  Renumber(after);
  ASSERT_EQ(after.view().nodes(), 100u);
  const GraphView view = after.view();
  EXPECT_EQ(view.NumberOf(after.entries[0]), before.entries[0]);
  for (uint32_t node = 0; node < 100; ++node) {
    EXPECT_EQ(view.NodeOf(view.NumberOf(node)), node);
    for (uint32_t i = 0; i < 2; ++i) {
      const uint32_t link = view.LinksOf(node)[i];
      EXPECT_EQ(link == kNoNode ? kNoNode : view.NumberOf(link),
                before.view().LinksOf(view.NumberOf(node))[i]);
    }
  }
}

TEST(GraphOrder, LaysNeighboursTogether) {
  Graph graph = ShuffledPath(1000);
  Renumber(graph);
  for (uint32_t node = 0; node < 1000; ++node) {
    const uint32_t link = graph.view().LinksOf(node)[0];
    if (link == kNoNode) continue;
    EXPECT_EQ(std::max(link, node) - std::min(link, node), 1u);
  }
}

TEST(GraphOrder, NodesWithoutLinksHaveTheirPlaceToo) {
  Graph graph;
  graph.degree = 3;
  graph.links.assign(30, kNoNode);
  graph.entries = {4};
  Renumber(graph);
  std::vector<uint32_t> numbers = graph.number_of_node;
  std::sort(numbers.begin(), numbers.end());
  for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(numbers[i], i);
}

}  // namespace
}  // namespace akidb::index
