// How a query was carried out, under `akidb` of its answer: docs/api/README.md.
#pragma once

#include "base/json_writer.h"
#include "types/search_plan.h"

namespace akidb::dialect {

// A share as answers show it: to four digits, for it was measured to fewer.
double ShownShare(double share);

// {"recall": r, "fetch_ms": t, "sources": [{"way": "graph", …}…]}
void WriteSearchPlan(const SearchPlan& plan, JsonWriter& json);

}  // namespace akidb::dialect
