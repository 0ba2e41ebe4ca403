// Bodies of …/points/query and …/points/query/batch.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/query.h"

namespace akidb::rest {

// What a body leaves open stays as in `defaults`.
Result<QueryRequest> DecodeQuery(std::string_view body, const QueryRequest& defaults = {});
// {"searches": [query…]}
Result<std::vector<QueryRequest>> DecodeQueryBatch(std::string_view body,
                                                   const QueryRequest& defaults = {});

}  // namespace akidb::rest
