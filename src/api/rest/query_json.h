// Bodies of …/points/query and …/points/query/batch.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/query.h"

namespace akidb::rest {

Result<QueryRequest> DecodeQuery(std::string_view body);
// {"searches": [query…]}
Result<std::vector<QueryRequest>> DecodeQueryBatch(std::string_view body);

}  // namespace akidb::rest
