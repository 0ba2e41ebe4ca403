// The settings of the server, each resolved from where it was given: flag, then AKIDB_… variable,
// then the file, then the default.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace akidb::server {

enum class SettingKind : unsigned char { kText, kNumber, kBool };

// What one setting is. Its flag is --name with '-' for '_'.
struct SettingRule {
  std::string_view name;      // key in the file
  std::string_view variable;  // in the environment
  SettingKind kind = SettingKind::kText;
  std::string_view fallback;  // the default, as text
  uint64_t min = 0;           // of numbers
  uint64_t max = UINT64_MAX;
  bool secret = false;            // never printed
  std::string_view choices = {};  // "a|b", of texts; empty: any text
  std::string_view help;
};

std::span<const SettingRule> SettingRules();
std::string FlagName(const SettingRule& rule);  // "--http-port"

// A value of the file and the line that it stands in.
struct FileValue {
  std::string text;
  SettingKind kind = SettingKind::kText;
  uint32_t line = 0;
};
using FileValues = std::map<std::string, FileValue>;

// Parses TOML (settings_toml.cc). kInvalidArgument with "path:line: …": broken syntax, tables, or
// values that are neither strings, integers nor booleans.
Result<FileValues> ParseSettingsFile(std::string_view toml, const std::string& path);

struct ResolvedSetting {
  const SettingRule* rule = nullptr;
  std::string value;
  std::string origin;  // "flag --http-port", "variable AKIDB_HTTP_PORT", "file a.toml:3", "default"
};

// Where values may come from.
struct SettingSources {
  std::map<std::string, std::string> flags;  // by setting name
  std::function<std::optional<std::string>(std::string_view variable)> environment;
  FileValues file;
  std::string file_path;
};

class Settings {
 public:
  // kInvalidArgument names the setting, where its value came from, and what would be right. Unknown
  // names in the file are refused.
  static Result<Settings> Resolve(const SettingSources& sources);

  // By name; the name must be one of SettingRules().
  const std::string& Text(std::string_view name) const;
  uint64_t Number(std::string_view name) const;
  bool Flag(std::string_view name) const;
  // Whether it is other than the default, which nobody has asked for.
  bool IsGiven(std::string_view name) const;

  const std::vector<ResolvedSetting>& all() const { return settings_; }

 private:
  const ResolvedSetting& Find(std::string_view name) const;

  std::vector<ResolvedSetting> settings_;  // in the order of SettingRules()
};

}  // namespace akidb::server
