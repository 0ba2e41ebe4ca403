// Filters: docs/api/filters.md.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kFilter;
extern const Shape kCondition;
extern const Shape kGeoPoint;

}  // namespace akidb::rest
