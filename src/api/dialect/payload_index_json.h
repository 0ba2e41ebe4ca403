// The body that asks for an index over a payload field.
#pragma once

#include <string_view>

#include "base/status.h"
#include "service/service.h"

namespace akidb::dialect {

// {"field_name": path, "field_schema": "keyword" | "integer" | {"type": …, parameters}}. Parameters
// are checked and kept as they came. kUnsupported for the dialect's other types.
Result<service::PayloadIndexRequest> DecodePayloadIndex(std::string_view body);

}  // namespace akidb::dialect
