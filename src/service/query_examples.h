// What the engine is asked for a query by several examples.
#pragma once

#include <memory>

#include "base/status.h"
#include "engine/example_score.h"
#include "types/collection_config.h"
#include "types/query.h"

namespace akidb::service {

// Whether points are scored by several examples at once.
bool IsByExamples(const QueryForm& query);
// Of such a query, which holds vectors only. Shared, because engine requests share it.
std::shared_ptr<const engine::ExampleQuery> ExamplesOf(const QueryForm& query);
// The one vector that stands for all examples of a recommendation: the mean of the positive ones,
// moved away from the mean of the negative ones by their difference. Of multivectors all rows,
// those of negative ones negated. kInvalidArgument: no positive example, or one that is no vector
// of this kind.
Result<DenseVector> AverageOf(const RecommendQuery& recommend, const VectorConfig& config);

}  // namespace akidb::service
