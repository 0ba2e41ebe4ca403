// Filters, as clients write them: docs/api/filters.md. Only *_json.cc files include this.
#pragma once

#include <memory>

#include "api/rest/input_json.h"
#include "types/filter.h"

namespace akidb::rest {

// Null and an empty filter both give no constraint: `out` stays null for null. Unknown keys are
// refused; conditions of the dialect that this version doesn't serve are kUnsupported. Shared,
// because the filters of a request are.
Status ReadFilter(JsonElement value, const FieldPath& path, std::shared_ptr<const Filter>& out);

// One condition of a clause, or a filter in the place of one.
Status ReadCondition(JsonElement value, const FieldPath& path, Condition& out);

}  // namespace akidb::rest
