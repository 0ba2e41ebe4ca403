#include "types/payload_json.h"

#include "types/payload_dom_json.h"

namespace akidb {

using simdjson::dom::element;
using simdjson::dom::element_type;

Status AppendPayloadDom(element value, int depth_max, PayloadBuilder& out) {
  if (depth_max < 0) {
    return InvalidArgumentError("payload is nested deeper than " +
                                std::to_string(kPayloadDepthMax));
  }
  switch (value.type()) {
    case element_type::OBJECT:
      out.BeginObject();
      for (auto [key, member] : simdjson::dom::object(value)) {
        out.Key(key);
        AKIDB_RETURN_IF_ERROR(AppendPayloadDom(member, depth_max - 1, out));
      }
      out.EndObject();
      return OkStatus();
    case element_type::ARRAY:
      out.BeginArray();
      for (element child : simdjson::dom::array(value)) {
        AKIDB_RETURN_IF_ERROR(AppendPayloadDom(child, depth_max - 1, out));
      }
      out.EndArray();
      return OkStatus();
    case element_type::STRING:
      out.String(std::string_view(value));
      return OkStatus();
    case element_type::INT64:
      out.Int(int64_t(value));
      return OkStatus();
    case element_type::UINT64:
      out.Uint(uint64_t(value));
      return OkStatus();
    case element_type::DOUBLE:
      out.Double(double(value));
      return OkStatus();
    case element_type::BOOL:
      out.Bool(bool(value));
      return OkStatus();
    case element_type::NULL_VALUE:
      out.Null();
      return OkStatus();
  }
  return InternalError("unknown JSON type");
}

Result<Payload> PayloadFromDom(element value) {
  if (value.type() != element_type::OBJECT) {
    return InvalidArgumentError("a payload must be a JSON object");
  }
  PayloadBuilder builder;
  AKIDB_RETURN_IF_ERROR(AppendPayloadDom(value, kPayloadDepthMax, builder));
  return builder.Finish();
}

Result<Payload> ParsePayloadJson(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (auto error = parser.parse(json.data(), json.size()).get(root)) {
    return MalformedError(simdjson::error_message(error));
  }
  return PayloadFromDom(root);
}

}  // namespace akidb
