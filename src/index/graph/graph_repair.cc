#include "index/graph/graph_repair.h"

#include <algorithm>

#include "index/graph/graph_walk.h"

namespace akidb::index {
namespace {

// Near nodes that are looked at for one with a link to spare.
constexpr uint32_t kWidth = 64;
// Nodes that a link is taken from lose a way; so many times the loss is looked for again.
constexpr int kRounds = 4;

// Marks what can be reached from the nodes of `frontier`, which it empties.
void Spread(const GraphView& graph, std::vector<uint32_t>& frontier, std::vector<bool>& reached) {
  while (!frontier.empty()) {
    const uint32_t node = frontier.back();
    frontier.pop_back();
    for (uint32_t neighbour : graph.LinksOf(node)) {
      if (neighbour == kNoNode) break;
      if (reached[neighbour]) continue;
      reached[neighbour] = true;
      frontier.push_back(neighbour);
    }
  }
}

std::span<uint32_t> LinksOf(Graph& graph, uint32_t node) {
  return std::span(graph.links).subspan(size_t{node} * graph.degree, graph.degree);
}

class Repair {
 public:
  Repair(const CodeArray& codes, Graph& graph, const std::atomic<bool>& stop)
      : codes_(codes), graph_(graph), stop_(stop) {}

  // The number of nodes that had to be linked.
  Result<uint32_t> Round(bool last) {
    std::vector<bool> reached = ReachableNodes(graph_.view());
    std::vector<uint32_t> frontier;
    uint32_t lost = 0;
    for (uint32_t node = 0; node < reached.size(); ++node) {
      if (reached[node]) continue;
      if (stop_) return CancelledError("the repair of a graph was stopped");
      ++lost;
      if (last) {
        graph_.entries.push_back(node);
      } else {
        AKIDB_RETURN_IF_ERROR(LinkTo(node));
      }
      reached[node] = true;
      frontier.push_back(node);
      Spread(graph_.view(), frontier, reached);
    }
    return lost;
  }

 private:
  // From the nearest node with a link to spare, else in place of the farthest link of the nearest.
  Status LinkTo(uint32_t node) {
    codes_.space().PrepareRow(codes_.row(node), query_);
    WalkOptions options;
    options.ef = kWidth;
    Result<bool> complete = walk_.Run(context_, {graph_.view(), codes_, query_}, options);
    if (!complete.ok()) return complete.status();
    for (const Candidate& near : walk_.found()) {
      uint32_t& last = LinksOf(graph_, near.node).back();
      if (last != kNoNode) continue;
      *std::find(LinksOf(graph_, near.node).begin(), LinksOf(graph_, near.node).end(), kNoNode) =
          node;
      return OkStatus();
    }
    // Another nearest one each time, so that no list is emptied of its own links.
    const std::span<const Candidate> found = walk_.found();
    LinksOf(graph_, found[turn_++ % found.size()].node).back() = node;
    return OkStatus();
  }

  const CodeArray& codes_;
  Graph& graph_;
  const std::atomic<bool>& stop_;
  const RequestContext context_;  // without a deadline: single walks are short
  GraphWalk walk_;
  CodeQuery query_;
  size_t turn_ = 0;
};

}  // namespace

std::vector<bool> ReachableNodes(const GraphView& graph) {
  std::vector<bool> reached(graph.nodes());
  std::vector<uint32_t> frontier(graph.entries.begin(), graph.entries.end());
  for (uint32_t entry : frontier) reached[entry] = true;
  Spread(graph, frontier, reached);
  return reached;
}

Status MakeReachable(const CodeArray& codes, Graph& graph, const std::atomic<bool>& stop) {
  Repair repair(codes, graph, stop);
  for (int round = 0; round < kRounds; ++round) {
    AKIDB_ASSIGN_OR_RETURN(uint32_t lost, repair.Round(round + 1 == kRounds));
    if (lost == 0) return OkStatus();
  }
  return OkStatus();
}

}  // namespace akidb::index
