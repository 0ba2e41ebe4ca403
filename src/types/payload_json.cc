#include "types/payload_json.h"

#include <charconv>

#include "types/payload_dom_json.h"

namespace akidb {

using simdjson::dom::element;
using simdjson::dom::element_type;

namespace {

// Behind the closing quote of the string that begins at `begin`.
size_t EndOfString(std::string_view json, size_t begin) {
  size_t i = begin + 1;
  while (i < json.size() && json[i] != '"') i += json[i] == '\\' ? 2 : 1;
  return std::min(i + 1, json.size());
}

bool IsBigInteger(std::string_view number) {
  if (number.find_first_of(".eE") != std::string_view::npos) return false;
  auto fits = [&](auto value) {
    return std::from_chars(number.data(), number.data() + number.size(), value).ec !=
           std::errc::result_out_of_range;
  };
  return number[0] == '-' ? !fits(int64_t{}) : !fits(uint64_t{});
}

}  // namespace

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
  auto error = parser.parse(json.data(), json.size()).get(root);
  if (error == simdjson::NUMBER_ERROR) error = parser.parse(BigIntegersAsDoubles(json)).get(root);
  if (error) return MalformedError(simdjson::error_message(error));
  return PayloadFromDom(root);
}

std::string BigIntegersAsDoubles(std::string_view json) {
  std::string out;
  for (size_t i = 0; i < json.size();) {
    size_t end = i + 1;
    if (json[i] == '"') {
      end = EndOfString(json, i);
    } else if (json[i] == '-' || (json[i] >= '0' && json[i] <= '9')) {
      end = std::min(json.find_first_not_of("0123456789+-.eE", i), json.size());
    }
    std::string_view token = json.substr(i, end - i);
    out += token;
    if (json[i] != '"' && token.size() > 18 && IsBigInteger(token)) out += ".0";
    i = end;
  }
  return out;
}

}  // namespace akidb
