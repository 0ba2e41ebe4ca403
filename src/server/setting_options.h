// The settings as options of a subcommand, and their resolution from all sources.
#pragma once

#include <list>
#include <string>

#include <CLI/CLI.hpp>

#include "base/status.h"
#include "server/settings.h"

namespace akidb::server {

// Lives as long as the subcommand that it adds its options to.
class SettingOptions {
 public:
  // Adds --config and one option for each setting.
  explicit SettingOptions(CLI::App& command);
  SettingOptions(const SettingOptions&) = delete;
  SettingOptions& operator=(const SettingOptions&) = delete;

  // After parsing: flags, then the environment, then the file of --config or AKIDB_CONFIG. Errors
  // are kInvalidArgument, also for a file that can't be read.
  Result<Settings> Resolve() const;

 private:
  struct Given {
    const SettingRule* rule = nullptr;
    CLI::Option* option = nullptr;
    std::string value = {};
  };

  std::list<Given> given_;  // the options point into it
  std::string config_path_;
};

}  // namespace akidb::server
