// Vectors and texts in their place, and what to return of a point. Only *_json.cc files include
// this.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/dialect/bm25_json.h"
#include "api/rest/input_json.h"
#include "types/query.h"

namespace akidb::rest {

using dialect::IsBm25Object;
using dialect::ReadBm25Object;
using dialect::TextRole;

// An object {"text", "model", "options"}: TextInput. Images and other objects are kUnsupported.
// True when `value` is such an inference object at all.
bool IsInferenceObject(JsonElement value);
Status ReadInferenceObject(JsonElement value, const FieldPath& path, TextInput& out);

// One vector: an array of numbers, an array of such rows (a multivector), an object {"indices",
// "values"} (a sparse vector) or an inference object.
// BM25 of a text is a sparse vector by itself, one of a stored text or of a query.
Status ReadVector(JsonElement value, const FieldPath& path, VectorInput& out,
                  TextRole role = TextRole::kDocument);

// All vectors of a point: one for the default vector, or an object of named ones.
Status ReadVectorStruct(JsonElement value, const FieldPath& path,
                        std::vector<std::pair<std::string, VectorInput>>& out);

// true, false, names or {"include": names} / {"exclude": names}. Null leaves `out` as it is.
Status ReadPayloadSelector(JsonElement value, const FieldPath& path, PayloadSelector& out);
// true, false or names. Null leaves `out` as it is.
Status ReadVectorSelector(JsonElement value, const FieldPath& path, VectorSelector& out);

// Shards are parts of a cluster, which this server is not: anything but null is kUnsupported.
Status ReadShardKey(JsonElement value, const FieldPath& path);

}  // namespace akidb::rest
