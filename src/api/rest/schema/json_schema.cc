#include "api/rest/schema/json_schema.h"

#include <cmath>

namespace akidb::rest {
namespace {

using Kind = Shape::Kind;

void Pair(std::string_view key, std::string_view value, JsonWriter& json) {
  json.Key(key);
  json.String(value);
}

std::string_view TypeName(Kind kind) {
  switch (kind) {
    case Kind::kAny:
    case Kind::kOneOf:
      return "";
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "boolean";
    case Kind::kUint:
    case Kind::kInteger:
      return "integer";
    case Kind::kNumber:
      return "number";
    case Kind::kString:
    case Kind::kChoice:
      return "string";
    case Kind::kObject:
    case Kind::kMap:
      return "object";
    case Kind::kArray:
      return "array";
  }
  return "";
}

void WriteType(Kind kind, bool nullable, JsonWriter& json) {
  const std::string_view name = TypeName(kind);
  if (name.empty()) return;
  json.Key("type");
  if (!nullable || kind == Kind::kNull) return json.String(name);
  json.BeginArray();
  json.String(name);
  json.String("null");
  json.EndArray();
}

void WriteBound(std::string_view key, double bound, JsonWriter& json) {
  if (std::isinf(bound)) return;
  json.Key(key);
  if (bound == std::floor(bound)) {
    json.Int(static_cast<int64_t>(bound));
  } else {
    json.Double(bound);
  }
}

void WriteBounds(const Shape& shape, JsonWriter& json) {
  if (shape.kind == Kind::kInteger) return Pair("format", "int64", json);
  if (shape.kind != Kind::kUint && shape.kind != Kind::kNumber) return;
  if (shape.kind == Kind::kUint) Pair("format", "uint64", json);
  WriteBound("minimum", shape.min, json);
  WriteBound("maximum", shape.max, json);
}

void WriteChoices(const Shape& shape, bool nullable, JsonWriter& json) {
  json.Key("enum");
  json.BeginArray();
  ForEachChoice(shape.choices, [&](std::string_view choice) { json.String(choice); });
  if (nullable) json.Null();
  json.EndArray();
}

}  // namespace

void NamedShapes::WriteReference(const Shape& shape, bool nullable, JsonWriter& json) {
  json.BeginObject();
  if (shape.name.empty()) {
    WriteSchema(shape, nullable, json);
    return json.EndObject();
  }
  if (names_.insert(shape.name).second) met_.push_back(&shape);
  const std::string reference = "#/components/schemas/" + std::string(shape.name);
  if (!nullable) {
    Pair("$ref", reference, json);
    return json.EndObject();
  }
  json.Key("anyOf");
  json.BeginArray();
  json.BeginObject();
  Pair("$ref", reference, json);
  json.EndObject();
  json.BeginObject();
  Pair("type", "null", json);
  json.EndObject();
  json.EndArray();
  json.EndObject();
}

void NamedShapes::WriteSchema(const Shape& shape, bool nullable, JsonWriter& json) {
  WriteType(shape.kind, nullable, json);
  if (!shape.doc.empty()) Pair("description", shape.doc, json);
  if (!shape.format.empty()) Pair("format", shape.format, json);
  WriteBounds(shape, json);
  if (shape.kind == Kind::kChoice) WriteChoices(shape, nullable, json);
  if (shape.kind == Kind::kObject) WriteObject(shape, json);
  if (shape.kind == Kind::kMap) {
    json.Key("additionalProperties");
    Write(*shape.element, json);
  }
  if (shape.kind == Kind::kArray) {
    json.Key("items");
    Write(*shape.element, json);
    if (shape.items_min > 0) WriteBound("minItems", static_cast<double>(shape.items_min), json);
  }
  if (shape.kind == Kind::kOneOf) {
    json.Key("anyOf");
    json.BeginArray();
    for (const Shape* option : shape.options) Write(*option, json);
    if (nullable) json.Raw(R"({"type":"null"})");
    json.EndArray();
  }
  if (shape.example.empty()) return;
  json.Key("examples");
  json.BeginArray();
  json.Raw(shape.example);
  json.EndArray();
}

void NamedShapes::WriteObject(const Shape& shape, JsonWriter& json) {
  json.Key("properties");
  json.BeginObject();
  bool any_required = false;
  for (const Field& field : shape.fields) {
    WriteMember(field, json);
    any_required = any_required || field.required;
  }
  json.EndObject();
  if (any_required) {
    json.Key("required");
    json.BeginArray();
    for (const Field& field : shape.fields) {
      if (field.required) json.String(field.name);
    }
    json.EndArray();
  }
  if (!shape.closed) return;
  json.Key("additionalProperties");
  json.Bool(false);
}

void NamedShapes::WriteMember(const Field& field, JsonWriter& json) {
  json.Key(field.name);
  if (field.doc.empty()) return WriteReference(*field.shape, !field.required, json);
  // What is said of the field stands beside what is said of its shape.
  json.BeginObject();
  Pair("description", field.doc, json);
  json.Key("allOf");
  json.BeginArray();
  WriteReference(*field.shape, !field.required, json);
  json.EndArray();
  json.EndObject();
}

void NamedShapes::WriteAll(JsonWriter& json) {
  json.BeginObject();
  // Writing one may bring in further ones.
  for (size_t i = 0; i < met_.size(); ++i) {
    json.Key(met_[i]->name);
    json.BeginObject();
    WriteSchema(*met_[i], false, json);
    json.EndObject();
  }
  json.EndObject();
}

}  // namespace akidb::rest
