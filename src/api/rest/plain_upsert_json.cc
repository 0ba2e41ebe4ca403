#include "api/rest/plain_upsert_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "api/rest/vector_json.h"
#include "types/payload_dom_json.h"
#include "types/uuid.h"

namespace akidb::rest {
namespace {

namespace ondemand = simdjson::ondemand;

// Names of a point's vectors are compared each with each.
constexpr size_t kNamesMax = 16;
// Integers from here on may be none to the tree.
constexpr double kNumberMax = 1e18;

// Numbers of more digits get_double() of simdjson 3.0 doesn't read rightly.
constexpr size_t kDigitsMax = 19;

// True for some that have no more than kDigitsMax, too. `token` is a number.
bool MayHaveTooManyDigits(std::string_view token) {
  const size_t sign = token[0] == '-';
  const size_t others = token.substr(sign).starts_with("0.") ? sign + 2 : sign;
  return token.size() > kDigitsMax + others;
}

// The tree's -0 is an integer, which has no sign; its -0.0 is not.
bool ReadFloat(ondemand::value value, float& out) {
  const std::string_view token = value.raw_json_token();
  double number = 0;
  if (value.get_double().get(number)) return false;
  if (MayHaveTooManyDigits(token)) {
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
    if (error != std::errc()) return false;
  }
  if (std::abs(number) >= kNumberMax) return false;
  const bool is_integer_zero =
      number == 0 && token[0] == '-' && token.find_first_of(".eE") == std::string_view::npos;
  out = is_integer_zero ? 0 : static_cast<float>(number);
  return true;
}

bool IsNull(ondemand::value value) {
  bool is_null = false;
  return !value.is_null().get(is_null) && is_null;
}

class PlainUpsertReader {
 public:
  bool Read(std::string_view body, UpsertRequest& out) {
    padded_ = simdjson::padded_string(body);
    ondemand::document document;
    ondemand::object root;
    if (parser_.iterate(padded_).get(document) || document.get_object().get(root)) return false;
    bool has_points = false;
    const bool read = ForEachMember(root, [&](std::string_view key, ondemand::value value) {
      if (key == "points") return !std::exchange(has_points, true) && ReadPoints(value, out.points);
      // Null is the same as nothing, whatever else the member is.
      return key != "batch" && Once(key, others_) && IsNull(value);
    });
    return read && has_points && document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  }

 private:
  static bool Once(std::string_view key, std::vector<std::string_view>& seen) {
    if (seen.size() == kNamesMax || std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return false;
    }
    seen.push_back(key);
    return true;
  }

  // f(key, value) reads the member's value.
  template <typename F>
  static bool ForEachMember(ondemand::object object, F&& f) {
    for (auto member : object) {
      std::string_view key;
      if (member.unescaped_key().get(key)) return false;
      ondemand::value value;
      if (member.value().get(value) || !f(key, value)) return false;
    }
    return true;
  }

  bool ReadPoints(ondemand::value value, std::vector<PointInput>& out) {
    ondemand::array points;
    if (value.get_array().get(points)) return false;
    for (auto element : points) {
      ondemand::object point;
      if (element.get_object().get(point) || !ReadPoint(point, out.emplace_back())) return false;
    }
    return true;
  }

  bool ReadPoint(ondemand::object point, PointInput& out) {
    bool has_id = false;
    bool has_vector = false;
    bool has_payload = false;
    const bool read = ForEachMember(point, [&](std::string_view key, ondemand::value value) {
      if (key == "id") return !std::exchange(has_id, true) && ReadId(value, out.id);
      if (key == "vector") return !std::exchange(has_vector, true) && ReadVectors(value, out);
      if (key == "payload") {
        return !std::exchange(has_payload, true) && ReadPayload(value, out.payload);
      }
      return false;
    });
    return read && has_id && has_vector;
  }

  static bool ReadId(ondemand::value value, PointId& out) {
    ondemand::json_type type;
    if (value.type().get(type)) return false;
    if (type == ondemand::json_type::string) {
      std::string_view text;
      if (value.get_string().get(text)) return false;
      const std::optional<Uuid> uuid = Uuid::Parse(text);
      if (uuid) out = PointId(*uuid);
      return uuid.has_value();
    }
    uint64_t number = 0;
    if (value.get_uint64().get(number)) return false;
    out = PointId(number);
    return true;
  }

  bool ReadFloatArray(ondemand::value value, VectorInput& out) {
    floats_.clear();
    ondemand::array array;
    if (value.get_array().get(array)) return false;
    for (auto element : array) {
      ondemand::value number;
      if (element.get(number) || !ReadFloat(number, floats_.emplace_back())) return false;
    }
    if (floats_.empty()) return false;
    out.emplace<DenseVector>(floats_.begin(), floats_.end());
    return true;
  }

  bool ReadVectors(ondemand::value value, PointInput& point) {
    ondemand::json_type type;
    if (value.type().get(type)) return false;
    if (type == ondemand::json_type::array) {
      return ReadFloatArray(value, point.vectors.emplace_back().second);
    }
    ondemand::object named;
    if (value.get_object().get(named)) return false;
    names_.clear();
    // A text of its own, or a model, would make an inference object of it.
    return ForEachMember(named, [&](std::string_view name, ondemand::value each) {
      return Once(name, names_) &&
             ReadNamed(each, point.vectors.emplace_back(name, VectorInput()).second);
    });
  }

  bool ReadNamed(ondemand::value value, VectorInput& out) {
    ondemand::json_type type;
    if (value.type().get(type)) return false;
    if (type == ondemand::json_type::array) return ReadFloatArray(value, out);
    JsonElement element;
    return ParseObject(value, element) && ReadVector(element, {}, out).ok();
  }

  bool ReadPayload(ondemand::value value, Payload& out) {
    JsonElement element;
    if (IsNull(value)) return true;
    if (!ParseObject(value, element)) return false;
    Result<Payload> payload = PayloadFromDom(element);
    if (!payload.ok()) return false;
    out = std::move(payload).value();
    return true;
  }

  // Valid until the next one.
  bool ParseObject(ondemand::value value, JsonElement& out) {
    constexpr bool kCopied = false;  // as padded_ is, what lies in it is padded, too
    ondemand::object object;
    std::string_view text;
    return !value.get_object().get(object) && !object.raw_json().get(text) &&
           !tree_parser_.parse(text.data(), text.size(), kCopied).get(out);
  }

  simdjson::padded_string padded_;
  ondemand::parser parser_;
  simdjson::dom::parser tree_parser_;
  std::vector<float> floats_;
  std::vector<std::string_view> names_;
  std::vector<std::string_view> others_;
};

}  // namespace

bool ReadPlainUpsert(std::string_view body, UpsertRequest& out) {
  return PlainUpsertReader().Read(body, out);
}

}  // namespace akidb::rest
