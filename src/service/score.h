// The wire's scores, made of distances.
#pragma once

#include <optional>
#include <vector>

#include "service/service.h"
#include "types/metric.h"

namespace akidb::service {

// How hits become scores.
struct ScoreScale {
  Metric metric = Metric::kCosine;
  // A hit's distance is minus a score that is no distance in any metric: the larger, the better.
  bool by_examples = false;
};

// A threshold is a lower bound of scores, or an upper one where the metric's are distances. So it
// is in the dialect also for scores by examples, of which the larger are better: there an upper
// bound that the best hit does not keep leaves nothing, and hits have to start with the best.
bool ThresholdNeedsTheBest(const ScoreScale& scale);
// The largest distance that can pass the wire's threshold; a little more, because scores are
// rounded: ScoredPoints has the last word.
float DistanceBound(const ScoreScale& scale, float threshold);
// Hits come best first; from the first on that does not pass the threshold they are left out.
std::vector<ScoredPoint> ScoredPoints(std::vector<Hit>& hits, const ScoreScale& scale,
                                      std::optional<float> threshold);

}  // namespace akidb::service
