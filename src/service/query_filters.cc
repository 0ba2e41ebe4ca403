#include "service/query_filters.h"

#include <algorithm>
#include <utility>

namespace akidb::service {
namespace {

bool IsOpen(const std::shared_ptr<const Filter>& filter) { return !filter || filter->empty(); }

void Append(const std::vector<Condition>& more, std::vector<Condition>& conditions) {
  conditions.insert(conditions.end(), more.begin(), more.end());
}

}  // namespace

std::shared_ptr<const Filter> WithoutPoints(const std::shared_ptr<const Filter>& filter,
                                            std::vector<PointId> points) {
  auto combined = std::make_shared<Filter>();
  if (!IsOpen(filter)) *combined = *filter;
  combined->must_not.emplace_back(HasIdCondition(std::move(points)));
  return combined;
}

std::shared_ptr<const Filter> OnlyPoints(std::vector<PointId> points) {
  auto filter = std::make_shared<Filter>();
  filter->must.emplace_back(HasIdCondition(std::move(points)));
  return filter;
}

std::shared_ptr<const Filter> MergedFilter(const std::shared_ptr<const Filter>& outer,
                                           const std::shared_ptr<const Filter>& inner) {
  if (IsOpen(outer)) return inner;
  if (IsOpen(inner)) return outer;
  auto merged = std::make_shared<Filter>(*outer);
  Append(inner->must, merged->must);
  Append(inner->should, merged->should);
  Append(inner->must_not, merged->must_not);
  Append(inner->min_should, merged->min_should);
  merged->min_should_count = std::max(outer->min_should_count, inner->min_should_count);
  return merged;
}

std::shared_ptr<const Filter> WithCondition(const std::shared_ptr<const Filter>& filter,
                                            Condition condition) {
  auto combined = std::make_shared<Filter>();
  if (!IsOpen(filter)) *combined = *filter;
  combined->must.push_back(std::move(condition));
  return combined;
}

}  // namespace akidb::service
