// Reading request bodies: typed reads that report where in the body something is wrong. Only files
// named *_json.cc include this, for it brings in simdjson.
//
// A wrong type is kMalformed ("points[3].id: expected …"), a value outside its range kValidation
// ("[limit: …]"); transports put the dialect's prefix before either.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/status.h"
#include "types/point_id.h"

namespace akidb::dialect {

using JsonElement = simdjson::dom::element;

inline constexpr size_t kJsonDepthMax = 256;

// A chain on the stack from a value up to the body; costs nothing until an error is told.
struct FieldPath {
  static constexpr size_t kNoIndex = SIZE_MAX;

  const FieldPath* parent = nullptr;
  std::string_view key;
  size_t index = kNoIndex;

  FieldPath Member(std::string_view name) const { return {this, name, kNoIndex}; }
  FieldPath Element(size_t at) const { return {this, {}, at}; }
  // "points[3].vector"; "body" for the root.
  std::string ToString() const;
};

// A parsed body. Elements stay valid as long as it lives.
class JsonBody {
 public:
  // kMalformed: not JSON, not UTF-8, NaN or infinity, an integer beyond 64 bits, or nested deeper
  // than kJsonDepthMax.
  Status Parse(std::string_view body);
  JsonElement root() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  JsonElement root_;
};

// "expected <what>, got <the value's type>".
Status TypeError(const FieldPath& path, std::string_view what, JsonElement got);
Status FieldError(const FieldPath& path, std::string_view message);  // kMalformed
// Likewise, about an object; without the path where it is the whole body.
Status BodyError(const FieldPath& path, std::string_view message);
Status RangeError(const FieldPath& path, std::string_view message);     // kValidation
Status UnknownField(const FieldPath& path, std::string_view expected);  // kMalformed
Status NotServed(const FieldPath& path, std::string_view what);         // kUnsupported
// As BodyError.
Status MissingField(const FieldPath& path, std::string_view name);

inline bool IsNull(JsonElement value) {
  return value.type() == simdjson::dom::element_type::NULL_VALUE;
}

Status ReadBool(JsonElement value, const FieldPath& path, bool& out);
Status ReadUint(JsonElement value, const FieldPath& path, uint64_t& out);
Status ReadDouble(JsonElement value, const FieldPath& path, double& out);
// Valid as long as the body.
Status ReadString(JsonElement value, const FieldPath& path, std::string_view& out);
// Likewise, with at least one character.
Status ReadName(JsonElement value, const FieldPath& path, std::string_view& out);
// At least `min`.
Status ReadSize(JsonElement value, const FieldPath& path, size_t min, size_t& out);
// An array of numbers, each rounded to the nearest float32.
Status ReadFloats(JsonElement value, const FieldPath& path, std::vector<float>& out);
Status ReadStrings(JsonElement value, const FieldPath& path, std::vector<std::string>& out);
// An unsigned 64-bit integer or a UUID in any of its forms.
Status ReadPointId(JsonElement value, const FieldPath& path, PointId& out);
Status ReadPointIds(JsonElement value, const FieldPath& path, std::vector<PointId>& out);

// An object in which no key stands twice, as the dialect wants it. `what` describes it.
Status CheckObject(JsonElement value, const FieldPath& path, std::string_view what);

// f(key, member, member_path) -> Status, in document order, of what CheckObject finds right.
template <typename F>
Status ForEachMember(JsonElement value, const FieldPath& path, std::string_view what, F&& f) {
  AKIDB_RETURN_IF_ERROR(CheckObject(value, path, what));
  for (auto [key, member] : simdjson::dom::object(value)) {
    AKIDB_RETURN_IF_ERROR(f(key, member, path.Member(key)));
  }
  return OkStatus();
}

// f(element, element_path) -> Status.
template <typename F>
Status ForEachElement(JsonElement value, const FieldPath& path, std::string_view what, F&& f) {
  simdjson::dom::array array;
  if (value.get(array)) return TypeError(path, what, value);
  size_t index = 0;
  for (JsonElement element : array) {
    AKIDB_RETURN_IF_ERROR(f(element, path.Element(index)));
    ++index;
  }
  return OkStatus();
}

// The member called `name`, unless it is missing or null.
bool FindMember(JsonElement object, std::string_view name, JsonElement& out);

}  // namespace akidb::dialect
