// One JSON object of a tokenizer.json, with its path for messages: typed fields, nothing unread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/status.h"

namespace akidb::embedding {

// Borrows from the parsed document. Errors: kMalformed for what is missing or of a wrong type,
// kUnsupported for fields that nobody here knows.
class Component {
 public:
  static Result<Component> Of(simdjson::dom::element element, std::string path);

  const std::string& path() const { return path_; }
  simdjson::dom::object fields() const { return fields_; }
  std::string PathOf(std::string_view key) const { return path_ + "." + std::string(key); }

  // kUnsupported names the first field that isn't one of `keys`: an option that isn't implemented
  // would change ids in silence. kMalformed if a field occurs twice.
  Status AllowOnly(std::initializer_list<std::string_view> keys) const;

  bool Has(std::string_view key) const;  // present and not null
  Result<Component> Object(std::string_view key) const;
  Result<simdjson::dom::array> Array(std::string_view key) const;
  Result<std::string_view> String(std::string_view key) const;
  Result<bool> Bool(std::string_view key) const;
  // Ids and counts: an integer of 0..2^31-1.
  Result<int32_t> Natural(std::string_view key) const;
  // null and absent are nullopt.
  Result<std::optional<bool>> OptionalBool(std::string_view key) const;

 private:
  Component(simdjson::dom::object fields, std::string path)
      : fields_(fields), path_(std::move(path)) {}

  simdjson::dom::object fields_;
  std::string path_;
};

Result<int32_t> NaturalOf(simdjson::dom::element element, const std::string& path);

}  // namespace akidb::embedding
