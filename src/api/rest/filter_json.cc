#include "api/rest/filter_json.h"

#include <utility>
#include <vector>

#include "api/rest/field_condition_json.h"

namespace akidb::rest {
namespace {

constexpr std::string_view kFilterFields = "`should`, `min_should`, `must`, `must_not`";
Status ReadFilterAt(JsonElement value, const FieldPath& path, int depth,
                    std::shared_ptr<const Filter>& out);
Status ReadCondition(JsonElement value, const FieldPath& path, int depth, Condition& out);

// {"key": k}: what is_empty and is_null point at.
Status ReadPayloadField(JsonElement value, const FieldPath& path, PayloadPath& out) {
  bool found = false;
  Status read =
      ForEachMember(value, path, "an object {\"key\": …}",
                    [&](std::string_view name, JsonElement member, const FieldPath& at) -> Status {
                      if (name != "key") return UnknownField(at, "`key`");
                      found = true;
                      return ReadPayloadPath(member, at, out);
                    });
  AKIDB_RETURN_IF_ERROR(read);
  return found ? OkStatus() : MissingField(path, "key");
}

// `a[]` means the same as `a`: each element of that array.
Status ReadNestedKey(JsonElement value, const FieldPath& path, PayloadPath& out) {
  AKIDB_RETURN_IF_ERROR(ReadPayloadPath(value, path, out));
  if (!out.text().ends_with("[]")) return OkStatus();
  Result<PayloadPath> array =
      PayloadPath::Parse(std::string_view(out.text()).substr(0, out.text().size() - 2));
  if (array.ok()) out = std::move(array).value();
  return OkStatus();
}

Status ReadSlice(JsonElement value, const FieldPath& path, Condition& out) {
  std::optional<uint64_t> total;
  std::optional<uint64_t> index;
  Status read =
      ForEachMember(value, path, "an object {\"total\": …, \"index\": …}",
                    [&](std::string_view name, JsonElement member, const FieldPath& at) -> Status {
                      if (name == "total") return ReadUint(member, at, total.emplace());
                      if (name == "index") return ReadUint(member, at, index.emplace());
                      return UnknownField(at, "`total`, `index`");
                    });
  AKIDB_RETURN_IF_ERROR(read);
  if (!total) return MissingField(path, "total");
  if (!index) return MissingField(path, "index");
  if (*total < 1) {
    return RangeError(path.Member("total"),
                      "Slice total must be >= 1, got " + std::to_string(*total));
  }
  if (*index >= *total) {
    return RangeError(path.Member("index"), "Slice index must be in [0;" +
                                                std::to_string(*total - 1) + "], got " +
                                                std::to_string(*index));
  }
  out = SliceCondition{*total, *index};
  return OkStatus();
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
                      return ReadNestedKey(member, at, nested.key);
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
          return ReadSlice(member, at, out);
        } else {
          return FieldError(path,
                            "Expected some form of condition, which can be a field condition (like "
                            "{\"key\": ..., \"match\": ... }), is_empty, is_null, has_id, "
                            "has_vector, slice, nested or a filter; got field `" +
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
                      return ReadSize(member, at, 1, out.min_should_count);
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

Status ReadCondition(JsonElement value, const FieldPath& path, Condition& out) {
  return ReadCondition(value, path, kFilterDepthMax, out);
}

}  // namespace akidb::rest
