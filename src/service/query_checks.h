// What makes no sense whatever the collection holds.
#pragma once

#include "base/status.h"
#include "types/query.h"

namespace akidb::service {

// Whether points are compared with vectors.
bool ComparesVectors(const QueryForm& query);

// kInvalidArgument in the dialect's words, those that it prefixes with "Bad request: " with that;
// prefetches without a query, fusion without prefetches, too deep, too few examples, and the like.
Status CheckQuery(const QueryStage& stage);

// What one of several queries of a request was refused with, naming it: "searches[1]: …".
Status OfSearch(const Status& status, size_t search, size_t searches);

}  // namespace akidb::service
