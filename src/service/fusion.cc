#include "service/fusion.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

namespace akidb::service {
namespace {

// Of the point at this place, from 0 on. Cormack, Clarke and Büttcher, Reciprocal Rank Fusion
// (SIGIR 2009); a weight stretches the places of its list.
float RankScore(size_t place, size_t k, float weight) {
  if (!(weight > 0)) return 0;
  return 1.0f / (static_cast<float>(place + 1) / weight + static_cast<float>(k) - 1.0f);
}

void ScoreByRank(RankedLists& lists, const FusionQuery& fusion) {
  for (size_t i = 0; i < lists.size(); ++i) {
    const float weight = fusion.weights.empty() ? 1.0f : fusion.weights[i];
    for (size_t place = 0; place < lists[i].size(); ++place) {
      lists[i][place].score = RankScore(place, fusion.k, weight);
    }
  }
}

// Of one list: three standard deviations below the mean become 0, three above it 1. Mean and
// variance as in Welford, Note on a Method for Calculating Corrected Sums of Squares and Products
// (Technometrics 1962): of equal scores the deviation is exactly 0.
void ScoreByDistribution(std::vector<ScoredPoint>& points) {
  double mean = 0;
  double squares = 0;
  double count = 0;
  for (const ScoredPoint& point : points) {
    const double score = static_cast<double>(point.score);
    const double from_mean = score - mean;
    count += 1;
    mean += from_mean / count;
    squares += from_mean * (score - mean);
  }
  const double deviation = points.size() < 2 ? 0 : std::sqrt(squares / (count - 1));
  for (ScoredPoint& point : points) {
    const double from_least = static_cast<double>(point.score) - (mean - 3 * deviation);
    point.score = deviation > 0 ? static_cast<float>(from_least / (6 * deviation)) : 0.5f;
  }
}

}  // namespace

std::vector<ScoredPoint> Fuse(RankedLists lists, const FusionQuery& fusion) {
  switch (fusion.method) {
    case FusionQuery::Method::kReciprocalRank:
      ScoreByRank(lists, fusion);
      break;
    case FusionQuery::Method::kDistribution:
      for (std::vector<ScoredPoint>& points : lists) ScoreByDistribution(points);
      break;
  }
  std::vector<ScoredPoint> fused;
  std::unordered_map<PointId, size_t> places;  // in `fused`
  for (std::vector<ScoredPoint>& points : lists) {
    for (ScoredPoint& point : points) {
      const auto [place, is_new] = places.emplace(point.id, fused.size());
      if (is_new) {
        fused.push_back(std::move(point));
      } else {
        fused[place->second].score += point.score;
      }
    }
  }
  std::sort(fused.begin(), fused.end(), [](const ScoredPoint& a, const ScoredPoint& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  return fused;
}

}  // namespace akidb::service
