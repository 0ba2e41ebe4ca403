// Bodies of requests that change parts of points: docs/api/payload.md.
#pragma once

#include <string_view>

#include "base/status.h"
#include "types/query.h"

namespace akidb::rest {

// {"payload": …, "points": [ids] or "filter": …, "key": path}. Ids win over a filter, here and
// below.
Result<PayloadEdit> DecodeSetPayload(std::string_view body);
// The same; the dialect accepts a key, and takes no notice of it.
Result<PayloadEdit> DecodeOverwritePayload(std::string_view body);
// {"keys": [paths], "points" or "filter"}.
Result<PayloadEdit> DecodeDeletePayload(std::string_view body);
// {"points": [{"id": …, "vector": …}], "update_filter": …}. At least one point.
Result<VectorsUpdate> DecodeUpdateVectors(std::string_view body);
// {"vector": [names], "points" and "filter", or one of them}. At least one name.
Result<VectorsRemoval> DecodeDeleteVectors(std::string_view body);

}  // namespace akidb::rest
