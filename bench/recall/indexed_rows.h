// Vectors with codes and a graph, searched as the engine does it: a walk by 4-bit codes, the first
// candidates compared exactly, or those that three spreads of the estimate may bring among the
// nearest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "index/codes/code_section.h"
#include "index/codes/prefix_fit.h"
#include "index/graph/graph_builder.h"
#include "index/graph/graph_walk.h"
#include "recall_data.h"

namespace akidb::bench {

// Keys of settings: degree (32), width (128), alpha (1.05), threads (1).
index::GraphBuildOptions BuildOptionsOf(const Settings& settings);

class IndexedRows {
 public:
  // `rows` (count x dim) outlive it. Encodes; the graph comes from one of the functions below.
  // `prefix`: components that are coded and linked; 0: all.
  IndexedRows(Metric metric, std::span<const float> rows, uint32_t dim, uint32_t prefix = 0);

  void Build(const index::GraphBuildOptions& options, bool renumber = true);
  // As Build, but takes the graph from a file where there is one of as many rows, and else leaves
  // it there: for the same rows and options alone. An empty path is none.
  void BuildOrRead(const Settings& settings, const std::string& path);
  // From the graph of `before`, whose row i has become row became[i], or kNoNode.
  void Extend(const IndexedRows& before, std::span<const uint32_t> became,
              const index::GraphBuildOptions& options);

  uint32_t count() const { return count_; }
  double encode_s() const { return encode_s_; }
  double build_s() const { return build_s_; }          // of the wall clock
  double build_cpu_s() const { return build_cpu_s_; }  // of all threads
  double mean_degree() const;
  double bytes_per_row() const;
  const index::GraphView& graph() const { return view_; }
  const index::CodeArray& codes() const { return *array_; }
  const index::CodeSpace& space() const { return *section_.space; }
  // Of the prefix: rows that it can't tell from the ten nearest.
  double prefix_compared() const { return fit_ ? fit_->compared : 0; }

 private:
  void FitPrefix(std::span<const float> rows, std::span<const float> centre, uint32_t prefix);
  index::Graph MakeGraph(const index::GraphBuildOptions& options) const;
  void Finish(index::Graph graph, bool renumber);

  const Metric metric_;
  const uint32_t count_;
  std::unique_ptr<index::CodeSpace> narrow_;
  std::unique_ptr<index::CodeSpace> wide_;
  std::unique_ptr<index::CodeSectionWriter> writer_;  // until the graph is there
  std::vector<std::byte> wide_codes_;                 // until the graph is there
  std::vector<float> lifts_;
  std::optional<index::PrefixFit> fit_;
  std::vector<std::byte> code_bytes_;
  index::CodeSection section_;
  std::unique_ptr<index::CodeArray> array_;
  index::Graph graph_;
  index::GraphView view_;
  double encode_s_ = 0;
  double build_s_ = 0;
  double build_cpu_s_ = 0;
};

// One thread's searches.
class RowSearch {
 public:
  // Of ef candidates the first ef/rerank, at least 2k, are compared exactly; with 0 as far as three
  // spreads reach.
  RowSearch(const Data& data, const IndexedRows& rows, double rerank = 3)
      : data_(data), rows_(rows), rerank_(rerank) {}

  // The k nearest of data's query q, nearest first.
  void Search(size_t q, size_t ef, size_t k, std::vector<uint32_t>& found);
  // Distances estimated since the last call.
  double TakeVisits() { return static_cast<double>(std::exchange(visits_, 0)); }
  // Nodes whose links were followed, and rows compared exactly, since the last call.
  double TakeExpansions() { return static_cast<double>(std::exchange(expansions_, 0)); }
  double TakeCompared() { return static_cast<double>(std::exchange(compared_, 0)); }

 private:
  // Into best_, in any order.
  void CompareFirst(size_t q, size_t count);
  void CompareWithinSpreads(size_t q, size_t k, const index::CodeQuery& query);

  const Data& data_;
  const IndexedRows& rows_;
  const double rerank_;
  RequestContext context_;
  index::GraphWalk walk_;
  uint64_t visits_ = 0;
  uint64_t expansions_ = 0;
  uint64_t compared_ = 0;
  std::vector<uint32_t> numbers_;
  std::vector<float> exact_;
  std::vector<index::Candidate> best_;
};

struct Point {
  size_t ef = 0;
  double recall = 0;
  double per_second = 0;
  double visits = 0;    // distances a query
  double compared = 0;  // of ours: vectors a query
};

// All queries once. `Search` has Search and TakeVisits as RowSearch.
template <typename Search>
Point Measure(const Data& data, Search& search, size_t ef, size_t k) {
  std::vector<uint32_t> found;
  std::vector<std::vector<uint32_t>> answers(data.queries);
  const double start = CpuSeconds();
  for (size_t q = 0; q < data.queries; ++q) {
    search.Search(q, ef, k, found);
    answers[q] = found;
  }
  const double seconds = CpuSeconds() - start;
  double recall = 0;
  for (size_t q = 0; q < data.queries; ++q) recall += RecallOf(data, q, answers[q]);
  return {ef, recall / data.queries, data.queries / seconds, search.TakeVisits() / data.queries, 0};
}

}  // namespace akidb::bench
