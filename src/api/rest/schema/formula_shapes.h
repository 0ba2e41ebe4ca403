// Formulas: docs/api/queries.md.
#pragma once

#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kExpression;
extern const Shape kFormulaDefaults;

}  // namespace akidb::rest
