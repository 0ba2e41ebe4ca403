// Bodies of …/points/query, its batch and its groups, and of the older search, recommend and
// discover, which ask for the same queries in other words.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/query.h"

namespace akidb::rest {

// Which words a body is in.
enum class QueryDialect : unsigned char { kQuery, kSearch, kRecommend, kDiscover };

// What a body leaves open stays as in `defaults`.
Result<QueryRequest> DecodeQuery(std::string_view body, const QueryRequest& defaults = {},
                                 QueryDialect dialect = QueryDialect::kQuery);
// {"searches": [query…]}
Result<std::vector<QueryRequest>> DecodeQueryBatch(std::string_view body,
                                                   const QueryRequest& defaults = {},
                                                   QueryDialect dialect = QueryDialect::kQuery);
Result<QueryGroupsRequest> DecodeQueryGroups(std::string_view body,
                                             const QueryRequest& defaults = {},
                                             QueryDialect dialect = QueryDialect::kQuery);

}  // namespace akidb::rest
