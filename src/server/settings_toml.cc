// The library throws on broken syntax; the exception ends here.
#include <sstream>

#include <toml++/toml.h>

#include "server/settings.h"

namespace akidb::server {
namespace {

Status At(const std::string& path, uint32_t line, const std::string& message) {
  return InvalidArgumentError(path + ":" + std::to_string(line) + ": " + message);
}

}  // namespace

Result<FileValues> ParseSettingsFile(std::string_view text, const std::string& path) {
  FileValues values;
  try {
    toml::table table = toml::parse(text);
    for (const auto& [key, node] : table) {
      std::string name(key.str());
      uint32_t line = node.source().begin.line;
      if (const auto* string = node.as_string()) {
        values[name] = {string->get(), SettingKind::kText, line};
      } else if (const auto* number = node.as_integer()) {
        values[name] = {std::to_string(number->get()), SettingKind::kNumber, line};
      } else if (const auto* flag = node.as_boolean()) {
        values[name] = {flag->get() ? "true" : "false", SettingKind::kBool, line};
      } else {
        return At(path, line,
                  name +
                      " must be a string, an integer or a boolean; settings stand at the top "
                      "level of the file");
      }
    }
  } catch (const toml::parse_error& error) {
    return At(path, error.source().begin.line, std::string(error.description()));
  }
  return values;
}

}  // namespace akidb::server
