#include "api/dialect/payload_index_json.h"

#include <string>

#include "api/dialect/input_json.h"
#include "api/dialect/option_check_json.h"
#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/index_shapes.h"
#include "base/json_writer.h"
#include "types/collection_config_json.h"

namespace akidb::dialect {

using rest::IndexParams;
using rest::PayloadIndexParams;
namespace {

const Shape& ShapeOfParams(PayloadFieldKind kind) {
  for (const IndexParams& params : PayloadIndexParams()) {
    if (params.type == PayloadFieldKindName(kind)) return *params.shape;
  }
  return rest::kAnything;
}

Status ReadType(JsonElement value, const FieldPath& path, PayloadFieldKind& out) {
  std::string_view name;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, name));
  if (std::optional<PayloadFieldKind> kind = ParsePayloadFieldKind(name)) {
    out = *kind;
    return OkStatus();
  }
  return FieldError(path, "unknown variant `" + std::string(name) +
                              "`, expected one of `keyword`, `integer`, `float`, `geo`, `text`, "
                              "`bool`, `datetime`, `uuid`");
}

Status CheckIntegerParams(JsonElement value, const FieldPath& path) {
  auto is_off = [&](std::string_view name) {
    JsonElement member;
    bool on = true;
    return FindMember(value, name, member) && member.get(on) == simdjson::SUCCESS && !on;
  };
  if (!is_off("lookup") || !is_off("range")) return OkStatus();
  return RangeError(path, "the 'lookup' and 'range' capabilities can't be both disabled");
}

// The dialect says `true` of what it gives back as an object, and nothing of `false`.
std::string WithScoringType(const std::string& params) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  bool wanted = false;
  if (parser.parse(params).get(members) || members["scoring"].get(wanted)) return params;
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  for (const auto& [key, value] : members) {
    if (key == "scoring" && !wanted) continue;
    json.Key(key);
    json.Raw(key == "scoring" ? R"({"type":"bm25"})" : simdjson::minify(value));
  }
  json.EndObject();
  return out;
}

// What the analyzer makes of those of texts is for the engine to check.
Status ReadParams(JsonElement value, const FieldPath& path, PayloadFieldIndex& out) {
  const Shape& shape = ShapeOfParams(out.kind);
  AKIDB_RETURN_IF_ERROR(CheckOptions(value, path, shape.fields));
  if (out.kind == PayloadFieldKind::kInteger) {
    AKIDB_RETURN_IF_ERROR(CheckIntegerParams(value, path));
  }
  out.params_json = KnownJson(value, shape);
  if (out.kind == PayloadFieldKind::kText) out.params_json = WithScoringType(out.params_json);
  return OkStatus();
}

Status ReadSchema(JsonElement value, const FieldPath& path, PayloadFieldIndex& out) {
  if (value.is_string()) return ReadType(value, path, out.kind);
  JsonElement type;
  AKIDB_RETURN_IF_ERROR(CheckObject(value, path, "a type, or an object {\"type\": …}"));
  if (!FindMember(value, "type", type)) return MissingField(path, "type");
  AKIDB_RETURN_IF_ERROR(ReadType(type, path.Member("type"), out.kind));
  return ReadParams(value, path, out);
}

}  // namespace

std::string KnownIndexParams(const PayloadFieldIndex& index) {
  simdjson::dom::parser parser;
  JsonElement value;
  if (index.params_json.empty() || parser.parse(index.params_json).get(value)) return {};
  return KnownJson(value, ShapeOfParams(index.kind));
}

Result<service::PayloadIndexRequest> DecodePayloadIndex(std::string_view text) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(text));
  const FieldPath root;
  AKIDB_RETURN_IF_ERROR(CheckObject(body.root(), root, "a JSON object"));
  service::PayloadIndexRequest request;
  JsonElement name;
  if (!FindMember(body.root(), "field_name", name)) return MissingField(root, "field_name");
  std::string_view field;
  AKIDB_RETURN_IF_ERROR(ReadString(name, root.Member("field_name"), field));
  request.field = field;
  JsonElement schema;
  if (!FindMember(body.root(), "field_schema", schema)) return MissingField(root, "field_schema");
  AKIDB_RETURN_IF_ERROR(ReadSchema(schema, root.Member("field_schema"), request.index));
  return request;
}

}  // namespace akidb::dialect
