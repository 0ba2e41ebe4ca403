#include "api/rest/filter_json.h"

#include <utility>
#include <vector>

namespace akidb::rest {
namespace {

constexpr std::string_view kFilterFields = "`should`, `min_should`, `must`, `must_not`";
constexpr std::string_view kFieldConditionFields =
    "`key`, `match`, `range`, `geo_bounding_box`, `geo_radius`, `geo_polygon`, `values_count`, "
    "`is_empty`, `is_null`";

using Predicate = decltype(FieldCondition::predicate);

Status ReadFilterAt(JsonElement value, const FieldPath& path, int depth,
                    std::shared_ptr<const Filter>& out);
Status ReadCondition(JsonElement value, const FieldPath& path, int depth, Condition& out);

Status ReadPath(JsonElement value, const FieldPath& path, PayloadPath& out) {
  std::string_view text;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, text));
  Result<PayloadPath> parsed = PayloadPath::Parse(text);
  if (!parsed.ok()) return FieldError(path, parsed.status().message());
  out = std::move(parsed).value();
  return OkStatus();
}

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

Status ReadMatch(JsonElement value, const FieldPath& path, std::vector<Predicate>& out) {
  size_t members = 0;
  Status read =
      ForEachMember(value, path, "an object such as {\"value\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      ++members;
                      if (key == "value") {
                        MatchValue match;
                        AKIDB_RETURN_IF_ERROR(ReadScalar(member, at, true, match.value));
                        out.emplace_back(std::move(match));
                      } else if (key == "any") {
                        MatchAny match;
                        AKIDB_RETURN_IF_ERROR(ReadScalars(member, at, match.values));
                        out.emplace_back(std::move(match));
                      } else if (key == "except") {
                        MatchExcept match;
                        AKIDB_RETURN_IF_ERROR(ReadScalars(member, at, match.values));
                        out.emplace_back(std::move(match));
                      } else if (key == "text" || key == "text_any" || key == "phrase" ||
                                 key == "prefix" || key == "substring") {
                        return NotServed(at, "matching of texts is");
                      } else {
                        return UnknownField(at, "`value`, `any`, `except`");
                      }
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  if (members == 1) return OkStatus();
  return FieldError(path, "expected exactly one of `value`, `any`, `except`");
}

Status ReadRange(JsonElement value, const FieldPath& path, std::vector<Predicate>& out) {
  NumericRange range;
  Status read =
      ForEachMember(value, path, "an object such as {\"gte\": 1}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      std::optional<double>* bound = key == "lt"    ? &range.lt
                                                     : key == "lte" ? &range.lte
                                                     : key == "gt"  ? &range.gt
                                                     : key == "gte" ? &range.gte
                                                                    : nullptr;
                      if (bound == nullptr) return UnknownField(at, "`lt`, `gt`, `gte`, `lte`");
                      if (IsNull(member)) return OkStatus();
                      if (member.is_string()) return NotServed(at, "a range of dates is");
                      return ReadDouble(member, at, bound->emplace());
                    });
  AKIDB_RETURN_IF_ERROR(read);
  out.emplace_back(range);
  return OkStatus();
}

// A condition that holds where `condition` doesn't.
Condition Negate(Condition condition) {
  auto filter = std::make_shared<Filter>();
  filter->must_not.push_back(std::move(condition));
  return Condition(std::shared_ptr<const Filter>(std::move(filter)));
}

// {"key": k, …}. Several predicates are or-ed, but is_empty and is_null take precedence.
Status ReadFieldCondition(JsonElement value, const FieldPath& path, Condition& out) {
  PayloadPath key;
  std::vector<Predicate> predicates;
  std::optional<bool> is_empty;
  std::optional<bool> is_null;
  Status read = ForEachMember(
      value, path, "a condition",
      [&](std::string_view name, JsonElement member, const FieldPath& at) -> Status {
        if (name == "key") return ReadPath(member, at, key);
        bool known = name == "match" || name == "range" || name == "is_empty" ||
                     name == "is_null" || name == "values_count" || name.starts_with("geo_");
        if (known && IsNull(member)) return OkStatus();
        if (name == "match") return ReadMatch(member, at, predicates);
        if (name == "range") return ReadRange(member, at, predicates);
        if (name == "is_empty") return ReadBool(member, at, is_empty.emplace());
        if (name == "is_null") return ReadBool(member, at, is_null.emplace());
        if (name == "values_count") return NotServed(at, "counting of values is");
        if (name == "geo_bounding_box" || name == "geo_radius" || name == "geo_polygon") {
          return NotServed(at, "a geographic condition is");
        }
        return UnknownField(at, kFieldConditionFields);
      });
  AKIDB_RETURN_IF_ERROR(read);
  if (is_empty) {
    out = IsEmptyCondition{std::move(key)};
    if (!*is_empty) out = Negate(std::move(out));
    return OkStatus();
  }
  if (is_null) {
    out = IsNullCondition{std::move(key)};
    if (!*is_null) out = Negate(std::move(out));
    return OkStatus();
  }
  if (predicates.empty()) {
    return RangeError(path, "At least one field condition must be specified");
  }
  if (predicates.size() == 1) {
    out = FieldCondition{std::move(key), std::move(predicates.front())};
    return OkStatus();
  }
  auto any = std::make_shared<Filter>();
  for (Predicate& predicate : predicates) {
    any->should.emplace_back(FieldCondition{key, std::move(predicate)});
  }
  out = std::shared_ptr<const Filter>(std::move(any));
  return OkStatus();
}

// {"key": k}: what is_empty and is_null point at.
Status ReadPayloadField(JsonElement value, const FieldPath& path, PayloadPath& out) {
  bool found = false;
  Status read =
      ForEachMember(value, path, "an object {\"key\": …}",
                    [&](std::string_view name, JsonElement member, const FieldPath& at) -> Status {
                      if (name != "key") return UnknownField(at, "`key`");
                      found = true;
                      return ReadPath(member, at, out);
                    });
  AKIDB_RETURN_IF_ERROR(read);
  return found ? OkStatus() : MissingField(path, "key");
}

Status ReadNested(JsonElement value, const FieldPath& path, int depth, Condition& out) {
  NestedCondition nested;
  bool has_key = false;
  Status read =
      ForEachMember(value, path, "an object {\"key\": …, \"filter\": …}",
                    [&](std::string_view name, JsonElement member, const FieldPath& at) -> Status {
                      if (name == "filter")
                        return ReadFilterAt(member, at, depth - 1, nested.filter);
                      if (name != "key") return UnknownField(at, "`key`, `filter`");
                      has_key = true;
                      return ReadPath(member, at, nested.key);
                    });
  AKIDB_RETURN_IF_ERROR(read);
  if (!has_key) return MissingField(path, "key");
  if (!nested.filter) return MissingField(path, "filter");
  out = std::move(nested);
  return OkStatus();
}

// {"<kind>": …}, where the kind is the object's only member.
Status ReadSingleCondition(JsonElement value, const FieldPath& path, int depth, Condition& out) {
  return ForEachMember(
      value, path, "a condition",
      [&](std::string_view kind, JsonElement member, const FieldPath& at) -> Status {
        if (kind == "is_empty") {
          IsEmptyCondition condition;
          AKIDB_RETURN_IF_ERROR(ReadPayloadField(member, at, condition.key));
          out = std::move(condition);
        } else if (kind == "is_null") {
          IsNullCondition condition;
          AKIDB_RETURN_IF_ERROR(ReadPayloadField(member, at, condition.key));
          out = std::move(condition);
        } else if (kind == "has_id") {
          std::vector<PointId> ids;
          AKIDB_RETURN_IF_ERROR(ReadPointIds(member, at, ids));
          out = HasIdCondition(std::move(ids));
        } else if (kind == "has_vector") {
          std::string_view name;
          AKIDB_RETURN_IF_ERROR(ReadString(member, at, name));
          out = HasVectorCondition{std::string(name)};
        } else if (kind == "nested") {
          return ReadNested(member, at, depth, out);
        } else if (kind == "slice") {
          return NotServed(at, "a slice of the points is");
        } else {
          return FieldError(path,
                            "Expected some form of condition, which can be a field condition (like "
                            "{\"key\": ..., \"match\": ... }), is_empty, is_null, has_id, "
                            "has_vector, nested or a filter; got field `" +
                                std::string(kind) + "`");
        }
        return OkStatus();
      });
}

bool IsFilterField(std::string_view key) {
  return key == "must" || key == "should" || key == "must_not" || key == "min_should";
}

Status ReadCondition(JsonElement value, const FieldPath& path, int depth, Condition& out) {
  simdjson::dom::object object;
  if (value.get(object)) return TypeError(path, "a condition, an object", value);
  size_t members = 0;
  bool has_key = false;
  bool is_filter = true;
  for (auto [key, member] : object) {
    ++members;
    has_key = has_key || key == "key";
    is_filter = is_filter && IsFilterField(key);
  }
  if (has_key) return ReadFieldCondition(value, path, out);
  if (is_filter) {
    std::shared_ptr<const Filter> filter;
    AKIDB_RETURN_IF_ERROR(ReadFilterAt(value, path, depth - 1, filter));
    out = std::move(filter);
    return OkStatus();
  }
  AKIDB_RETURN_IF_ERROR(ReadSingleCondition(value, path, depth, out));
  if (members == 1) return OkStatus();
  return FieldError(path, "a condition has one kind, this has " + std::to_string(members));
}

// One condition or an array of them; null is none.
Status ReadClause(JsonElement value, const FieldPath& path, int depth,
                  std::vector<Condition>& out) {
  if (IsNull(value)) return OkStatus();
  if (!value.is_array()) return ReadCondition(value, path, depth, out.emplace_back());
  return ForEachElement(value, path, "conditions",
                        [&](JsonElement element, const FieldPath& at) -> Status {
                          return ReadCondition(element, at, depth, out.emplace_back());
                        });
}

Status ReadMinShould(JsonElement value, const FieldPath& path, int depth, Filter& out) {
  if (IsNull(value)) return OkStatus();
  bool has_count = false;
  bool has_conditions = false;
  Status read =
      ForEachMember(value, path, "an object {\"conditions\": […], \"min_count\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "conditions") {
                        has_conditions = true;
                        if (!member.is_array())
                          return TypeError(at, "an array of conditions", member);
                        return ReadClause(member, at, depth, out.min_should);
                      }
                      if (key != "min_count") return UnknownField(at, "`conditions`, `min_count`");
                      has_count = true;
                      return ReadSize(member, at, 0, out.min_should_count);
                    });
  AKIDB_RETURN_IF_ERROR(read);
  if (!has_conditions) return MissingField(path, "conditions");
  return has_count ? OkStatus() : MissingField(path, "min_count");
}

Status ReadFilterAt(JsonElement value, const FieldPath& path, int depth,
                    std::shared_ptr<const Filter>& out) {
  if (depth <= 0) {
    return FieldError(path, "filters nest at most " + std::to_string(kFilterDepthMax) + " deep");
  }
  auto filter = std::make_shared<Filter>();
  Status read =
      ForEachMember(value, path, "a filter, an object",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "must") return ReadClause(member, at, depth, filter->must);
                      if (key == "should") return ReadClause(member, at, depth, filter->should);
                      if (key == "must_not") return ReadClause(member, at, depth, filter->must_not);
                      if (key == "min_should") return ReadMinShould(member, at, depth, *filter);
                      return UnknownField(at, kFilterFields);
                    });
  AKIDB_RETURN_IF_ERROR(read);
  out = std::move(filter);
  return OkStatus();
}

}  // namespace

Status ReadFilter(JsonElement value, const FieldPath& path, std::shared_ptr<const Filter>& out) {
  if (IsNull(value)) return OkStatus();
  return ReadFilterAt(value, path, kFilterDepthMax, out);
}

}  // namespace akidb::rest
