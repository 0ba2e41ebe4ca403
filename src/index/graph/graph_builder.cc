#include "index/graph/graph_builder.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <system_error>
#include <thread>
#include <vector>

#include <pthread.h>

#include "base/check.h"
#include "index/graph/candidate_pool.h"
#include "index/graph/graph_repair.h"
#include "index/graph/link_table.h"
#include "index/graph/visited_nodes.h"

namespace akidb::index {
namespace {

// Nodes from which walks begin: more are looked at in vain (docs/internals/index.md).
constexpr uint32_t kEntries = 32;
// So many rows are inserted by one thread before others join in: they would not see each other.
constexpr uint32_t kSerialRows = 1000;
// Rows that a thread takes at a time, between two looks at whether to stop.
constexpr uint32_t kBatchRows = 16;
// Equal rows are nearest to each other, and thousands of them would be an island that no link
// leaves: so many of a node's links, and of a search's candidates, may lead to rows that are equal
// to it.
constexpr uint32_t EqualsMaxOf(uint32_t degree) { return std::max(degree / 4, 1u); }
// A list may grow beyond the degree before it is cut back, which is the costly part.
constexpr uint32_t CapacityOf(uint32_t degree) { return degree + degree / 2; }

class GraphBuilder {
 public:
  GraphBuilder(const GraphBuildRows& rows, const GraphBuildOptions& options,
               const std::atomic<bool>& stop)
      : stop_(stop),
        rows_(rows),
        options_(options),
        alpha_squared_(options.alpha * options.alpha),
        equals_max_(EqualsMaxOf(options.degree)),
        links_(rows.codes.count(), CapacityOf(options.degree)),
        order_(rows.codes.count()) {
    std::iota(order_.begin(), order_.end(), 0);
    std::mt19937_64 random(options.seed);
    // std::shuffle's draws are left to the library; these are the same everywhere.
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random() % i]);
  }

  Result<Graph> Build() {
    const auto rows = static_cast<uint32_t>(order_.size());
    const uint32_t serial = std::min(rows, kSerialRows);
    AKIDB_RETURN_IF_ERROR(ForEach(0, serial, 1, &GraphBuilder::Insert));
    AKIDB_RETURN_IF_ERROR(ForEach(serial, rows, options_.threads, &GraphBuilder::Insert));
    AKIDB_RETURN_IF_ERROR(ForEach(0, rows, options_.threads, &GraphBuilder::Refine));
    AKIDB_RETURN_IF_ERROR(ForEach(0, rows, options_.threads, &GraphBuilder::Trim));
    Graph graph = Collect();
    AKIDB_RETURN_IF_ERROR(MakeReachable(rows_.codes, graph, stop_));
    return graph;
  }

 private:
  // What one thread works with.
  struct Worker {
    CodeQuery query;
    CodeQuery other;
    CandidatePool pool;
    VisitedNodes visited;
    std::vector<uint32_t> near;
    std::vector<float> distances;
    std::vector<Candidate> candidates;
    std::vector<Candidate> chosen;
    std::vector<uint32_t> chosen_nodes;
  };
  using Step = void (GraphBuilder::*)(uint32_t position, Worker& worker);

  // Takes positions begin..end-1 of the order through `step`, on `threads` threads.
  Status ForEach(uint32_t begin, uint32_t end, uint32_t threads, Step step) {
    std::atomic<uint32_t> next{begin};
    auto work = [&] {
      Worker worker;
      for (;;) {
        const uint32_t first = next.fetch_add(kBatchRows);
        if (first >= end || first < begin || stop_) return;
        for (uint32_t i = first; i < std::min(end, first + kBatchRows); ++i) {
          (this->*step)(i, worker);
        }
      }
    };
    std::vector<std::thread> helpers;
    try {
      for (uint32_t i = 1; i < threads; ++i) {
        helpers.emplace_back([&work] {
          pthread_setname_np(pthread_self(), "graph-build");
          work();
        });
      }
    } catch (const std::system_error&) {
      // The system has no more threads to give: those that there are do the work.
    }
    work();
    for (std::thread& helper : helpers) helper.join();
    return stop_ ? CancelledError("the building of a graph was stopped") : OkStatus();
  }

  float LiftBetween(uint32_t a, uint32_t b) const {
    if (rows_.lifts.empty()) return 0;
    const float difference = rows_.lifts[a] - rows_.lifts[b];
    return difference * difference;
  }

  // `query` is that of `node`. Rounding makes equal rows a little less than 0 apart, for which the
  // rule of choice was not made.
  void Distances(uint32_t node, std::span<const uint32_t> others, const CodeQuery& query,
                 std::vector<float>& distances) const {
    distances.resize(std::max(distances.size(), others.size()));
    rows_.codes.Distances(query, others, distances.data());
    for (size_t i = 0; i < others.size(); ++i) {
      distances[i] = std::max(distances[i], 0.0f) + LiftBetween(node, others[i]);
    }
  }

  // The nodes nearest to `node` that a walk from the entries finds, of which there are at most
  // `inserted`: worker.candidates, ascending.
  void Search(uint32_t node, size_t inserted, Worker& worker) {
    worker.pool.Reset(options_.width);
    worker.visited.Reset(static_cast<uint32_t>(order_.size()));
    worker.visited.Add(node);
    worker.near.assign(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(
                                                            std::min<size_t>(inserted, kEntries)));
    uint32_t equals = 0;
    for (;;) {
      const std::span<const uint32_t> fresh = worker.visited.AddNew(worker.near);
      Distances(node, fresh, worker.query, worker.distances);
      for (size_t i = 0; i < fresh.size(); ++i) {
        if (worker.distances[i] == 0 && ++equals > equals_max_) continue;
        worker.pool.Offer({worker.distances[i], fresh[i]});
      }
      uint32_t next;
      if (!worker.pool.Next(next)) break;
      worker.near.clear();
      LinkTable::Locked links(links_, next);
      for (const Candidate& link : links.links()) worker.near.push_back(link.node);
    }
    const std::span<const Candidate> found = worker.pool.candidates();
    worker.candidates.assign(found.begin(), found.end());
  }

  // Chooses from worker.candidates, ascending: worker.chosen. One is left out if a link chosen
  // before leads nearer to it.
  void Choose(Worker& worker) {
    worker.chosen.clear();
    worker.chosen_nodes.clear();
    uint32_t equals = 0;
    for (const Candidate& candidate : worker.candidates) {
      if (worker.chosen.size() == options_.degree) return;
      if (candidate.distance == 0 && ++equals > equals_max_) continue;
      rows_.codes.space().PrepareRow(rows_.codes.row(candidate.node), worker.other);
      if (IsCovered(candidate, worker)) continue;
      worker.chosen.push_back(candidate);
      worker.chosen_nodes.push_back(candidate.node);
    }
  }

  bool IsCovered(const Candidate& candidate, Worker& worker) const {
    constexpr size_t kAtOnce = 8;
    std::span<const uint32_t> chosen = worker.chosen_nodes;
    while (!chosen.empty()) {
      const auto some = chosen.first(std::min(chosen.size(), kAtOnce));
      Distances(candidate.node, some, worker.other, worker.distances);
      for (size_t i = 0; i < some.size(); ++i) {
        if (alpha_squared_ * worker.distances[i] < candidate.distance) return true;
      }
      chosen = chosen.subspan(some.size());
    }
    return false;
  }

  void Insert(uint32_t position, Worker& worker) {
    const uint32_t node = order_[position];
    rows_.codes.space().PrepareRow(rows_.codes.row(node), worker.query);
    Search(node, position, worker);
    SetLinks(node, worker);
  }

  // Once more, now that the graph is whole: links to rows that came later, and longer ones.
  void Refine(uint32_t position, Worker& worker) {
    const uint32_t node = order_[position];
    rows_.codes.space().PrepareRow(rows_.codes.row(node), worker.query);
    Search(node, order_.size(), worker);
    {
      LinkTable::Locked links(links_, node);
      worker.candidates.insert(worker.candidates.end(), links.links().begin(), links.links().end());
    }
    SortCandidates(worker);
    SetLinks(node, worker);
  }

  static void SortCandidates(Worker& worker) {
    std::vector<Candidate>& candidates = worker.candidates;
    std::sort(candidates.begin(), candidates.end());
    auto same = [](const Candidate& a, const Candidate& b) { return a.node == b.node; };
    candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
  }

  // The node's links from worker.candidates, and those back to it.
  void SetLinks(uint32_t node, Worker& worker) {
    Choose(worker);
    const std::vector<Candidate> chosen = worker.chosen;
    LinkTable::Locked(links_, node).Assign(chosen);
    for (const Candidate& link : chosen) LinkBack(link.node, {link.distance, node}, worker);
  }

  void LinkBack(uint32_t from, Candidate link, Worker& worker) {
    LinkTable::Locked links(links_, from);
    for (const Candidate& known : links.links()) {
      if (known.node == link.node) return;
    }
    if (!links.full()) return links.Append(link);
    worker.candidates.assign(links.links().begin(), links.links().end());
    worker.candidates.push_back(link);
    std::sort(worker.candidates.begin(), worker.candidates.end());
    Choose(worker);
    links.Assign(worker.chosen);
  }

  void Trim(uint32_t position, Worker& worker) {
    LinkTable::Locked links(links_, order_[position]);
    if (links.links().size() <= options_.degree) return;
    worker.candidates.assign(links.links().begin(), links.links().end());
    std::sort(worker.candidates.begin(), worker.candidates.end());
    Choose(worker);
    links.Assign(worker.chosen);
  }

  Graph Collect() {
    const auto rows = static_cast<uint32_t>(order_.size());
    Graph graph;
    graph.degree = options_.degree;
    graph.links.assign(size_t{rows} * options_.degree, kNoNode);
    for (uint32_t node = 0; node < rows; ++node) {
      LinkTable::Locked links(links_, node);
      for (size_t i = 0; i < links.links().size(); ++i) {
        graph.links[size_t{node} * options_.degree + i] = links.links()[i].node;
      }
    }
    graph.entries.assign(order_.begin(), order_.begin() + std::min(rows, kEntries));
    return graph;
  }

  const std::atomic<bool>& stop_;
  const GraphBuildRows& rows_;
  const GraphBuildOptions& options_;
  const float alpha_squared_;
  const uint32_t equals_max_;
  LinkTable links_;
  std::vector<uint32_t> order_;  // of insertion
};

}  // namespace

Result<Graph> BuildGraph(const GraphBuildRows& rows, const GraphBuildOptions& options,
                         const std::atomic<bool>& stop) {
  AKIDB_CHECK(rows.codes.space().kind() == CodeKind::kU7);
  AKIDB_CHECK(rows.lifts.empty() || rows.lifts.size() == rows.codes.count());
  AKIDB_CHECK(options.degree >= 2 && options.degree <= 1024 && options.width > 0);
  return GraphBuilder(rows, options, stop).Build();
}

}  // namespace akidb::index
