#include "api/grpc/value_message.h"

#include <algorithm>
#include <vector>

#include "base/json_writer.h"
#include "types/uuid.h"

namespace akidb::rpc {
namespace {

// Messages nest at most kMessageDepthMax deep when they are parsed, so that this recursion is
// bounded, too.
Status Append(const qdrant::Value& value, int depth, PayloadBuilder& out);

Status AppendFields(const ValueMap& fields, int depth, PayloadBuilder& out) {
  if (depth <= 0) {
    return InvalidArgumentError("a payload nests at most " + std::to_string(kPayloadDepthMax) +
                                " deep");
  }
  std::vector<const ValueMap::value_type*> members;
  members.reserve(fields.size());
  for (const auto& member : fields) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  out.BeginObject();
  for (const auto* member : members) {
    out.Key(member->first);
    AKIDB_RETURN_IF_ERROR(Append(member->second, depth - 1, out));
  }
  out.EndObject();
  return OkStatus();
}

Status Append(const qdrant::Value& value, int depth, PayloadBuilder& out) {
  switch (value.kind_case()) {
    case qdrant::Value::kNullValue:
    case qdrant::Value::KIND_NOT_SET:
      out.Null();
      return OkStatus();
    case qdrant::Value::kDoubleValue:
      if (!(value.double_value() - value.double_value() == 0)) {
        return InvalidArgumentError("a number of a payload is finite");
      }
      out.Double(value.double_value());
      return OkStatus();
    case qdrant::Value::kIntegerValue:
      out.Int(value.integer_value());
      return OkStatus();
    case qdrant::Value::kStringValue:
      out.String(value.string_value());
      return OkStatus();
    case qdrant::Value::kBoolValue:
      out.Bool(value.bool_value());
      return OkStatus();
    case qdrant::Value::kStructValue:
      return AppendFields(value.struct_value().fields(), depth, out);
    case qdrant::Value::kListValue:
      break;
  }
  if (depth <= 0) return InvalidArgumentError("a payload nests too deep");
  out.BeginArray();
  for (const qdrant::Value& element : value.list_value().values()) {
    AKIDB_RETURN_IF_ERROR(Append(element, depth - 1, out));
  }
  out.EndArray();
  return OkStatus();
}

void EncodeValue(PayloadValue value, qdrant::Value& out) {
  switch (value.kind()) {
    case PayloadValue::Kind::kNull:
      out.set_null_value(qdrant::NULL_VALUE);
      return;
    case PayloadValue::Kind::kBool:
      out.set_bool_value(value.AsBool());
      return;
    case PayloadValue::Kind::kInt:
      out.set_integer_value(value.AsInt());
      return;
    case PayloadValue::Kind::kUint:
    case PayloadValue::Kind::kFloat:
      out.set_double_value(value.AsDouble());
      return;
    case PayloadValue::Kind::kString:
      out.set_string_value(std::string(value.AsString()));
      return;
    case PayloadValue::Kind::kArray: {
      auto& list = *out.mutable_list_value();
      value.ForEachElement([&](PayloadValue element) {
        EncodeValue(element, *list.add_values());
        return true;
      });
      return;
    }
    case PayloadValue::Kind::kObject: {
      auto& fields = *out.mutable_struct_value()->mutable_fields();
      value.ForEachMember([&](std::string_view key, PayloadValue member) {
        EncodeValue(member, fields[std::string(key)]);
        return true;
      });
      return;
    }
  }
}

}  // namespace

Result<Payload> DecodePayload(const ValueMap& fields) {
  PayloadBuilder builder;
  AKIDB_RETURN_IF_ERROR(AppendFields(fields, kPayloadDepthMax, builder));
  return builder.Finish();
}

Result<std::string> JsonOf(const ValueMap& fields) {
  AKIDB_ASSIGN_OR_RETURN(const Payload payload, DecodePayload(fields));
  std::string text;
  JsonWriter json(text);
  payload.root().WriteJson(json);
  return text;
}

void EncodePayload(const Payload& payload, ValueMap& out) {
  payload.root().ForEachMember([&](std::string_view key, PayloadValue member) {
    EncodeValue(member, out[std::string(key)]);
    return true;
  });
}

Status DecodeId(const qdrant::PointId& message, PointId& out) {
  switch (message.point_id_options_case()) {
    case qdrant::PointId::kNum:
      out = PointId(message.num());
      return OkStatus();
    case qdrant::PointId::kUuid:
      if (const std::optional<Uuid> uuid = Uuid::Parse(message.uuid())) {
        out = PointId(*uuid);
        return OkStatus();
      }
      return MalformedError("id: `" + message.uuid() + "` is not a valid UUID");
    case qdrant::PointId::POINT_ID_OPTIONS_NOT_SET:
      break;
  }
  return MalformedError("id: expected `num` or `uuid`");
}

void EncodeId(PointId id, qdrant::PointId& out) {
  if (id.kind() == PointId::Kind::kNumber) {
    out.set_num(id.number());
  } else {
    out.set_uuid(id.ToString());
  }
}

std::string Nth(std::string_view name, size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

Status CheckShardKey(bool has_selector) {
  if (!has_selector) return OkStatus();
  return UnsupportedError(
      "shard_key_selector: selection of a shard is not served by this version of AkiDB");
}

}  // namespace akidb::rpc
