// Writes as they stand in bodies of their own, and as operations of …/points/batch. Only files
// named
// *_json.cc include this.
#pragma once

#include <string_view>

#include "api/rest/input_json.h"
#include "base/status.h"
#include "types/query.h"

namespace akidb::rest {

// Each reads what the function of the same name in point_json.h or edit_json.h decodes.
Status ReadUpsert(JsonElement body, const FieldPath& path, UpsertRequest& out);
Status ReadPointSelector(JsonElement body, const FieldPath& path, PointSelector& out);
Status ReadSetPayload(JsonElement body, const FieldPath& path, PayloadEdit& out);
Status ReadOverwritePayload(JsonElement body, const FieldPath& path, PayloadEdit& out);
Status ReadDeletePayload(JsonElement body, const FieldPath& path, PayloadEdit& out);
Status ReadUpdateVectors(JsonElement body, const FieldPath& path, VectorsUpdate& out);
Status ReadDeleteVectors(JsonElement body, const FieldPath& path, VectorsRemoval& out);

// A whole body.
template <typename T>
Result<T> DecodeAs(std::string_view text, Status (*read)(JsonElement, const FieldPath&, T&)) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  T decoded;
  const FieldPath root;
  AKIDB_RETURN_IF_ERROR(read(body.root(), root, decoded));
  return decoded;
}

}  // namespace akidb::rest
