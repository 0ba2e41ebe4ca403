#include "index/graph/graph_section.h"

#include <cstring>

#include <gtest/gtest.h>

#include "index/graph/graph_order.h"

namespace akidb::index {
namespace {

Graph Small() {
  Graph graph;
  graph.degree = 2;
  graph.links = {1, 2, 2, kNoNode, kNoNode, kNoNode};
  graph.entries = {0};
  return graph;
}

TEST(GraphSection, WhatWasEncodedIsOpened) {
  const Graph graph = Small();
  const std::vector<std::byte> bytes = EncodeGraph(graph.view());
  Result<GraphView> view = OpenGraph(bytes, 3);
  ASSERT_TRUE(view.ok()) << view.status().ToString();
  EXPECT_EQ(view->degree, 2u);
  EXPECT_TRUE(std::equal(view->links.begin(), view->links.end(), graph.links.begin()));
  EXPECT_TRUE(std::equal(view->entries.begin(), view->entries.end(), graph.entries.begin()));
}

TEST(GraphSection, AnOrderOfItsOwnIsKept) {
  Graph graph = Small();
  Renumber(graph);
  const std::vector<std::byte> bytes = EncodeGraph(graph.view());
  Result<GraphView> view = OpenGraph(bytes, 3);
  ASSERT_TRUE(view.ok()) << view.status().ToString();
  for (uint32_t node = 0; node < 3; ++node) {
    EXPECT_EQ(view->NumberOf(node), graph.number_of_node[node]);
    EXPECT_EQ(view->NodeOf(view->NumberOf(node)), node);
  }
}

TEST(GraphSection, AnOrderThatIsNoneIsRefused) {
  for (uint32_t wrong : {1u, 3u}) {
    Graph graph = Small();
    Renumber(graph);
    graph.number_of_node[0] = (graph.number_of_node[0] + wrong) % 4;
    EXPECT_EQ(OpenGraph(EncodeGraph(graph.view()), 3).status().code(), ErrorCode::kCorruption);
  }
}

TEST(GraphSection, WhatLeadsOutOfTheGraphIsRefused) {
  Graph graph = Small();
  graph.links[1] = 3;
  EXPECT_EQ(OpenGraph(EncodeGraph(graph.view()), 3).status().code(), ErrorCode::kCorruption);
  graph = Small();
  graph.links = {kNoNode, 1, 0, kNoNode, 0, kNoNode};
  EXPECT_EQ(OpenGraph(EncodeGraph(graph.view()), 3).status().code(), ErrorCode::kCorruption);
  graph = Small();
  graph.entries = {3};
  EXPECT_EQ(OpenGraph(EncodeGraph(graph.view()), 3).status().code(), ErrorCode::kCorruption);
  graph.entries.clear();
  EXPECT_EQ(OpenGraph(EncodeGraph(graph.view()), 3).status().code(), ErrorCode::kCorruption);
}

TEST(GraphSection, CutShortOrOfOtherRowsIsRefused) {
  const std::vector<std::byte> bytes = EncodeGraph(Small().view());
  EXPECT_FALSE(OpenGraph(bytes, 2).ok());
  EXPECT_FALSE(OpenGraph(bytes, 4).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(OpenGraph(std::span(bytes).first(size), 3).ok()) << size;
  }
  std::vector<std::byte> newer = bytes;
  newer[0] = std::byte{3};
  EXPECT_EQ(OpenGraph(newer, 3).status().code(), ErrorCode::kUnsupported);
}

// Any byte changed is refused or still a graph that no walk can leave.
TEST(GraphSection, FlippedBitsNeverLeadOutside) {
  Graph renumbered = Small();
  Renumber(renumbered);
  for (const Graph& graph : {Small(), renumbered}) {
    const std::vector<std::byte> bytes = EncodeGraph(graph.view());
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::vector<std::byte> flipped = bytes;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      Result<GraphView> view = OpenGraph(flipped, 3);
      if (!view.ok()) continue;
      for (uint32_t link : view->links) EXPECT_TRUE(link == kNoNode || link < 3);
      for (uint32_t entry : view->entries) EXPECT_LT(entry, 3u);
      for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(view->NodeOf(view->NumberOf(i)), i);
    }
  }
}

}  // namespace
}  // namespace akidb::index
