// How a query was carried out, under `akidb` of its answer: docs/api/README.md.
#pragma once

#include "base/json_writer.h"
#include "types/search_plan.h"

namespace akidb::rest {

// {"recall": r, "fetch_ms": t, "sources": [{"way": "graph", …}…]}
void WriteSearchPlan(const SearchPlan& plan, JsonWriter& json);

}  // namespace akidb::rest
