// Inference objects of the model that needs none: BM25. Only *_json.cc files include this.
#pragma once

#include "api/dialect/bm25_text.h"
#include "api/dialect/input_json.h"

namespace akidb::dialect {

// Whether `value`, an inference object, names it.
bool IsBm25Object(JsonElement value);

// Its text as a sparse vector. kInference: a language that there is none of, numbers out of their
// range.
Status ReadBm25Object(JsonElement value, const FieldPath& path, TextRole role, DenseVector& out);

}  // namespace akidb::dialect
