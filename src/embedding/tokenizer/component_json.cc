#include "embedding/tokenizer/component_json.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace akidb::embedding {
namespace {

template <typename T>
Result<T> Field(const Component& component, std::string_view key, std::string_view what) {
  simdjson::dom::element element;
  if (component.fields().at_key(key).get(element) != simdjson::SUCCESS) {
    return MalformedError(component.PathOf(key) + ": missing, expected " + std::string(what));
  }
  T value;
  if (element.get(value) != simdjson::SUCCESS) {
    return MalformedError(component.PathOf(key) + ": expected " + std::string(what));
  }
  return value;
}

}  // namespace

Result<Component> Component::Of(simdjson::dom::element element, std::string path) {
  simdjson::dom::object fields;
  if (element.get(fields) != simdjson::SUCCESS) {
    return MalformedError(path + ": expected an object");
  }
  return Component(fields, std::move(path));
}

Status Component::AllowOnly(std::initializer_list<std::string_view> keys) const {
  std::vector<std::string_view> seen;
  for (simdjson::dom::key_value_pair field : fields_) {
    if (std::find(keys.begin(), keys.end(), field.key) == keys.end()) {
      return UnsupportedError(PathOf(field.key) + ": this option is not implemented");
    }
    if (std::find(seen.begin(), seen.end(), field.key) != seen.end()) {
      return MalformedError(PathOf(field.key) + ": given twice");
    }
    seen.push_back(field.key);
  }
  return OkStatus();
}

bool Component::Has(std::string_view key) const {
  simdjson::dom::element element;
  return fields_.at_key(key).get(element) == simdjson::SUCCESS && !element.is_null();
}

Result<Component> Component::Object(std::string_view key) const {
  AKIDB_ASSIGN_OR_RETURN(auto object, Field<simdjson::dom::object>(*this, key, "an object"));
  return Component(object, PathOf(key));
}

Result<simdjson::dom::array> Component::Array(std::string_view key) const {
  return Field<simdjson::dom::array>(*this, key, "an array");
}

Result<std::string_view> Component::String(std::string_view key) const {
  return Field<std::string_view>(*this, key, "a string");
}

Result<bool> Component::Bool(std::string_view key) const {
  return Field<bool>(*this, key, "a boolean");
}

Result<int32_t> Component::Natural(std::string_view key) const {
  AKIDB_ASSIGN_OR_RETURN(auto element,
                         Field<simdjson::dom::element>(*this, key, "an integer of 0..2^31-1"));
  return NaturalOf(element, PathOf(key));
}

Result<std::optional<bool>> Component::OptionalBool(std::string_view key) const {
  if (!Has(key)) return std::optional<bool>();
  AKIDB_ASSIGN_OR_RETURN(bool value, Bool(key));
  return std::optional<bool>(value);
}

Result<int32_t> NaturalOf(simdjson::dom::element element, const std::string& path) {
  uint64_t value = 0;
  if (element.get(value) != simdjson::SUCCESS ||
      value > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
    return MalformedError(path + ": expected an integer of 0..2^31-1");
  }
  return static_cast<int32_t>(value);
}

}  // namespace akidb::embedding
