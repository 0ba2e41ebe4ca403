// Formula queries. Only *_json.cc files include this.
#pragma once

#include "api/rest/input_json.h"
#include "types/query.h"

namespace akidb::rest {

// {"formula": expression, "defaults": {variable: value}}. kMalformed for what is no expression,
// kValidation for constants out of their range, and for what is too deep or too large.
Status ReadFormula(JsonElement value, const FieldPath& path, QueryForm& out);

}  // namespace akidb::rest
