#include "api/grpc/message_json.h"

#include <google/protobuf/descriptor.h>

#include "api/grpc/value_message.h"

namespace akidb::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Fields that only the message has, or that are read apart.
bool IsLeftOut(std::string_view name) {
  return name == "collection_name" || name == "timeout" || name == "wait" || name == "ordering" ||
         name == "vector_name" || name == "field_name" || name == "field_type";
}

// Messages that wrap one value, whichever field holds it: maps, and numbers or words.
bool IsWrapper(const Descriptor& type) {
  const std::string& name = type.name();
  return name == "VectorsConfig" || name == "VectorsConfigDiff" || name == "VectorParamsMap" ||
         name == "VectorParamsDiffMap" || name == "SparseVectorConfig" ||
         name == "StrictModeSparseConfig" || name == "StrictModeMultivectorConfig" ||
         name == "MaxOptimizationThreads" || name == "BinaryQuantizationQueryEncoding";
}

Status WriteMessage(const Message& message, JsonWriter& json);

Status WriteEnum(int number, const FieldDescriptor& field, JsonWriter& json) {
  const EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
  if (value == nullptr) {
    return MalformedError(field.name() + ": unknown value " + std::to_string(number));
  }
  const bool as_is = field.enum_type()->name() == "Distance";
  json.String(as_is ? value->name() : SnakeCase(value->name()));
  return OkStatus();
}

Status WriteMap(const Message& message, const FieldDescriptor& field, JsonWriter& json) {
  const Reflection& reflection = *message.GetReflection();
  json.BeginObject();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const Descriptor& type = *entry.GetDescriptor();
    json.Key(entry.GetReflection()->GetString(entry, type.FindFieldByNumber(1)));
    AKIDB_RETURN_IF_ERROR(
        WriteMessage(entry.GetReflection()->GetMessage(entry, type.FindFieldByNumber(2)), json));
  }
  json.EndObject();
  return OkStatus();
}

Status WriteValue(const Message& message, const FieldDescriptor& field, JsonWriter& json) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      json.Bool(reflection.GetBool(message, &field));
      return OkStatus();
    case FieldDescriptor::CPPTYPE_UINT32:
      json.Uint(reflection.GetUInt32(message, &field));
      return OkStatus();
    case FieldDescriptor::CPPTYPE_UINT64:
      json.Uint(reflection.GetUInt64(message, &field));
      return OkStatus();
    case FieldDescriptor::CPPTYPE_FLOAT:
      json.Float(reflection.GetFloat(message, &field));
      return OkStatus();
    case FieldDescriptor::CPPTYPE_DOUBLE:
      json.Double(reflection.GetDouble(message, &field));
      return OkStatus();
    case FieldDescriptor::CPPTYPE_STRING:
      json.String(reflection.GetString(message, &field));
      return OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM:
      return WriteEnum(reflection.GetEnumValue(message, &field), field, json);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return WriteMessage(reflection.GetMessage(message, &field), json);
    default:
      return InternalError(field.full_name() + ": an option of unknown type");
  }
}

Status WriteField(const Message& message, const FieldDescriptor& field, JsonWriter& json) {
  if (field.is_map()) {
    if (field.message_type()->FindFieldByNumber(2)->message_type()->name() != "Value") {
      return WriteMap(message, field, json);
    }
    ValueMap values;
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      const Descriptor& type = *entry.GetDescriptor();
      values[entry.GetReflection()->GetString(entry, type.FindFieldByNumber(1))].CopyFrom(
          entry.GetReflection()->GetMessage(entry, type.FindFieldByNumber(2)));
    }
    AKIDB_ASSIGN_OR_RETURN(const std::string text, JsonOf(values));
    json.Raw(text);
    return OkStatus();
  }
  if (!field.is_repeated()) return WriteValue(message, field, json);
  json.BeginArray();  // of strings, the only kind there is
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    json.String(reflection.GetRepeatedString(message, &field, i));
  }
  json.EndArray();
  return OkStatus();
}

// Whether the field stands in JSON: it is set, or it is a word that has no other default.
bool IsGiven(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(message, &field) > 0;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    if (field.has_presence() && !reflection.HasField(message, &field)) return false;
    const int number = reflection.GetEnumValue(message, &field);
    const EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
    if (value == nullptr || number != 0) return true;
    const std::string& name = value->name();
    const bool means_none = name.starts_with("Unknown") || name == "MemoryUnknown" ||
                            (name == "Default" && field.enum_type()->name() == "Datatype");
    return !means_none;
  }
  return reflection.HasField(message, &field);
}

Status WriteStemmer(const Message& message, JsonWriter& json) {
  const auto& stemmer = static_cast<const qdrant::StemmingAlgorithm&>(message);
  if (stemmer.stemming_params_case() == qdrant::StemmingAlgorithm::STEMMING_PARAMS_NOT_SET) {
    return MalformedError("stemmer: expected `snowball` or `disabled`");
  }
  json.BeginObject();
  json.Key("type");
  json.String(stemmer.has_snowball() ? "snowball" : "none");
  if (stemmer.has_snowball()) {
    json.Key("language");
    json.String(stemmer.snowball().language());
  }
  json.EndObject();
  return OkStatus();
}

Status NoneOf(const Descriptor& type) {
  std::string names;
  for (int i = 0; i < type.field_count(); ++i) {
    names += (i == 0 ? "`" : ", `") + type.field(i)->name() + "`";
  }
  return MalformedError(type.name() + ": expected one of " + names + ", got none");
}

Status WriteWrapped(const Message& message, JsonWriter& json) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!IsGiven(message, field)) continue;
    // In JSON changes of vectors stand under their names, that of the unnamed one, too.
    if (type.name() != "VectorsConfigDiff" || field.name() != "params") {
      return WriteField(message, field, json);
    }
    json.BeginObject();
    json.Key("");
    AKIDB_RETURN_IF_ERROR(WriteField(message, field, json));
    json.EndObject();
    return OkStatus();
  }
  if (type.real_oneof_decl_count() > 0) return NoneOf(type);
  json.BeginObject();  // a map
  json.EndObject();
  return OkStatus();
}

Status WriteMessage(const Message& message, JsonWriter& json) {
  const Descriptor& type = *message.GetDescriptor();
  if (type.name() == "StemmingAlgorithm") return WriteStemmer(message, json);
  if (IsWrapper(type)) return WriteWrapped(message, json);
  if (type.name() == "KeywordPrefixParams") {
    json.Bool(true);
    return OkStatus();
  }
  if (type.name() == "QuantizationConfigDiff" &&
      static_cast<const qdrant::QuantizationConfigDiff&>(message).has_disabled()) {
    json.String("Disabled");
    return OkStatus();
  }
  json.BeginObject();
  AKIDB_RETURN_IF_ERROR(WriteMembers(message, json));
  json.EndObject();
  return OkStatus();
}

}  // namespace

std::string SnakeCase(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool after_lower = !text.empty() && text.back() >= 'a' && text.back() <= 'z';
    if (upper && after_lower) text += '_';
    text += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

std::string_view JsonNameOf(const FieldDescriptor& field) {
  const std::string& name = field.name();
  if (name == "vectors_config") return "vectors";
  if (name == "sparse_vectors_config") return "sparse_vectors";
  if (name == "turboquant") return "turbo";
  if (name == "deprecated_max_optimization_threads") return "max_optimization_threads";
  return name;
}

Status WriteMembers(const Message& message, JsonWriter& json) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (IsLeftOut(field.name()) || !IsGiven(message, field)) continue;
    // An older form of a field, which clients give beside the newer one.
    const FieldDescriptor* newer = type.FindFieldByName(std::string(JsonNameOf(field)));
    if (newer != nullptr && newer != &field && IsGiven(message, *newer)) continue;
    json.Key(JsonNameOf(field));
    AKIDB_RETURN_IF_ERROR(WriteField(message, field, json));
  }
  return OkStatus();
}

}  // namespace akidb::rpc
