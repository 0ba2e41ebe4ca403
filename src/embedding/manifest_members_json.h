// What readers of manifests share: the members of one JSON object, each asked for once, and errors
// that name the field.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

#include "base/status.h"
#include "embedding/manifest.h"

namespace akidb::embedding {

inline constexpr uint64_t kModelBytesMax = uint64_t{1} << 40;
inline constexpr uint32_t kDimsMax = 65'536;
inline constexpr uint32_t kTokensMax = 1u << 20;

inline Status WrongField(const std::string& field, std::string_view what) {
  return ValidationError("manifest field `" + field + "` " + std::string(what));
}

// The members of one object: each is asked for once, and Finish refuses those never asked for.
class Members {
 public:
  Members(std::string path, simdjson::dom::object object) : path_(std::move(path)) {
    for (auto [key, value] : object) {
      if (!members_.emplace(std::string(key), value).second) repeated_ = std::string(key);
    }
  }

  static Result<Members> Of(const std::string& path, simdjson::dom::element value) {
    if (value.type() != simdjson::dom::element_type::OBJECT)
      return WrongField(path, "must be an object");
    return Members(path, simdjson::dom::object(value));
  }

  std::string PathOf(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }

  std::optional<simdjson::dom::element> Find(const std::string& name) {
    auto it = members_.find(name);
    if (it == members_.end()) return std::nullopt;
    seen_.insert(name);
    return it->second;
  }

  Result<simdjson::dom::element> Require(const std::string& name) {
    std::optional<simdjson::dom::element> value = Find(name);
    if (!value) return WrongField(PathOf(name), "is missing");
    return *value;
  }

  Result<std::string> Text(const std::string& name, bool may_be_empty = false) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::element value, Require(name));
    if (value.type() != simdjson::dom::element_type::STRING)
      return WrongField(PathOf(name), "must be a string");
    std::string text{std::string_view(value)};
    if (text.empty() && !may_be_empty) return WrongField(PathOf(name), "must not be empty");
    return text;
  }

  Result<std::string> OptionalText(const std::string& name) {
    return members_.contains(name) ? Text(name, /*may_be_empty=*/true) : std::string();
  }

  Result<uint64_t> Number(const std::string& name, uint64_t most) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::element value, Require(name));
    return ReadNumber(PathOf(name), value, most);
  }

  static Result<uint64_t> ReadNumber(const std::string& path, simdjson::dom::element value,
                                     uint64_t most) {
    uint64_t number = 0;
    if (value.get_uint64().get(number) != simdjson::SUCCESS || number == 0 || number > most) {
      return WrongField(path, "must be an integer from 1 to " + std::to_string(most));
    }
    return number;
  }

  Result<simdjson::dom::array> Array(const std::string& name) {
    AKIDB_ASSIGN_OR_RETURN(simdjson::dom::element value, Require(name));
    if (value.type() != simdjson::dom::element_type::ARRAY)
      return WrongField(PathOf(name), "must be an array");
    return simdjson::dom::array(value);
  }

  Status Finish() const {
    if (!repeated_.empty()) return WrongField(PathOf(repeated_), "is given twice");
    for (const auto& [name, value] : members_) {
      if (!seen_.contains(name)) return WrongField(PathOf(name), "is not known");
    }
    return OkStatus();
  }

 private:
  std::string path_;
  std::map<std::string, simdjson::dom::element> members_;
  std::set<std::string> seen_;
  std::string repeated_;
};

// path, sha256, bytes and source.
Result<ModelFile> ReadFile(Members& members);
// A graph's file and what it takes and gives.
Result<Graph> ReadGraph(const std::string& path, simdjson::dom::element value);
// Of `variants`; none where there are none.
Status ReadVariants(Members& members, Manifest& manifest);
Status ReadEngineProfile(Members& members, Manifest& manifest);
// Of `image`, where it is given.
Status ReadImage(Members& members, Manifest& manifest);

}  // namespace akidb::embedding
