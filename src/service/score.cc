#include "service/score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace akidb::service {
namespace {

float ScoreOf(const ScoreScale& scale, float distance) {
  // JSON has no infinity, and clients expect a number.
  constexpr float kMax = std::numeric_limits<float>::max();
  const float score = scale.by_examples ? -distance : WireScore(scale.metric, distance);
  return std::clamp(score, -kMax, kMax) + 0.0f;  // never "-0.0"
}

bool Passes(const ScoreScale& scale, float score, float threshold) {
  return WireScoreIsDistance(scale.metric) ? score <= threshold : score >= threshold;
}

}  // namespace

bool ThresholdNeedsTheBest(const ScoreScale& scale) {
  return scale.by_examples && WireScoreIsDistance(scale.metric);
}

float DistanceBound(const ScoreScale& scale, float threshold) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float bound = -threshold;
  if (WireScoreIsDistance(scale.metric)) {
    if (scale.by_examples) return kInfinity;
    bound = threshold;
    if (scale.metric == Metric::kEuclid && threshold >= 0) {
      bound = threshold * threshold * (1 + 1e-6f);
    }
  }
  return std::nextafter(bound, kInfinity);
}

std::vector<ScoredPoint> ScoredPoints(std::vector<Hit>& hits, const ScoreScale& scale,
                                      std::optional<float> threshold) {
  std::vector<ScoredPoint> points;
  points.reserve(hits.size());
  for (Hit& hit : hits) {
    ScoredPoint point;
    point.id = hit.id;
    point.version = hit.seq;
    point.score = ScoreOf(scale, hit.distance);
    if (threshold && !Passes(scale, point.score, *threshold)) break;
    point.payload = std::move(hit.payload);
    point.vectors = std::move(hit.vectors);
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace akidb::service
