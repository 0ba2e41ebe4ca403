// Options that are kept and given back: their checks, and what is kept of them, by their tables
// (schema/option_shapes.h). Only *_json.cc files include this.
#pragma once

#include <span>
#include <string>

#include "api/dialect/input_json.h"
#include "api/rest/schema/shape.h"
#include "base/json_writer.h"

namespace akidb::dialect {

using rest::Field;
using rest::Shape;

// Every member of the object `value` that has a field keeps to its shape; null always does. Members
// without a field are left to later versions of the dialect, but where the object is closed.
Status CheckOptions(JsonElement value, const FieldPath& path, std::span<const Field> fields);

// {"scalar": …}, {"product": …}, {"binary": …} or {"turbo": …}.
Status CheckQuantization(JsonElement value, const FieldPath& path);

// A value that was checked, without the members at any depth that its shape doesn't know: clients
// refuse an answer that has them.
void WriteKnown(JsonElement value, const Shape& shape, JsonWriter& json);
std::string KnownJson(JsonElement value, const Shape& shape);

}  // namespace akidb::dialect
