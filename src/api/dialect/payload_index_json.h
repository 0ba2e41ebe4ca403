// The body that asks for an index over a payload field.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "service/service.h"

namespace akidb::dialect {

// {"field_name": path, "field_schema": "keyword" | "integer" | {"type": …, parameters}}. Parameters
// are checked and kept, those that aren't known dropped. kUnsupported for the dialect's other
// types.
Result<service::PayloadIndexRequest> DecodePayloadIndex(std::string_view body);

// The parameters of an index as they are given back; empty if it has none.
std::string KnownIndexParams(const PayloadFieldIndex& index);

}  // namespace akidb::dialect
