// Conditions on a field of the payload: docs/api/filters.md. Only *_json.cc files include this.
#pragma once

#include "api/rest/input_json.h"
#include "types/filter.h"

namespace akidb::rest {

// {"key": k, …}. Several predicates are or-ed, but values_count, is_empty and is_null take
// precedence, in that order.
Status ReadFieldCondition(JsonElement value, const FieldPath& path, Condition& out);

// A path into payloads, a string.
Status ReadPayloadPath(JsonElement value, const FieldPath& path, PayloadPath& out);

// {"lat": …, "lon": …} within their ranges; other members are left alone, as in payloads.
Status ReadGeoPoint(JsonElement value, const FieldPath& path, GeoPoint& out);

}  // namespace akidb::rest
