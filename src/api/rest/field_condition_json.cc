#include "api/rest/field_condition_json.h"

#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "types/datetime.h"
#include "types/text/words.h"

namespace akidb::rest {
namespace {

constexpr std::string_view kFieldConditionFields =
    "`key`, `match`, `range`, `geo_bounding_box`, `geo_radius`, `geo_polygon`, `values_count`, "
    "`is_empty`, `is_null`";
constexpr std::string_view kMatchFields =
    "`value`, `any`, `except`, `text`, `text_any`, `phrase`, `prefix`, `substring`";

// Each row's places are compared with every edge.
constexpr size_t kRingPointsMax = 65'536;

using Predicate = decltype(FieldCondition::predicate);

// Strings and integers, and booleans where `with_bool` says so.
Status ReadScalar(JsonElement value, const FieldPath& path, bool with_bool, MatchScalar& out) {
  int64_t number = 0;
  bool flag = false;
  std::string_view text;
  if (!value.get(text)) {
    out = std::string(text);
  } else if (!value.get(number)) {
    out = number;
  } else if (with_bool && !value.get(flag)) {
    out = flag;
  } else {
    return FieldError(path, with_bool ? "expected a string, a 64-bit integer or a boolean"
                                      : "expected a string or a 64-bit integer");
  }
  return OkStatus();
}

Status ReadScalars(JsonElement value, const FieldPath& path, std::vector<MatchScalar>& out) {
  return ForEachElement(value, path, "an array of strings or of integers",
                        [&](JsonElement element, const FieldPath& at) -> Status {
                          AKIDB_RETURN_IF_ERROR(ReadScalar(element, at, false, out.emplace_back()));
                          if (out.back().index() != out.front().index()) {
                            return FieldError(at,
                                              "strings and integers can't be mixed in one list");
                          }
                          return OkStatus();
                        });
}

Status ReadWords(JsonElement value, const FieldPath& path, MatchText& out) {
  std::string_view text;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
  out.text = text;
  out.words = WordsOf(text);
  return OkStatus();
}

// One member of {"match": …}.
Status ReadMatchMember(std::string_view key, JsonElement member, const FieldPath& at,
                       Predicate& out) {
  std::string_view text;
  if (key == "value") return ReadScalar(member, at, true, out.emplace<MatchValue>().value);
  if (key == "any") return ReadScalars(member, at, out.emplace<MatchAny>().values);
  if (key == "except") return ReadScalars(member, at, out.emplace<MatchExcept>().values);
  if (key == "text" || key == "text_any" || key == "phrase") {
    auto& match = out.emplace<MatchText>();
    match.mode = key == "text"       ? MatchText::Mode::kAll
                 : key == "text_any" ? MatchText::Mode::kAny
                                     : MatchText::Mode::kPhrase;
    return ReadWords(member, at, match);
  }
  if (key != "prefix" && key != "substring") return UnknownField(at, kMatchFields);
  AKIDB_RETURN_IF_ERROR(ReadString(member, at, text));
  if (key == "prefix") {
    out = MatchPrefix{std::string(text)};
  } else {
    out = MatchSubstring{std::string(text)};
  }
  return OkStatus();
}

Status ReadMatch(JsonElement value, const FieldPath& path, std::vector<Predicate>& out) {
  size_t members = 0;
  Predicate predicate;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object such as {\"value\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      ++members;
                      return ReadMatchMember(key, member, at, predicate);
                    }));
  if (members != 1) {
    return FieldError(path, "expected exactly one of " + std::string(kMatchFields));
  }
  out.push_back(std::move(predicate));
  return OkStatus();
}

// lt, gt, gte, lte, each left out or null or what `read` reads.
template <typename T, typename Read>
Status ReadBounds(JsonElement value, const FieldPath& path, Bounds<T>& out, Read read) {
  return ForEachMember(
      value, path, "an object such as {\"gte\": 1}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        std::optional<T>* bound = key == "lt"    ? &out.lt
                                  : key == "lte" ? &out.lte
                                  : key == "gt"  ? &out.gt
                                  : key == "gte" ? &out.gte
                                                 : nullptr;
        if (bound == nullptr) return UnknownField(at, "`lt`, `gt`, `gte`, `lte`");
        if (IsNull(member)) return OkStatus();
        return read(member, at, bound->emplace());
      });
}

Status ReadDatetime(JsonElement value, const FieldPath& path, int64_t& out) {
  if (!value.is_string()) {
    return FieldError(path, "numbers and datetimes can't be mixed in one range");
  }
  std::string_view text;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
  const std::optional<int64_t> moment = ParseDatetime(text);
  if (!moment) {
    return FieldError(path, "'" + std::string(text) +
                                "' is not in a supported date/time format, please use RFC 3339");
  }
  out = *moment;
  return OkStatus();
}

// A range of datetimes where any bound is a string.
Status ReadRange(JsonElement value, const FieldPath& path, std::vector<Predicate>& out) {
  bool is_datetime = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object such as {\"gte\": 1}",
                    [&](std::string_view, JsonElement member, const FieldPath& at) -> Status {
                      if (!member.is_string()) return OkStatus();
                      int64_t moment = 0;
                      is_datetime = true;
                      return ReadDatetime(member, at, moment);
                    }));
  if (is_datetime) {
    DatetimeRange range;
    AKIDB_RETURN_IF_ERROR(ReadBounds(value, path, range, ReadDatetime));
    out.emplace_back(range);
    return OkStatus();
  }
  NumericRange range;
  AKIDB_RETURN_IF_ERROR(ReadBounds(value, path, range, ReadDouble));
  out.emplace_back(range);
  return OkStatus();
}

std::string Shown(double number) {
  std::string text;
  AppendJsonDouble(number, text);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

// {"lat": …, "lon": …}; other members are left alone, as in payloads.
Status ReadPlace(JsonElement value, const FieldPath& path, GeoPoint& out) {
  JsonElement lat;
  JsonElement lon;
  AKIDB_RETURN_IF_ERROR(CheckObject(value, path, "a place {\"lat\": …, \"lon\": …}"));
  if (!FindMember(value, "lon", lon)) return MissingField(path, "lon");
  if (!FindMember(value, "lat", lat)) return MissingField(path, "lat");
  AKIDB_RETURN_IF_ERROR(ReadDouble(lon, path.Member("lon"), out.lon));
  AKIDB_RETURN_IF_ERROR(ReadDouble(lat, path.Member("lat"), out.lat));
  if (out.lat >= -90 && out.lat <= 90 && out.lon >= -180 && out.lon <= 180) return OkStatus();
  return FieldError(path, "Wrong format of GeoPoint payload: expected `lat` = " + Shown(out.lat) +
                              " within [-90;90] and `lon` = " + Shown(out.lon) +
                              " within [-180;180]");
}

Status ReadGeoBox(JsonElement value, const FieldPath& path, std::vector<Predicate>& out) {
  GeoBox box;
  bool has_top_left = false;
  bool has_bottom_right = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"top_left\": …, \"bottom_right\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "top_left") {
                        has_top_left = true;
                        return ReadPlace(member, at, box.top_left);
                      }
                      if (key != "bottom_right")
                        return UnknownField(at, "`top_left`, `bottom_right`");
                      has_bottom_right = true;
                      return ReadPlace(member, at, box.bottom_right);
                    }));
  if (!has_top_left) return MissingField(path, "top_left");
  if (!has_bottom_right) return MissingField(path, "bottom_right");
  out.emplace_back(box);
  return OkStatus();
}

Status ReadGeoCircle(JsonElement value, const FieldPath& path, std::vector<Predicate>& out) {
  GeoCircle circle;
  bool has_center = false;
  bool has_radius = false;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"center\": …, \"radius\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "center") {
                        has_center = true;
                        return ReadPlace(member, at, circle.center);
                      }
                      if (key != "radius") return UnknownField(at, "`center`, `radius`");
                      has_radius = true;
                      return ReadDouble(member, at, circle.radius_m);
                    }));
  if (!has_center) return MissingField(path, "center");
  if (!has_radius) return MissingField(path, "radius");
  out.emplace_back(circle);
  return OkStatus();
}

// {"points": […]}, closed.
Status ReadGeoRing(JsonElement value, const FieldPath& path, GeoRing& out) {
  bool has_points = false;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      value, path, "an object {\"points\": […]}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key != "points") return UnknownField(at, "`points`");
        has_points = true;
        return ForEachElement(member, at, "an array of places",
                              [&](JsonElement point, const FieldPath& element) -> Status {
                                if (out.size() == kRingPointsMax) {
                                  return RangeError(
                                      at, "at most " + std::to_string(kRingPointsMax) + " points");
                                }
                                return ReadPlace(point, element, out.emplace_back());
                              });
      }));
  if (!has_points) return MissingField(path, "points");
  if (out.size() < 4) {
    return FieldError(
        path, "polygon invalid, the size must be at least 4, got " + std::to_string(out.size()));
  }
  if (out.front() == out.back()) return OkStatus();
  return FieldError(path,
                    "polygon invalid, the first and the last points should be the same to form a "
                    "closed line");
}

Status ReadGeoPolygon(JsonElement value, const FieldPath& path, std::vector<Predicate>& out) {
  GeoPolygon polygon;
  AKIDB_RETURN_IF_ERROR(ForEachMember(
      value, path, "an object {\"exterior\": …}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        if (key == "exterior") return ReadGeoRing(member, at, polygon.exterior);
        if (key != "interiors") return UnknownField(at, "`exterior`, `interiors`");
        if (IsNull(member)) return OkStatus();
        return ForEachElement(member, at, "an array of rings",
                              [&](JsonElement ring, const FieldPath& element) {
                                return ReadGeoRing(ring, element, polygon.interiors.emplace_back());
                              });
      }));
  if (polygon.exterior.empty()) return MissingField(path, "exterior");
  out.emplace_back(std::move(polygon));
  return OkStatus();
}

// A condition that holds where `condition` doesn't.
Condition Negate(Condition condition) {
  auto filter = std::make_shared<Filter>();
  filter->must_not.push_back(std::move(condition));
  return Condition(std::shared_ptr<const Filter>(std::move(filter)));
}

// What a condition on a field says, before precedence.
struct FieldParts {
  PayloadPath key;
  std::vector<Predicate> predicates;
  std::optional<Bounds<uint64_t>> values_count;
  std::optional<bool> is_empty;
  std::optional<bool> is_null;
};

Status ReadFieldPart(std::string_view name, JsonElement member, const FieldPath& at,
                     FieldParts& out) {
  if (name == "key") return ReadPayloadPath(member, at, out.key);
  struct Reader {
    std::string_view name;
    Status (*read)(JsonElement, const FieldPath&, std::vector<Predicate>&);
  };
  constexpr Reader kReaders[] = {{"match", ReadMatch},
                                 {"range", ReadRange},
                                 {"geo_bounding_box", ReadGeoBox},
                                 {"geo_radius", ReadGeoCircle},
                                 {"geo_polygon", ReadGeoPolygon}};
  for (const Reader& reader : kReaders) {
    if (name != reader.name) continue;
    return IsNull(member) ? OkStatus() : reader.read(member, at, out.predicates);
  }
  if (name != "values_count" && name != "is_empty" && name != "is_null") {
    return UnknownField(at, kFieldConditionFields);
  }
  if (IsNull(member)) return OkStatus();
  if (name == "is_empty") return ReadBool(member, at, out.is_empty.emplace());
  if (name == "is_null") return ReadBool(member, at, out.is_null.emplace());
  return ReadBounds(member, at, out.values_count.emplace(), ReadUint);
}

}  // namespace

Status ReadPayloadPath(JsonElement value, const FieldPath& path, PayloadPath& out) {
  std::string_view text;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
  Result<PayloadPath> parsed = PayloadPath::Parse(text);
  if (!parsed.ok()) return FieldError(path, parsed.status().message());
  out = std::move(parsed).value();
  return OkStatus();
}

Status ReadFieldCondition(JsonElement value, const FieldPath& path, Condition& out) {
  FieldParts parts;
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "a condition",
                    [&](std::string_view name, JsonElement member, const FieldPath& at) {
                      return ReadFieldPart(name, member, at, parts);
                    }));
  if (parts.values_count) {
    out = ValuesCountCondition{std::move(parts.key), *parts.values_count};
    return OkStatus();
  }
  if (parts.is_empty) {
    out = IsEmptyCondition{std::move(parts.key)};
    if (!*parts.is_empty) out = Negate(std::move(out));
    return OkStatus();
  }
  if (parts.is_null) {
    out = IsNullCondition{std::move(parts.key)};
    if (!*parts.is_null) out = Negate(std::move(out));
    return OkStatus();
  }
  if (parts.predicates.empty()) {
    return RangeError(path, "At least one field condition must be specified");
  }
  if (parts.predicates.size() == 1) {
    out = FieldCondition{std::move(parts.key), std::move(parts.predicates.front())};
    return OkStatus();
  }
  auto any = std::make_shared<Filter>();
  for (Predicate& predicate : parts.predicates) {
    any->should.emplace_back(FieldCondition{parts.key, std::move(predicate)});
  }
  out = std::shared_ptr<const Filter>(std::move(any));
  return OkStatus();
}

Status ReadGeoPoint(JsonElement value, const FieldPath& path, GeoPoint& out) {
  return ReadPlace(value, path, out);
}

}  // namespace akidb::rest
