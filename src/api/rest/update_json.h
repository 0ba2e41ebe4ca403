// The body of …/points/batch: docs/api/batch.md.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/query.h"

namespace akidb::rest {

// {"operations": [{"upsert": …}, {"delete": …}, …]}: each an object with one member, whose value is
// the body of the route for that operation alone. Errors name the operation by its place.
Result<std::vector<UpdateOperation>> DecodeUpdates(std::string_view body);

}  // namespace akidb::rest
