// What was measured of one segment's graph: how many of the nearest a walk finds, and what it
// costs, by the number of candidates that it keeps. As bytes: docs/format/recall.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"

namespace akidb::index {

// A mean over the queries like the rows that were asked.
struct RecallPoint {
  uint32_t ef = 0;      // candidates that the walk began with
  float recall = 0;     // share of the RecallCurve::kHits nearest that were found
  float estimated = 0;  // distances by codes
  float compared = 0;   // vectors
};

// What was found of queries that lie elsewhere than the rows, as those of inner products may.
struct RecallElsewhere {
  // One for each point: share of the kHits nearest that were found. Empty: none were asked.
  std::vector<float> recall;
  // Such queries are as likely as others: who asks for no recall is to get enough for them, too.
  bool expected = false;
};

// What a recall is to be: the mean of queries like the rows, or a promise, which any kind of
// queries that were asked keeps, and more than that many others would.
enum class RecallKind : uint8_t { kMean, kPromise };

// Points by ascending ef; recall never descends. Costs may: a walk with few candidates that found
// itself too short was made again with more.
class RecallCurve {
 public:
  // Hits that were asked for. Whoever wants more of them needs more candidates in proportion.
  static constexpr uint32_t kHits = 10;
  static constexpr size_t kPointsMax = 64;
  // Unless it was measured; and what is believed.
  static constexpr float kVisitCost = 4;
  static constexpr float kVisitCostMin = 1;
  static constexpr float kVisitCostMax = 16;

  RecallCurve() = default;
  // Sorted by ascending ef, each once, at most kPointsMax. Where more candidates found less, fewer
  // are not trusted to find more: their recall is lowered to it.
  // `visit_cost`: of a distance that a walk estimates, against one of a list of numbers; clamped to
  // kVisitCostMin and kVisitCostMax.
  RecallCurve(std::vector<RecallPoint> points, uint32_t queries, float visit_cost = kVisitCost,
              RecallElsewhere elsewhere = {});

  std::span<const RecallPoint> points() const { return points_; }
  // How many of each kind were asked.
  uint32_t queries() const { return queries_; }
  float visit_cost() const { return visit_cost_; }
  const RecallElsewhere& elsewhere() const { return elsewhere_; }

  // The cheapest way to find this share of `k`; nothing where none was seen to.
  std::optional<size_t> EfFor(double recall, size_t k, RecallKind kind) const;
  // What can be promised of a walk with `ef` candidates for `k` hits; 0 below the first point.
  double RecallAt(size_t ef, size_t k) const;
  // The costs of such a walk, in proportion between points and beyond them.
  double EstimatedAt(size_t ef) const;

 private:
  double RecallOf(size_t point, RecallKind kind) const;

  std::vector<RecallPoint> points_;
  RecallElsewhere elsewhere_;
  uint32_t queries_ = 0;
  float visit_cost_ = kVisitCost;
};

std::vector<std::byte> EncodeRecallCurve(const RecallCurve& curve);
// kCorruption for what no curve is, kUnsupported for a newer version.
Result<RecallCurve> OpenRecallCurve(std::span<const std::byte> bytes);

}  // namespace akidb::index
