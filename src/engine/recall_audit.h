// Measures what the walks through a new graph find, so that a request can ask for a recall.
#pragma once

#include <atomic>

#include "base/status.h"
#include "engine/numbered_vectors.h"
#include "engine/vector_index.h"
#include "index/recall_curve.h"
#include "types/metric.h"

namespace akidb::engine {

// Of `index`, which has a graph, over `vectors`. Asks for the neighbours of 200 of the vectors,
// each as if it weren't there itself, in the way that IndexSearch answers requests; the truth comes
// from comparing all. For the dot product, and where the vectors lie far off the origin, 200 more
// in random directions about the origin. About 200 (400) x count x dim multiplications, and a
// thousandth of the graph's own cost beside it. kCancelled soon after `stop` turns true.
Result<index::RecallCurve> MeasureRecall(const VectorIndex& index, const NumberedVectors& vectors,
                                         Metric metric, const std::atomic<bool>& stop);

}  // namespace akidb::engine
