// JSON text -> Payload. The only place where payload JSON is parsed (simdjson).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/payload.h"

namespace akidb {

// `json` is one object. kMalformed for broken JSON, kInvalidArgument for anything but an object or
// nesting over kPayloadDepthMax.
Result<Payload> ParsePayloadJson(std::string_view json);

// `json` with ".0" behind every integer that fits neither int64 nor uint64. JSON allows such
// numbers and the dialect reads them as doubles, but simdjson refuses them: parse the result when
// it does.
std::string BigIntegersAsDoubles(std::string_view json);

}  // namespace akidb
