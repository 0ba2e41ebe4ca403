// Which of some points are near a query and yet differ from one another: maximal marginal relevance
// (Carbonell and Goldstein, SIGIR 1998).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "types/collection_config.h"
#include "types/point.h"

namespace akidb::engine {

struct DiversityRequest {
  const std::string& vector_name;
  const DenseVector& query;  // of that vector
  float lambda = 0.5f;       // weight of the nearness to the query; the rest is of the difference
  size_t limit = 10;
};

// Numbers of candidates in the order they are picked in: first the one nearest to the query, then
// each time the one with the greatest lambda x similarity to the query - (1 - lambda) x greatest
// similarity to one that was picked, the first of equals. Of multivectors that is what the rows of
// the candidate find in those that were picked. `candidates` as they are stored.
// O(limit x candidates x dim); the context's error when the answer is no longer wanted.
Result<std::vector<size_t>> PickDiverse(const RequestContext& context,
                                        const CollectionConfig& config,
                                        const DiversityRequest& request,
                                        std::span<const DenseVector> candidates);

}  // namespace akidb::engine
