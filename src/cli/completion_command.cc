#include <cstdio>

#include "cli/bash_completion.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"

namespace akidb::cli {

void AddCompletionCommand(CLI::App& app, RunSlot& run) {
  CLI::App* command =
      app.add_subcommand("completion", "print a completion script for the shell to read");
  command->require_subcommand(1);
  CLI::App* bash = command->add_subcommand("bash", "source <(akidb completion bash)");
  // Run when all commands are known.
  bash->callback([&app, &run] {
    run = [&app] {
      std::fputs(BashCompletion(app, "akidb").c_str(), stdout);
      return kExitOk;
    };
  });
}

}  // namespace akidb::cli
