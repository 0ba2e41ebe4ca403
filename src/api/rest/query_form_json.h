// The kinds of query, as clients write them: docs/api/queries.md. Only *_json.cc files include
// this.
#pragma once

#include <vector>

#include "api/rest/input_json.h"
#include "types/query.h"

namespace akidb::rest {

// A vector, a point's id, a text, or an object that names another kind. Null leaves `out` as it is.
Status ReadQueryForm(JsonElement value, const FieldPath& path, QueryForm& out);
// A vector, a point's id or a text.
Status ReadQueryInput(JsonElement value, const FieldPath& path, QueryInput& out);
Status ReadQueryInputs(JsonElement value, const FieldPath& path, std::vector<QueryInput>& out);
// One pair {"positive", "negative"}, or an array of them. Null leaves `out` as it is.
Status ReadContextPairs(JsonElement value, const FieldPath& path, std::vector<ContextPair>& out);
Status ReadRecommendStrategy(JsonElement value, const FieldPath& path, RecommendStrategy& out);
// A key, or {"key", "direction", "start_from"}.
Status ReadOrderBy(JsonElement value, const FieldPath& path, OrderBy& out);

}  // namespace akidb::rest
