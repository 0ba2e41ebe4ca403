#include "api/dialect/input_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "types/uuid.h"

namespace akidb::dialect {
namespace {

using simdjson::dom::element_type;

std::string_view TypeName(JsonElement value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
      return "an integer";
    case element_type::DOUBLE:
      return "a number";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "an unknown value";
}

std::string ParseMessage(simdjson::error_code code) {
  switch (code) {
    case simdjson::DEPTH_ERROR:
      return "nested deeper than " + std::to_string(kJsonDepthMax) + " levels";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed or out of range (integers must fit 64 bits, the rest a double)";
    case simdjson::UTF8_ERROR:
      return "the body is not valid UTF-8";
    case simdjson::EMPTY:
      return "the body is empty, expected a JSON object";
    default:
      return simdjson::error_message(code);
  }
}

// The four digits of `\\uXXXX` at `at`; nothing where no such escape stands there.
std::optional<uint32_t> EscapeAt(std::string_view body, size_t at) {
  if (body.size() < at + 6 || body[at] != '\\' || body[at + 1] != 'u') return std::nullopt;
  uint32_t unit = 0;
  const char* begin = body.data() + at + 2;
  const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
  if (error != std::errc() || end != begin + 4) return std::nullopt;
  return unit;
}

// What to say of the first escape that is half of a pair (RFC 8259, section 7); empty: none is.
std::string LoneSurrogate(std::string_view body) {
  for (size_t at = body.find('\\'); at != std::string_view::npos; at = body.find('\\', at)) {
    const std::optional<uint32_t> unit = EscapeAt(body, at);
    const bool is_high = unit && *unit >= 0xD800 && *unit <= 0xDBFF;
    const bool is_low = unit && *unit >= 0xDC00 && *unit <= 0xDFFF;
    const std::optional<uint32_t> next = is_high ? EscapeAt(body, at + 6) : std::nullopt;
    const bool is_pair = next && *next >= 0xDC00 && *next <= 0xDFFF;
    if ((is_high && !is_pair) || is_low) {
      std::string text = "a lone surrogate, " + std::string(body.substr(at, 6)) + ", at byte " +
                         std::to_string(at) + " of the body: it is half of a character, and ";
      return text + (is_high ? "the escape of the other half must follow it"
                             : "the escape of the other half must stand before it");
    }
    at += is_pair ? 12 : unit ? 6 : 2;
  }
  return "";
}

std::string Beginning(std::string_view text) {
  constexpr size_t kShownMax = 64;
  if (text.size() <= kShownMax) return std::string(text);
  return std::string(text.substr(0, kShownMax)) + "…";
}

// Enough of a wrong value to recognise it; strings are quoted.
std::string Shown(JsonElement value) {
  if (value.is_array() || value.is_object()) return std::string(TypeName(value));
  if (value.is_string()) return "\"" + Beginning(std::string_view(value)) + "\"";
  return Beginning(simdjson::minify(value));
}

}  // namespace

std::string FieldPath::ToString() const {
  if (parent == nullptr) return key.empty() ? "body" : std::string(key);
  std::string text = parent->parent == nullptr && parent->key.empty() ? "" : parent->ToString();
  if (index != kNoIndex) return text + "[" + std::to_string(index) + "]";
  if (!text.empty()) text += ".";
  return text.append(key);
}

Status JsonBody::Parse(std::string_view body) {
  if (auto error = parser_.allocate(body.size(), kJsonDepthMax)) {
    return ResourceExhaustedError(simdjson::error_message(error));
  }
  auto error = parser_.parse(body.data(), body.size()).get(root_);
  if (error == simdjson::STRING_ERROR) {
    if (std::string lone = LoneSurrogate(body); !lone.empty()) return MalformedError(lone);
  }
  return error ? MalformedError(ParseMessage(error)) : OkStatus();
}

Status TypeError(const FieldPath& path, std::string_view what, JsonElement got) {
  return FieldError(path, "expected " + std::string(what) + ", got " + std::string(TypeName(got)));
}

Status FieldError(const FieldPath& path, std::string_view message) {
  return MalformedError(path.ToString().append(": ").append(message));
}

Status RangeError(const FieldPath& path, std::string_view message) {
  return ValidationError("[" + path.ToString().append(": ").append(message) + "]");
}

Status UnknownField(const FieldPath& path, std::string_view expected) {
  return MalformedError("unknown field `" + path.ToString() + "`, expected one of " +
                        std::string(expected));
}

Status NotServed(const FieldPath& path, std::string_view what) {
  return UnsupportedError(path.ToString().append(": ").append(what) +
                          " not served by this version of AkiDB");
}

Status BodyError(const FieldPath& path, std::string_view message) {
  return path.parent == nullptr ? MalformedError(std::string(message)) : FieldError(path, message);
}

Status MissingField(const FieldPath& path, std::string_view name) {
  return BodyError(path, "missing field `" + std::string(name) + "`");
}

Status ReadBool(JsonElement value, const FieldPath& path, bool& out) {
  return value.get(out) ? TypeError(path, "a boolean", value) : OkStatus();
}

Status ReadUint(JsonElement value, const FieldPath& path, uint64_t& out) {
  if (!value.get(out)) return OkStatus();
  return FieldError(path, "expected an unsigned integer, got " + Shown(value));
}

Status ReadDouble(JsonElement value, const FieldPath& path, double& out) {
  return value.get(out) ? TypeError(path, "a number", value) : OkStatus();
}

Status ReadString(JsonElement value, const FieldPath& path, std::string_view& out) {
  return value.get(out) ? TypeError(path, "a string", value) : OkStatus();
}

Status ReadName(JsonElement value, const FieldPath& path, std::string_view& out) {
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, out));
  return out.empty() ? RangeError(path, "must not be empty") : OkStatus();
}

Status ReadSize(JsonElement value, const FieldPath& path, size_t min, size_t& out) {
  uint64_t number = 0;
  AKIDB_RETURN_IF_ERROR(ReadUint(value, path, number));
  if (number < min) {
    return RangeError(path, "value " + std::to_string(number) + " invalid, must be " +
                                std::to_string(min) + " or larger");
  }
  out = number;
  return OkStatus();
}

Status ReadFloats(JsonElement value, const FieldPath& path, std::vector<float>& out) {
  simdjson::dom::array array;
  if (value.get(array)) return TypeError(path, "an array of numbers", value);
  out.clear();
  out.reserve(array.size());
  for (JsonElement element : array) {
    double number = 0;
    if (element.get(number)) {
      return TypeError(path.Element(out.size()), "a number", element);
    }
    out.push_back(static_cast<float>(number));
  }
  return OkStatus();
}

Status ReadStrings(JsonElement value, const FieldPath& path, std::vector<std::string>& out) {
  return ForEachElement(value, path, "an array of strings",
                        [&](JsonElement element, const FieldPath& at) -> Status {
                          std::string_view text;
                          AKIDB_RETURN_IF_ERROR(ReadString(element, at, text));
                          out.emplace_back(text);
                          return OkStatus();
                        });
}

Status ReadPointId(JsonElement value, const FieldPath& path, PointId& out) {
  uint64_t number = 0;
  std::string_view text;
  if (!value.get(number)) {
    out = PointId(number);
    return OkStatus();
  }
  if (!value.get(text)) {
    if (std::optional<Uuid> uuid = Uuid::Parse(text)) {
      out = PointId(*uuid);
      return OkStatus();
    }
  }
  // The dialect's words have no quotes here.
  const std::string shown = value.is_string() ? Beginning(text) : Shown(value);
  return FieldError(path, "value " + shown +
                              " is not a valid point ID, valid values are either an unsigned "
                              "integer or a UUID");
}

Status ReadPointIds(JsonElement value, const FieldPath& path, std::vector<PointId>& out) {
  return ForEachElement(value, path, "an array of point ids",
                        [&](JsonElement element, const FieldPath& at) -> Status {
                          AKIDB_RETURN_IF_ERROR(ReadPointId(element, at, out.emplace_back()));
                          return OkStatus();
                        });
}

Status CheckObject(JsonElement value, const FieldPath& path, std::string_view what) {
  // With more of them sorting is cheaper than comparing each with each.
  constexpr size_t kComparedMax = 16;
  simdjson::dom::object object;
  if (value.get(object)) return TypeError(path, what, value);
  const bool few = object.size() <= kComparedMax;
  std::array<std::string_view, kComparedMax> keys;
  std::vector<std::string_view> sorted;
  std::optional<std::string_view> twice;
  size_t count = 0;
  for (auto [key, member] : object) {
    if (!few) {
      sorted.push_back(key);
      continue;
    }
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(keys.begin(), end, key) != end) twice = key;
    keys[count++] = key;
  }
  std::sort(sorted.begin(), sorted.end());
  const auto same = std::adjacent_find(sorted.begin(), sorted.end());
  if (same != sorted.end()) twice = *same;
  if (!twice) return OkStatus();
  return BodyError(path, "duplicate field `" + std::string(*twice) + "`");
}

bool FindMember(JsonElement object, std::string_view name, JsonElement& out) {
  simdjson::dom::object members;
  if (object.get(members)) return false;
  bool found = false;
  for (auto [key, member] : members) {
    if (key != name) continue;
    found = !IsNull(member);
    out = member;
  }
  return found;
}

}  // namespace akidb::dialect
