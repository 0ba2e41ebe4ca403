// Filters that a query is carried out with, made of those that it names. Shared, because engine
// requests share their filters.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "types/filter.h"

namespace akidb::service {

// `filter`, and none of these points.
std::shared_ptr<const Filter> WithoutPoints(const std::shared_ptr<const Filter>& filter,
                                            std::vector<PointId> points);
// None but these points.
std::shared_ptr<const Filter> OnlyPoints(std::vector<PointId> points);
// What holds for a prefetch: its own filter and that of what it is for. As the dialect merges them:
// clause by clause, so that `should` of one and `should` of the other are alternatives.
std::shared_ptr<const Filter> MergedFilter(const std::shared_ptr<const Filter>& outer,
                                           const std::shared_ptr<const Filter>& inner);
// `filter`, and the condition.
std::shared_ptr<const Filter> WithCondition(const std::shared_ptr<const Filter>& filter,
                                            Condition condition);

}  // namespace akidb::service
