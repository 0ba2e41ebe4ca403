// Checks of options that are kept and given back but not acted upon, by their tables
// (schema/option_shapes.h). Only *_json.cc files include this.
#pragma once

#include <span>

#include "api/dialect/input_json.h"
#include "api/rest/schema/shape.h"

namespace akidb::dialect {

using rest::Field;

// Every member of the object `value` that has a field keeps to its shape; null always does. Members
// without a field are left to later versions of the dialect, but where the object is closed.
Status CheckOptions(JsonElement value, const FieldPath& path, std::span<const Field> fields);

// {"scalar": …}, {"product": …}, {"binary": …} or {"turbo": …}.
Status CheckQuantization(JsonElement value, const FieldPath& path);

}  // namespace akidb::dialect
