// JSON text -> Payload. The only place where payload JSON is parsed (simdjson).
#pragma once

#include <string_view>

#include "base/status.h"
#include "types/payload.h"

namespace akidb {

// `json` is one object. kMalformed for broken JSON, kInvalidArgument for anything but an object or
// nesting over kPayloadDepthMax.
Result<Payload> ParsePayloadJson(std::string_view json);

}  // namespace akidb
