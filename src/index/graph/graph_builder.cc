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
        random_(options.seed),
        links_(rows.codes.count(), CapacityOf(options.degree)) {}

  Result<Graph> Build() {
    order_.resize(rows_.codes.count());
    std::iota(order_.begin(), order_.end(), 0);
    Shuffle(order_);
    starts_ = order_;
    starts_.resize(std::min<size_t>(starts_.size(), kEntries));
    return InsertAll(kSerialRows);
  }

  Result<Graph> Extend(const KeptGraph& kept) {
    kept_ = &kept;
    const uint32_t kept_nodes = kept.graph.nodes();
    std::vector<uint32_t> living;
    std::vector<bool> is_kept(rows_.codes.count());
    for (uint32_t row : kept.rows) {
      if (row == kNoNode) continue;
      living.push_back(row);
      is_kept[row] = true;
    }
    for (uint32_t row = 0; row < is_kept.size(); ++row) {
      if (!is_kept[row]) order_.push_back(row);
    }
    Shuffle(order_);
    PickStarts(living);
    AKIDB_RETURN_IF_ERROR(ForEach(0, kept_nodes, options_.threads, &GraphBuilder::TakeOver));
    AKIDB_RETURN_IF_ERROR(ForEach(0, kept_nodes, options_.threads, &GraphBuilder::Refill));
    return InsertAll(kSerialRows - std::min<size_t>(kSerialRows, living.size()));
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

  // std::shuffle's draws are left to the library; these are the same everywhere.
  void Shuffle(std::vector<uint32_t>& rows) {
    for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random_() % i]);
  }

  // The rows of order_, of which the first `serial` on one thread.
  Result<Graph> InsertAll(size_t serial) {
    const auto rows = static_cast<uint32_t>(order_.size());
    const auto alone = static_cast<uint32_t>(std::min<size_t>(rows, serial));
    AKIDB_RETURN_IF_ERROR(ForEach(0, alone, 1, &GraphBuilder::Insert));
    AKIDB_RETURN_IF_ERROR(ForEach(alone, rows, options_.threads, &GraphBuilder::Insert));
    AKIDB_RETURN_IF_ERROR(ForEach(0, rows, options_.threads, &GraphBuilder::Refine));
    AKIDB_RETURN_IF_ERROR(ForEach(0, rows_.codes.count(), options_.threads, &GraphBuilder::Trim));
    Graph graph = Collect();
    AKIDB_RETURN_IF_ERROR(MakeReachable(rows_.codes, graph, stop_));
    return graph;
  }

  // Those of the kept graph's entries that live, and others in place of the rest.
  void PickStarts(std::vector<uint32_t> living) {
    Shuffle(living);
    std::vector<uint32_t> wanted;
    for (uint32_t entry : kept_->graph.entries) wanted.push_back(kept_->rows[entry]);
    wanted.insert(wanted.end(), living.begin(), living.end());
    VisitedNodes picked;
    picked.Reset(rows_.codes.count());
    for (uint32_t row : wanted) {
      if (starts_.size() == kEntries) break;
      if (row != kNoNode && picked.Add(row)) starts_.push_back(row);
    }
  }

  // Takes positions begin..end-1 through `step`, on `threads` threads.
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

  // The nodes nearest to `node` that a walk from the first `starts` starts finds:
  // worker.candidates, ascending.
  void Search(uint32_t node, size_t starts, Worker& worker) {
    worker.pool.Reset(options_.width);
    worker.visited.Reset(rows_.codes.count());
    worker.visited.Add(node);
    worker.near.assign(starts_.begin(),
                       starts_.begin() + static_cast<ptrdiff_t>(std::min(starts, starts_.size())));
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
    // The first rows of all are starts themselves, and one after the other.
    Search(node, kept_ == nullptr ? position : starts_.size(), worker);
    SetLinks(node, worker);
  }

  // Once more, now that the graph is whole: links to rows that came later, and longer ones.
  void Refine(uint32_t position, Worker& worker) {
    const uint32_t node = order_[position];
    rows_.codes.space().PrepareRow(rows_.codes.row(node), worker.query);
    Search(node, starts_.size(), worker);
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

  void Trim(uint32_t node, Worker& worker) {
    LinkTable::Locked links(links_, node);
    if (links.links().size() <= options_.degree) return;
    worker.candidates.assign(links.links().begin(), links.links().end());
    std::sort(worker.candidates.begin(), worker.candidates.end());
    Choose(worker);
    links.Assign(worker.chosen);
  }

  // Distances of worker.near from `node`: worker.candidates, ascending.
  void SetCandidates(uint32_t node, Worker& worker) {
    rows_.codes.space().PrepareRow(rows_.codes.row(node), worker.query);
    Distances(node, worker.near, worker.query, worker.distances);
    worker.candidates.clear();
    for (size_t i = 0; i < worker.near.size(); ++i) {
      worker.candidates.push_back({worker.distances[i], worker.near[i]});
    }
    std::sort(worker.candidates.begin(), worker.candidates.end());
  }

  // The rows that a kept node is linked to and that live: worker.near. Whether all of them do.
  bool LivingLinks(uint32_t kept_node, Worker& worker) const {
    bool all = true;
    worker.near.clear();
    for (uint32_t link : kept_->graph.LinksOf(kept_node)) {
      if (link == kNoNode) break;
      const uint32_t row = kept_->rows[link];
      if (row == kNoNode) {
        all = false;
      } else {
        worker.near.push_back(row);
      }
    }
    return all;
  }

  void TakeOver(uint32_t kept_node, Worker& worker) {
    const uint32_t node = kept_->rows[kept_node];
    if (node == kNoNode) return;
    LivingLinks(kept_node, worker);
    SetCandidates(node, worker);
    if (worker.candidates.size() > links_.capacity()) worker.candidates.resize(links_.capacity());
    LinkTable::Locked(links_, node).Assign(worker.candidates);
  }

  // Where links are lost: all anew from those that are left and those that the lost ones had.
  void Refill(uint32_t kept_node, Worker& worker) {
    const uint32_t node = kept_->rows[kept_node];
    if (node == kNoNode || LivingLinks(kept_node, worker)) return;
    {
      LinkTable::Locked links(links_, node);
      for (const Candidate& link : links.links()) worker.near.push_back(link.node);
    }
    for (uint32_t link : kept_->graph.LinksOf(kept_node)) {
      if (link == kNoNode) break;
      if (kept_->rows[link] != kNoNode) continue;
      for (uint32_t beyond : kept_->graph.LinksOf(link)) {
        if (beyond == kNoNode) break;
        if (kept_->rows[beyond] != kNoNode) worker.near.push_back(kept_->rows[beyond]);
      }
    }
    worker.visited.Reset(rows_.codes.count());
    worker.visited.Add(node);
    const std::span<const uint32_t> all = worker.visited.AddNew(worker.near);
    worker.near.assign(all.begin(), all.end());
    SetCandidates(node, worker);
    SetLinks(node, worker);
  }

  Graph Collect() {
    const uint32_t rows = rows_.codes.count();
    Graph graph;
    graph.degree = options_.degree;
    graph.links.assign(size_t{rows} * options_.degree, kNoNode);
    for (uint32_t node = 0; node < rows; ++node) {
      LinkTable::Locked links(links_, node);
      for (size_t i = 0; i < links.links().size(); ++i) {
        graph.links[size_t{node} * options_.degree + i] = links.links()[i].node;
      }
    }
    graph.entries = starts_;
    return graph;
  }

  const std::atomic<bool>& stop_;
  const GraphBuildRows& rows_;
  const GraphBuildOptions& options_;
  const float alpha_squared_;
  const uint32_t equals_max_;
  std::mt19937_64 random_;
  LinkTable links_;
  std::vector<uint32_t> order_;      // of insertion
  std::vector<uint32_t> starts_;     // where walks begin
  const KeptGraph* kept_ = nullptr;  // null: all rows are inserted
};

void CheckInput(const GraphBuildRows& rows, const GraphBuildOptions& options) {
  AKIDB_CHECK(rows.codes.space().kind() == CodeKind::kU7);
  AKIDB_CHECK(rows.lifts.empty() || rows.lifts.size() == rows.codes.count());
  AKIDB_CHECK(options.degree >= 2 && options.degree <= 1024 && options.width > 0);
}

}  // namespace

Result<Graph> BuildGraph(const GraphBuildRows& rows, const GraphBuildOptions& options,
                         const std::atomic<bool>& stop) {
  CheckInput(rows, options);
  return GraphBuilder(rows, options, stop).Build();
}

Result<Graph> ExtendGraph(const GraphBuildRows& rows, const KeptGraph& kept,
                          const GraphBuildOptions& options, const std::atomic<bool>& stop) {
  CheckInput(rows, options);
  AKIDB_CHECK(kept.rows.size() == kept.graph.nodes());
  return GraphBuilder(rows, options, stop).Extend(kept);
}

}  // namespace akidb::index
