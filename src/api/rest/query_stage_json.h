// The members that queries have in common. Only *_json.cc files include this.
#pragma once

#include <string_view>

#include "api/rest/input_json.h"
#include "types/query.h"

namespace akidb::rest {

// One member of a query that is not among those of its kind; unknown ones are passed over.
Status ReadQueryMember(std::string_view key, JsonElement value, const FieldPath& at,
                       QueryRequest& request);
Status ReadLookupFrom(JsonElement value, const FieldPath& path, QueryStage& stage);
// Reads a query of …/points/query.
Status ReadQueryRequest(JsonElement body, const FieldPath& path, QueryRequest& request);
// Those of the older operations (older_query_json.cc).
Status ReadSearchRequest(JsonElement body, const FieldPath& path, QueryRequest& request);
Status ReadRecommendRequest(JsonElement body, const FieldPath& path, QueryRequest& request);
Status ReadDiscoverRequest(JsonElement body, const FieldPath& path, QueryRequest& request);

}  // namespace akidb::rest
