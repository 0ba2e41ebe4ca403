// Distances in double precision, one component after the other: what tests compare kernels, codes
// and whole collections with.
#pragma once

#include <cmath>
#include <span>

#include "types/metric.h"

namespace akidb::engine {

// Of equally many components. A zero vector's cosine is 0 with everything.
inline double NaiveDistance(Metric metric, std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0, l2 = 0, l1 = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    dot += x * y;
    aa += x * x;
    bb += y * y;
    l2 += (x - y) * (x - y);
    l1 += std::abs(x - y);
  }
  switch (metric) {
    case Metric::kCosine:
      return aa == 0 || bb == 0 ? 0 : -dot / std::sqrt(aa * bb);
    case Metric::kDot:
      return -dot;
    case Metric::kEuclid:
      return l2;
    case Metric::kManhattan:
      return l1;
  }
  return 0;
}

}  // namespace akidb::engine
