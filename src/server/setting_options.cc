#include "server/setting_options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "env/file_system.h"

namespace akidb::server {
namespace {

constexpr uint64_t kFileBytesMax = 1u << 20;

std::optional<std::string> Variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

// A misspelt one would be ignored without a word otherwise.
void WarnOfUnknownVariables() {
  static constexpr std::string_view kPrefix = "AKIDB_";
  std::vector<std::string_view> known = {"AKIDB_CONFIG", "AKIDB_URL", "AKIDB_SIMD"};
  for (const SettingRule& rule : SettingRules()) known.push_back(rule.variable);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view variable = *entry;
    variable = variable.substr(0, variable.find('='));
    if (!variable.starts_with(kPrefix)) continue;
    if (std::find(known.begin(), known.end(), variable) != known.end()) continue;
    std::fprintf(stderr,
                 "akidb: warning: %.*s is no setting; `akidb config` prints those that are\n",
                 static_cast<int>(variable.size()), variable.data());
  }
}

std::string HelpOf(const SettingRule& rule) {
  std::string help(rule.help);
  help.append(" [$").append(rule.variable).append("]");
  if (!rule.fallback.empty()) help.append(" (default: ").append(rule.fallback).append(")");
  return help;
}

std::string TypeName(const SettingRule& rule) {
  if (!rule.choices.empty()) return std::string(rule.choices);
  return rule.kind == SettingKind::kNumber ? "N" : "TEXT";
}

}  // namespace

SettingOptions::SettingOptions(CLI::App& command) {
  command.add_option("--config", config_path_, "file of settings, TOML [$AKIDB_CONFIG]")
      ->type_name("FILE");
  for (const SettingRule& rule : SettingRules()) {
    Given& given = given_.emplace_back(Given{.rule = &rule});
    if (rule.kind == SettingKind::kBool) {
      given.option = command.add_flag(FlagName(rule), given.value, HelpOf(rule));
    } else {
      given.option = command.add_option(FlagName(rule), given.value, HelpOf(rule));
      given.option->type_name(TypeName(rule));
    }
    given.option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

Result<Settings> SettingOptions::Resolve() const {
  SettingSources sources;
  for (const Given& given : given_) {
    if (given.option->count() > 0) sources.flags[std::string(given.rule->name)] = given.value;
  }
  WarnOfUnknownVariables();
  sources.environment = Variable;
  sources.file_path = !config_path_.empty() ? config_path_ : Variable("AKIDB_CONFIG").value_or("");
  if (!sources.file_path.empty()) {
    std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
    Result<std::string> text = env::ReadWholeFile(*fs, sources.file_path, kFileBytesMax);
    if (!text.ok()) return InvalidArgumentError(std::string(text.status().message()));
    AKIDB_ASSIGN_OR_RETURN(sources.file, ParseSettingsFile(*text, sources.file_path));
  }
  return Settings::Resolve(sources);
}

}  // namespace akidb::server
