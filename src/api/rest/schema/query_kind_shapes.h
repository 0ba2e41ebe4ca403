// The kinds of queries.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

// A vector, a point by its id, or a text.
extern const Shape kQueryInput;
extern const Shape kQueryInputs;
extern const Shape kContext;
extern const Shape kStrategy;
// Queries before a query.
extern const Shape kPrefetches;
// Any kind of query.
extern const Shape kQuery;

}  // namespace akidb::rest
