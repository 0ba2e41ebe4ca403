#include "types/metric.h"

#include <cmath>

namespace akidb {

std::string_view MetricName(Metric metric) {
  switch (metric) {
    case Metric::kCosine:
      return "Cosine";
    case Metric::kDot:
      return "Dot";
    case Metric::kEuclid:
      return "Euclid";
    case Metric::kManhattan:
      return "Manhattan";
  }
  return "";
}

std::optional<Metric> ParseMetric(std::string_view name) {
  for (Metric metric : {Metric::kCosine, Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
    if (name == MetricName(metric)) return metric;
  }
  return std::nullopt;
}

float WireScore(Metric metric, float distance) {
  switch (metric) {
    case Metric::kCosine:
    case Metric::kDot:
      return -distance;
    case Metric::kEuclid:
      return std::sqrt(distance);
    case Metric::kManhattan:
      return distance;
  }
  return distance;
}

bool WireScoreIsDistance(Metric metric) {
  return metric == Metric::kEuclid || metric == Metric::kManhattan;
}

float DistanceOfWireScore(Metric metric, float score) {
  switch (metric) {
    case Metric::kCosine:
    case Metric::kDot:
      return -score;
    case Metric::kEuclid:
      return score < 0 ? -1.0f : score * score;
    case Metric::kManhattan:
      return score;
  }
  return score;
}

}  // namespace akidb
