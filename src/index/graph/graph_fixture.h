// For tests of graphs: clustered rows from fixed seeds, a graph over them, and how many of the
// nearest a walk finds.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "index/graph/graph_builder.h"
#include "index/graph/graph_repair.h"
#include "index/graph/graph_walk.h"

namespace akidb::index {

using Vector = std::vector<float>;

// Fixed seeds: the bounds of recall below hold for these rows.
inline std::vector<Vector> Clustered(uint32_t rows, uint32_t dim, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Vector> centres(50, Vector(dim));
  for (Vector& centre : centres) {
    for (float& value : centre) value = normal(random);
  }
  std::vector<Vector> vectors;
  for (uint32_t i = 0; i < rows; ++i) {
    Vector vector = centres[random() % centres.size()];
    for (float& value : vector) value += 0.7f * normal(random);
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

inline double DistanceBetween(Metric metric, const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]);
    const auto y = static_cast<double>(b[i]);
    sum += metric == Metric::kEuclid ? (x - y) * (x - y) : -x * y;
  }
  return sum;
}

inline std::vector<uint32_t> TrueNearest(Metric metric, const std::vector<Vector>& rows,
                                         const Vector& query, size_t k) {
  std::vector<std::pair<double, uint32_t>> all;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    all.emplace_back(DistanceBetween(metric, rows[i], query), i);
  }
  std::sort(all.begin(), all.end());
  std::vector<uint32_t> nearest;
  for (size_t i = 0; i < std::min(k, all.size()); ++i) nearest.push_back(all[i].second);
  return nearest;
}

// Rows, their codes and a graph over them.
class Indexed {
 public:
  Indexed(std::vector<Vector> rows, Metric metric, const GraphBuildOptions& options)
      : Indexed(std::move(rows), metric, options, nullptr) {}
  // `before` is extended; it may be null.
  Indexed(std::vector<Vector> rows, Metric metric, const GraphBuildOptions& options,
          const KeptGraph* before)
      : rows_(std::move(rows)), metric_(metric) {
    Vector centre(rows_[0].size());
    for (const Vector& row : rows_) {
      for (size_t i = 0; i < centre.size(); ++i) {
        centre[i] += row[i] / static_cast<float>(rows_.size());
      }
    }
    narrow_ = std::make_unique<CodeSpace>(CodeKind::kU4, 3, centre);
    wide_ = std::make_unique<CodeSpace>(CodeKind::kU7, 3, centre);
    narrow_codes_ = Codes(*narrow_);
    wide_codes_ = Codes(*wide_);
    double longest = 0;
    for (const Vector& row : rows_)
      longest = std::max(longest, -DistanceBetween(Metric::kDot, row, row));
    if (metric == Metric::kDot) {
      for (const Vector& row : rows_) {
        lifts_.push_back(static_cast<float>(
            std::sqrt(std::max(longest + DistanceBetween(Metric::kDot, row, row), 0.0))));
      }
    }
    const CodeArray wide(*wide_, wide_codes_.data(), count());
    const std::atomic<bool> stop(false);
    Result<Graph> graph = before == nullptr ? BuildGraph({wide, lifts_}, options, stop)
                                            : ExtendGraph({wide, lifts_}, *before, options, stop);
    EXPECT_TRUE(graph.ok()) << graph.status().ToString();
    graph_ = std::move(graph).value();
  }

  uint32_t count() const { return static_cast<uint32_t>(rows_.size()); }
  const Graph& graph() const { return graph_; }
  const std::vector<Vector>& rows() const { return rows_; }
  CodeArray codes() const { return {*narrow_, narrow_codes_.data(), count()}; }

  Result<bool> Walk(const Vector& query, const WalkOptions& options,
                    const RequestContext& context) {
    const CodeArray array = codes();
    return walk_.Run(context, {graph_.view(), array, narrow_->Prepare(metric_, query)}, options);
  }
  std::span<const Candidate> found() const { return walk_.found(); }
  uint64_t visits() const { return walk_.visits(); }

  // The share of the 10 nearest among ef candidates, over 100 queries like the rows.
  double Recall(uint32_t ef) {
    std::mt19937_64 random(99);
    std::normal_distribution<float> normal;
    size_t hits = 0;
    size_t wanted = 0;
    for (int q = 0; q < 100; ++q) {
      Vector query = rows_[random() % rows_.size()];
      for (float& value : query) value += 0.3f * normal(random);
      EXPECT_TRUE(Walk(query, {.ef = ef}, context_).ok());
      std::set<uint32_t> nodes;
      for (const Candidate& candidate : found()) nodes.insert(candidate.node);
      EXPECT_EQ(nodes.size(), found().size());
      for (uint32_t row : TrueNearest(metric_, rows_, query, 10)) {
        ++wanted;
        hits += nodes.count(row);
      }
    }
    return static_cast<double>(hits) / static_cast<double>(wanted);
  }

 private:
  std::vector<std::byte> Codes(const CodeSpace& space) const {
    std::vector<std::byte> codes(rows_.size() * space.row_bytes());
    for (size_t i = 0; i < rows_.size(); ++i) {
      space.Encode(rows_[i], codes.data() + i * space.row_bytes());
    }
    return codes;
  }

  const std::vector<Vector> rows_;
  const Metric metric_;
  RequestContext context_;
  std::unique_ptr<CodeSpace> narrow_;
  std::unique_ptr<CodeSpace> wide_;
  std::vector<std::byte> narrow_codes_;
  std::vector<std::byte> wide_codes_;
  std::vector<float> lifts_;
  Graph graph_;
  GraphWalk walk_;
};

inline void ExpectSound(const Graph& graph, uint32_t nodes) {
  ASSERT_EQ(graph.view().nodes(), nodes);
  for (uint32_t node = 0; node < nodes; ++node) {
    std::set<uint32_t> seen;
    bool ended = false;
    for (uint32_t link : graph.view().LinksOf(node)) {
      if (link == kNoNode) {
        ended = true;
        continue;
      }
      EXPECT_FALSE(ended);
      EXPECT_LT(link, nodes);
      EXPECT_NE(link, node);
      EXPECT_TRUE(seen.insert(link).second);
    }
  }
  const std::vector<bool> reachable = ReachableNodes(graph.view());
  EXPECT_EQ(std::count(reachable.begin(), reachable.end(), false), 0);
}

}  // namespace akidb::index
