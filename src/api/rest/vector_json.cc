#include "api/rest/vector_json.h"

#include <algorithm>

#include "api/dialect/value_checks.h"

namespace akidb::rest {
namespace {

bool IsObjectWith(JsonElement value, std::string_view member) {
  JsonElement found;
  return value.is_object() && FindMember(value, member, found);
}

bool IsSparse(JsonElement value) {
  return IsObjectWith(value, "indices") || IsObjectWith(value, "values");
}

Status ReadIndices(JsonElement value, const FieldPath& path, std::vector<uint32_t>& out) {
  return ForEachElement(
      value, path, "an array of indices", [&](JsonElement element, const FieldPath& at) -> Status {
        uint64_t index = 0;
        AKIDB_RETURN_IF_ERROR(ReadUint(element, at, index));
        if (index > UINT32_MAX) {
          return FieldError(at,
                            "expected an index from 0 to 4294967295, got " + std::to_string(index));
        }
        out.push_back(static_cast<uint32_t>(index));
        return OkStatus();
      });
}

Status ReadSparse(JsonElement value, const FieldPath& path, DenseVector& out) {
  std::vector<float> values;
  bool has_values = false;
  out.indices.reset();
  AKIDB_RETURN_IF_ERROR(
      ForEachMember(value, path, "an object {\"indices\": …, \"values\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (key == "indices") return ReadIndices(member, at, out.indices.emplace());
                      if (key != "values") return UnknownField(at, "`indices`, `values`");
                      has_values = true;
                      return ReadFloats(member, at, values);
                    }));
  if (!out.indices) return MissingField(path, "indices");
  if (!has_values) return MissingField(path, "values");
  if (const auto flaw = dialect::FlawOfSparse(*out.indices, values.size())) {
    return RangeError(path.Member(flaw->field), flaw->text);
  }
  out.assign(values.begin(), values.end());
  return OkStatus();
}

// The rows of a multivector: all of one length, and not empty.
Status ReadRows(JsonElement value, const FieldPath& path, DenseVector& out) {
  std::vector<float> row;
  return ForEachElement(
      value, path, "an array of rows, each an array of numbers",
      [&](JsonElement element, const FieldPath& at) -> Status {
        AKIDB_RETURN_IF_ERROR(ReadFloats(element, at, row));
        if (row.empty()) return RangeError(at, "all vectors must be non-empty");
        if (out.row_dim == 0) out.row_dim = static_cast<uint32_t>(row.size());
        if (row.size() != out.row_dim) {
          return RangeError(
              at, "all vectors must have the same dimension, found vector with dimension " +
                      std::to_string(row.size()));
        }
        out.insert(out.end(), row.begin(), row.end());
        return OkStatus();
      });
}

Status CheckOptions(JsonElement value, const FieldPath& path) {
  if (IsNull(value)) return OkStatus();
  simdjson::dom::object options;
  if (value.get(options)) return TypeError(path, "an object", value);
  if (options.size() == 0) return OkStatus();
  return NotServed(path, "options of an inference object are");
}

}  // namespace

bool IsInferenceObject(JsonElement value) {
  JsonElement member;
  if (!value.is_object()) return false;
  // Named vectors may be called "text" too, but those hold arrays or objects.
  if (FindMember(value, "text", member)) return member.is_string();
  bool has_model = FindMember(value, "model", member) && member.is_string();
  return has_model && (FindMember(value, "image", member) || FindMember(value, "object", member));
}

Status ReadInferenceObject(JsonElement value, const FieldPath& path, TextInput& out) {
  bool has_text = false;
  Status read =
      ForEachMember(value, path, "an object {\"text\": …, \"model\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      std::string_view text;
                      if (key == "text") {
                        has_text = true;
                        AKIDB_RETURN_IF_ERROR(ReadString(member, at, text));
                        out.text = text;
                      } else if (key == "model" && !IsNull(member)) {
                        AKIDB_RETURN_IF_ERROR(ReadString(member, at, text));
                        out.model = text;
                      } else if (key == "options") {
                        return CheckOptions(member, at);
                      } else if (key == "image" || key == "object") {
                        return NotServed(at, "embedding of anything but text is");
                      }
                      return OkStatus();
                    });
  AKIDB_RETURN_IF_ERROR(read);
  return has_text ? OkStatus() : MissingField(path, "text");
}

Status ReadVector(JsonElement value, const FieldPath& path, VectorInput& out, TextRole role) {
  if (IsInferenceObject(value) && IsBm25Object(value)) {
    return ReadBm25Object(value, path, role, out.emplace<DenseVector>());
  }
  if (IsInferenceObject(value)) {
    return ReadInferenceObject(value, path, out.emplace<TextInput>());
  }
  if (IsSparse(value)) return ReadSparse(value, path, out.emplace<DenseVector>());
  JsonElement text;
  if (FindMember(value, "text", text)) return TypeError(path.Member("text"), "a string", text);
  simdjson::dom::array array;
  if (value.get(array)) {
    return TypeError(path, "an array of numbers or an object {\"text\": …, \"model\": …}", value);
  }
  if (array.begin() != array.end() && (*array.begin()).is_array()) {
    return ReadRows(value, path, out.emplace<DenseVector>());
  }
  return ReadFloats(value, path, out.emplace<DenseVector>());
}

Status ReadVectorStruct(JsonElement value, const FieldPath& path,
                        std::vector<std::pair<std::string, VectorInput>>& out) {
  if (!value.is_object() || IsInferenceObject(value)) {
    out.emplace_back();
    return ReadVector(value, path, out.back().second);
  }
  return ForEachMember(value, path, "named vectors",
                       [&](std::string_view name, JsonElement member, const FieldPath& at) {
                         out.emplace_back(name, VectorInput());
                         return ReadVector(member, at, out.back().second);
                       });
}

Status ReadPayloadSelector(JsonElement value, const FieldPath& path, PayloadSelector& out) {
  if (IsNull(value)) return OkStatus();
  bool all = false;
  if (!value.get(all)) {
    out = all ? PayloadSelector::All() : PayloadSelector::None();
    return OkStatus();
  }
  out = PayloadSelector{PayloadSelector::Mode::kInclude, {}};
  if (value.is_array()) return ReadStrings(value, path, out.paths);
  size_t members = 0;
  Status read = ForEachMember(
      value, path, "a boolean, an array of keys, {\"include\": keys} or {\"exclude\": keys}",
      [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
        ++members;
        if (key == "exclude") {
          out.mode = PayloadSelector::Mode::kExclude;
        } else if (key != "include") {
          return UnknownField(at, "`include`, `exclude`");
        }
        return ReadStrings(member, at, out.paths);
      });
  AKIDB_RETURN_IF_ERROR(read);
  return members == 1 ? OkStatus() : FieldError(path, "expected one of `include`, `exclude`");
}

Status ReadVectorSelector(JsonElement value, const FieldPath& path, VectorSelector& out) {
  if (IsNull(value)) return OkStatus();
  bool all = false;
  if (!value.get(all)) {
    out = {all ? VectorSelector::Mode::kAll : VectorSelector::Mode::kNone, {}};
    return OkStatus();
  }
  if (!value.is_array()) return TypeError(path, "a boolean or an array of vector names", value);
  out = {VectorSelector::Mode::kNamed, {}};
  return ReadStrings(value, path, out.names);
}

Status ReadShardKey(JsonElement value, const FieldPath& path) {
  return IsNull(value) ? OkStatus() : NotServed(path, "selection of a shard is");
}

}  // namespace akidb::rest
