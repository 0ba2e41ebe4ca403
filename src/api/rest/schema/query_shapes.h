// Bodies of queries, and of what else reads points.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kQueryBody;
extern const Shape kQueryBatchBody;
extern const Shape kQueryGroupsBody;
extern const Shape kSearchBody;
extern const Shape kSearchBatchBody;
extern const Shape kSearchGroupsBody;
extern const Shape kRecommendBody;
extern const Shape kRecommendBatchBody;
extern const Shape kRecommendGroupsBody;
extern const Shape kDiscoverBody;
extern const Shape kDiscoverBatchBody;

extern const Shape kOrderBy;
extern const Shape kAcorn;

}  // namespace akidb::rest
