// From simdjson's document tree to payloads: for files that decode JSON, which are the only ones to
// include this.
#pragma once

#include <simdjson.h>

#include "base/status.h"
#include "types/payload.h"

namespace akidb {

// Appends `value` to `out`. kInvalidArgument when it is nested deeper than `depth_max`.
Status AppendPayloadDom(simdjson::dom::element value, int depth_max, PayloadBuilder& out);

// kInvalidArgument for anything but an object.
Result<Payload> PayloadFromDom(simdjson::dom::element value);

}  // namespace akidb
