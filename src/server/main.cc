// The program `akidb`: parses the command line and runs the chosen command.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>

#include <CLI/CLI.hpp>

#include "api/rest/point_json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "server/build_info.h"
#include "server/info_commands.h"
#include "server/serve_command.h"
#include "server/setting_options.h"

namespace akidb::server {
namespace {

int Fail(std::string_view message) {
  // CLI11's own messages may have several lines; scripts read one.
  std::string line(message);
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  std::fprintf(stderr, "akidb: %s\n", line.c_str());
  return cli::kExitUsage;
}

Result<std::shared_ptr<const Filter>> ReadFilter(std::string_view json) {
  std::string body = "{\"filter\":";
  AKIDB_ASSIGN_OR_RETURN(CountRequest request, rest::DecodeCount(body.append(json).append("}")));
  return request.filter;
}

using SettingsCommand = int (*)(const Settings& settings);

// A subcommand that takes all settings.
void AddSettingsCommand(CLI::App& command, SettingsCommand work, std::function<int()>& run) {
  auto options = std::make_shared<SettingOptions>(command);  // lives in the command's callback
  command.callback([options, work, &run] {
    run = [options, work] {
      Result<Settings> settings = options->Resolve();
      if (!settings.ok()) return Fail(settings.status().message());
      return work(*settings);
    };
  });
}

int Main(int argc, char** argv) {
  CLI::App app("AkiDB: a vector database for one device with the embedding model inside.", "akidb");
  app.require_subcommand(1);
  app.footer("`akidb COMMAND --help` tells more of each command.");
  std::function<int()> run;
  AddSettingsCommand(*app.add_subcommand("serve", "run the server on a data folder"), RunServe,
                     run);
  cli::AddCommands(app, run, ReadFilter);
  AddSettingsCommand(
      *app.add_subcommand("config", "print every setting and where its value comes from"),
      RunConfig, run);
  AddSettingsCommand(*app.add_subcommand("version", "print what this program is"), RunVersion, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return Fail(error.what());
  }
  if (!run) return Fail("no command given; see akidb --help");
  int code = run();
  // What could not be printed, to a full disk for one, must not pass for done.
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && code == cli::kExitOk) {
    std::fprintf(stderr, "akidb: standard output: %s\n", std::strerror(errno));
    return cli::kExitFailed;
  }
  return code;
}

}  // namespace
}  // namespace akidb::server

int main(int argc, char** argv) { return akidb::server::Main(argc, argv); }
