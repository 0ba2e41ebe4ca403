// Texts in the place of a query: embedded, or what texts are ranked by.
#pragma once

#include "engine/collection.h"
#include "types/query.h"

namespace akidb::service {

// A text alone asks for both. Where no model is named, and `using` names no vector of the
// collection but a field with an index over texts, points are ranked by that field's texts.
// Prefetches, too.
void ResolveTextQueries(const engine::Collection& collection, QueryStage& stage);

}  // namespace akidb::service
