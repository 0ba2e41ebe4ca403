// How two vectors are compared.
//
// Inside AkiDB a `distance` is smaller-is-nearer and a `score` larger-is-better; the index works on
// distances only. service turns them into the wire's value and order.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace akidb {

enum class Metric : uint8_t {
  kCosine = 0,     // vectors are stored at unit length; distance = -dot
  kDot = 1,        // distance = -dot
  kEuclid = 2,     // distance = squared L2; the wire shows its root
  kManhattan = 3,  // distance = L1
};

std::string_view MetricName(Metric metric);  // "Cosine"
std::optional<Metric> ParseMetric(std::string_view name);

// What a client sees for `distance`: cosine and dot similarity (larger is better), or the Euclidean
// or Manhattan distance (smaller is better).
float WireScore(Metric metric, float distance);
// True where the wire's score is a distance: smaller first, and score_threshold is an upper bound.
bool WireScoreIsDistance(Metric metric);
// The inverse of WireScore; a distance that no row reaches for a negative Euclidean score.
float DistanceOfWireScore(Metric metric, float score);

}  // namespace akidb
