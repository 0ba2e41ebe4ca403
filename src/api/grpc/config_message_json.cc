#include "api/grpc/config_message_json.h"

#include <simdjson.h>

#include "api/dialect/collection_json.h"
#include "api/grpc/message_json.h"
#include "api/grpc/value_message.h"
#include "types/payload_json.h"

namespace akidb::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using simdjson::dom::element;

void Fill(element value, Message& out);

template <typename Message>
Result<std::string> WholeBody(const Message& message) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  AKIDB_RETURN_IF_ERROR(WriteMembers(message, json));
  json.EndObject();
  return text;
}

const FieldDescriptor* FieldOf(const Descriptor& type, std::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->name().starts_with("deprecated_")) continue;
    if (JsonNameOf(*field) == name) return field;
  }
  return nullptr;
}

void FillEnum(std::string_view word, const FieldDescriptor& field, Message& out) {
  const EnumDescriptor& type = *field.enum_type();
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string& name = type.value(i)->name();
    if (name != word && SnakeCase(name) != word) continue;
    out.GetReflection()->SetEnum(&out, &field, type.value(i));
  }
}

// What was stored was checked when it came, so anything of another type is left out.
void FillNumber(element value, const FieldDescriptor& field, Message& out) {
  const Reflection& reflection = *out.GetReflection();
  double number = 0;
  uint64_t count = 0;
  if (value.get(number)) return;
  const bool whole = value.get(count) == simdjson::SUCCESS;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      if (whole) reflection.SetUInt32(&out, &field, static_cast<uint32_t>(count));
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      if (whole) reflection.SetUInt64(&out, &field, count);
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      reflection.SetFloat(&out, &field, static_cast<float>(number));
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      reflection.SetDouble(&out, &field, number);
      return;
    default:
      return;
  }
}

void FillMap(element value, const FieldDescriptor& field, Message& out) {
  simdjson::dom::object members;
  if (value.get(members)) return;
  for (auto [key, member] : members) {
    Message& entry = *out.GetReflection()->AddMessage(&out, &field);
    const Descriptor& type = *entry.GetDescriptor();
    entry.GetReflection()->SetString(&entry, type.FindFieldByNumber(1), std::string(key));
    Fill(member, *entry.GetReflection()->MutableMessage(&entry, type.FindFieldByNumber(2)));
  }
}

void FillField(element value, const FieldDescriptor& field, Message& out) {
  const Reflection& reflection = *out.GetReflection();
  std::string_view text;
  bool flag = false;
  if (value.is_null()) return;
  if (field.is_map()) return FillMap(value, field, out);
  if (field.is_repeated()) {
    simdjson::dom::array elements;
    if (value.get(elements)) return;
    for (element one : elements) {
      if (!one.get(text)) reflection.AddString(&out, &field, std::string(text));
    }
    return;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!value.get(flag)) reflection.SetBool(&out, &field, flag);
      return;
    case FieldDescriptor::CPPTYPE_STRING:
      if (!value.get(text)) reflection.SetString(&out, &field, std::string(text));
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      if (!value.get(text)) FillEnum(text, field, out);
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      // Options that are a flag in JSON are a message in its presence here.
      if (!value.get(flag) && !flag) return;
      Fill(value, *reflection.MutableMessage(&out, &field));
      return;
    default:
      FillNumber(value, field, out);
  }
}

void FillMembers(element value, Message& out) {
  simdjson::dom::object members;
  if (value.get(members)) return;
  for (auto [key, member] : members) {
    const FieldDescriptor* field = FieldOf(*out.GetDescriptor(), key);
    if (field == nullptr || field->name() == "metadata") continue;  // values of any form
    FillField(member, *field, out);
  }
}

bool IsSingleVector(element value) {
  simdjson::dom::object object;
  return value["size"].error() == simdjson::SUCCESS &&
         value["size"].get(object) != simdjson::SUCCESS;
}

void FillVectors(element value, qdrant::VectorsConfig& out) {
  if (IsSingleVector(value)) {
    FillMembers(value, *out.mutable_params());
  } else {
    qdrant::VectorParamsMap& map = *out.mutable_params_map();
    FillMap(value, *map.GetDescriptor()->FindFieldByName("map"), map);
  }
}

void FillStemmer(element value, qdrant::StemmingAlgorithm& out) {
  std::string_view language;
  if (value["language"].get(language)) {
    out.mutable_disabled();
  } else {
    out.mutable_snowball()->set_language(std::string(language));
  }
}

// {"type": "keyword", …}
void FillIndexParams(element value, qdrant::PayloadIndexParams& out) {
  std::string_view type;
  if (value["type"].get(type)) return;
  const FieldDescriptor* field =
      out.GetDescriptor()->FindFieldByName(std::string(type) + "_index_params");
  if (field != nullptr) FillMembers(value, *out.GetReflection()->MutableMessage(&out, field));
}

// A message around one value: the first of its fields that takes values of this type.
void FillWrapper(element value, Message& out) {
  const Descriptor& type = *out.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool takes = field.is_map()                                      ? value.is_object()
                       : field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM ? value.is_string()
                                                                           : value.is_number();
    if (takes) return FillField(value, field, out);
  }
}

void Fill(element value, Message& out) {
  const std::string& name = out.GetDescriptor()->name();
  std::string_view text;
  if (name == "VectorsConfig") return FillVectors(value, static_cast<qdrant::VectorsConfig&>(out));
  if (name == "PayloadIndexParams") {
    return FillIndexParams(value, static_cast<qdrant::PayloadIndexParams&>(out));
  }
  if (name == "StemmingAlgorithm") {
    return FillStemmer(value, static_cast<qdrant::StemmingAlgorithm&>(out));
  }
  if (name == "SparseVectorConfig" || name == "StrictModeSparseConfig" ||
      name == "StrictModeMultivectorConfig" || name == "MaxOptimizationThreads" ||
      name == "BinaryQuantizationQueryEncoding") {
    return FillWrapper(value, out);
  }
  if (name == "OptimizerStatus") {
    auto& status = static_cast<qdrant::OptimizerStatus&>(out);
    status.set_ok(value.is_string());
    if (!value["error"].get(text)) status.set_error(std::string(text));
    return;
  }
  if (name == "StopwordsSet" && !value.get(text)) {
    return static_cast<qdrant::StopwordsSet&>(out).add_languages(std::string(text));
  }
  if (name == "CollectionConfig") {
    simdjson::dom::element metadata;
    if (!value["metadata"].get(metadata) && metadata.is_object()) {
      Result<Payload> payload = ParsePayloadJson(simdjson::minify(metadata));
      auto& config = static_cast<qdrant::CollectionConfig&>(out);
      if (payload.ok()) EncodePayload(*payload, *config.mutable_metadata());
    }
  }
  FillMembers(value, out);
}

std::string_view TypeOf(const qdrant::CreateFieldIndexCollection& message) {
  switch (message.field_type()) {
    case qdrant::FieldTypeKeyword:
      return "keyword";
    case qdrant::FieldTypeInteger:
      return "integer";
    case qdrant::FieldTypeFloat:
      return "float";
    case qdrant::FieldTypeGeo:
      return "geo";
    case qdrant::FieldTypeText:
      return "text";
    case qdrant::FieldTypeBool:
      return "bool";
    case qdrant::FieldTypeDatetime:
      return "datetime";
    case qdrant::FieldTypeUuid:
      return "uuid";
    default:
      return "";
  }
}

// {"type": …, parameters}. The parameters' kind is the type; a type beside them says the same.
Status WriteIndexParams(const qdrant::PayloadIndexParams& params, JsonWriter& json) {
  const Descriptor& type = *params.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!params.GetReflection()->HasField(params, &field)) continue;
    constexpr size_t kSuffix = std::string_view("_index_params").size();
    json.BeginObject();
    json.Key("type");
    json.String(std::string_view(field.name()).substr(0, field.name().size() - kSuffix));
    AKIDB_RETURN_IF_ERROR(WriteMembers(params.GetReflection()->GetMessage(params, &field), json));
    json.EndObject();
    return OkStatus();
  }
  return MalformedError("field_index_params: expected the parameters of one type");
}

}  // namespace

Result<std::string> BodyOf(const qdrant::CreateCollection& message) { return WholeBody(message); }
Result<std::string> BodyOf(const qdrant::UpdateCollection& message) { return WholeBody(message); }

Result<std::string> BodyOf(const qdrant::CreateFieldIndexCollection& message) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Key("field_name");
  json.String(message.field_name());
  json.Key("field_schema");
  if (message.has_field_index_params()) {
    AKIDB_RETURN_IF_ERROR(WriteIndexParams(message.field_index_params(), json));
  } else {
    AKIDB_RETURN_IF_ERROR(CheckEnum(qdrant::FieldType_IsValid, message.field_type(), "field_type"));
    json.String(TypeOf(message));
  }
  json.EndObject();
  return text;
}

Result<std::string> BodyOf(const qdrant::CreateVectorNameRequest& message) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  if (message.has_dense_config()) {
    json.Key("dense");
    json.BeginObject();
    AKIDB_RETURN_IF_ERROR(WriteMembers(message.dense_config(), json));
    json.EndObject();
  } else if (message.has_sparse_config()) {
    json.Key("sparse");
    json.BeginObject();
    AKIDB_RETURN_IF_ERROR(WriteMembers(message.sparse_config(), json));
    json.EndObject();
  }
  json.EndObject();
  return text;
}

void EncodeInfo(const service::CollectionInfo& info, qdrant::CollectionInfo& out) {
  std::string text;
  JsonWriter json(text);
  dialect::WriteCollectionInfo(info, json);
  simdjson::dom::parser parser;
  element value;
  if (parser.parse(text).get(value) == simdjson::SUCCESS) Fill(value, out);
}

}  // namespace akidb::rpc
