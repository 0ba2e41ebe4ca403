#include "engine/collection_checks.h"

#include <algorithm>

#include "engine/vector_schema.h"

namespace akidb::engine {
namespace {

constexpr size_t kNameBytesMax = 255;

}  // namespace

Status CheckCollectionName(const std::string& name, std::string_view field) {
  const std::string at = "[" + std::string(field) + ": ";
  if (name.empty() || name.size() > kNameBytesMax) {
    return ValidationError(at + "must have 1 to 255 bytes, has " + std::to_string(name.size()) +
                           "]");
  }
  static constexpr std::string_view kForbidden("<>:\"/\\|?*");
  if (name.find_first_of(kForbidden) != std::string::npos) {
    return ValidationError(at + "`" + name +
                           "` holds a character that names can't have: one of <>:\"/\\|?*]");
  }
  // A name is printed in logs and on terminals.
  auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(name.begin(), name.end(), is_control)) {
    return ValidationError(at + "holds a control character]");
  }
  return OkStatus();
}

Result<PayloadPath> ParsePath(std::string_view text, std::string_view field) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  if (path.ok()) return path;
  return ValidationError("[" + std::string(field) + ": " + std::string(path.status().message()) +
                         "]");
}

Status CheckVectorConfigs(const CollectionConfig& config) {
  if (config.vectors.size() > kNamedVectorsMax) {
    return ValidationError("[vectors: at most " + std::to_string(kNamedVectorsMax) +
                           " named vectors, got " + std::to_string(config.vectors.size()) + "]");
  }
  for (const auto& [name, vector] : config.vectors) {
    if (vector.dim == 0 || vector.dim > kDimMax) {
      return ValidationError("[vectors.size: must be from 1 to " + std::to_string(kDimMax) +
                             ", got " + std::to_string(vector.dim) + "]");
    }
  }
  return OkStatus();
}

}  // namespace akidb::engine
