#include "index/graph/graph_order.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace akidb::index {
namespace {

// For each node those that it links to and that link to it.
class Neighbours {
 public:
  explicit Neighbours(const GraphView& graph) : begins_(size_t{graph.nodes()} + 1) {
    ForEachLink(graph, [&](uint32_t from, uint32_t to) {
      ++begins_[from + 1];
      ++begins_[to + 1];
    });
    std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
    all_.resize(begins_.back());
    std::vector<size_t> ends(begins_.begin(), begins_.end() - 1);
    ForEachLink(graph, [&](uint32_t from, uint32_t to) {
      all_[ends[from]++] = to;
      all_[ends[to]++] = from;
    });
  }

  size_t CountOf(uint32_t node) const { return begins_[node + 1] - begins_[node]; }
  std::span<const uint32_t> Of(uint32_t node) const {
    return std::span(all_).subspan(begins_[node], CountOf(node));
  }

 private:
  template <typename Visit>
  static void ForEachLink(const GraphView& graph, Visit visit) {
    for (uint32_t node = 0; node < graph.nodes(); ++node) {
      for (uint32_t link : graph.LinksOf(node)) {
        if (link == kNoNode) break;
        visit(node, link);
      }
    }
  }

  std::vector<size_t> begins_;
  std::vector<uint32_t> all_;
};

// The nodes, those with few neighbours first.
class CuthillMcKee {
 public:
  explicit CuthillMcKee(const GraphView& graph) : neighbours_(graph), placed_(graph.nodes()) {
    order_.reserve(graph.nodes());
    std::vector<uint32_t> starts(graph.nodes());
    std::iota(starts.begin(), starts.end(), 0);
    SortByCount(starts.begin(), starts.end());
    size_t expanded = 0;
    for (uint32_t start : starts) {
      Place(start);
      for (; expanded < order_.size(); ++expanded) {
        const size_t first = order_.size();
        for (uint32_t neighbour : neighbours_.Of(order_[expanded])) Place(neighbour);
        SortByCount(order_.begin() + static_cast<ptrdiff_t>(first), order_.end());
      }
    }
  }

  std::vector<uint32_t> Take() { return std::move(order_); }

 private:
  void Place(uint32_t node) {
    if (placed_[node]) return;
    placed_[node] = true;
    order_.push_back(node);
  }
  void SortByCount(std::vector<uint32_t>::iterator begin, std::vector<uint32_t>::iterator end) {
    std::sort(begin, end, [this](uint32_t a, uint32_t b) {
      return std::pair(neighbours_.CountOf(a), a) < std::pair(neighbours_.CountOf(b), b);
    });
  }

  const Neighbours neighbours_;
  std::vector<bool> placed_;
  std::vector<uint32_t> order_;
};

}  // namespace

void Renumber(Graph& graph) {
  AKIDB_CHECK(graph.number_of_node.empty());
  graph.number_of_node = CuthillMcKee(graph.view()).Take();
  const std::vector<uint32_t>& order = graph.number_of_node;
  graph.node_of_number.resize(order.size());
  for (uint32_t node = 0; node < order.size(); ++node) graph.node_of_number[order[node]] = node;
  std::vector<uint32_t> links(graph.links.size());
  for (uint32_t node = 0; node < order.size(); ++node) {
    for (uint32_t i = 0; i < graph.degree; ++i) {
      const uint32_t link = graph.links[size_t{order[node]} * graph.degree + i];
      links[size_t{node} * graph.degree + i] =
          link == kNoNode ? kNoNode : graph.node_of_number[link];
    }
  }
  graph.links = std::move(links);
  for (uint32_t& entry : graph.entries) entry = graph.node_of_number[entry];
}

}  // namespace akidb::index
