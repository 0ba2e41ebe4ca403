// Lists of points made one: by their ranks, or by their scores.
#pragma once

#include <vector>

#include "service/service.h"
#include "types/query.h"

namespace akidb::service {

using RankedLists = std::vector<std::vector<ScoredPoint>>;

// Each point once, the best score first, ties by ascending id. docs/api/queries.md has the
// formulas. Weights, if there are any, are one a list.
std::vector<ScoredPoint> Fuse(RankedLists lists, const FusionQuery& fusion);

}  // namespace akidb::service
