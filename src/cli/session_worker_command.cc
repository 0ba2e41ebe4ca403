#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "embedding/isolated_session.h"
#include "embedding/session_worker.h"
#include "env/worker_process.h"

namespace akidb::cli {

// Not shown to people: a server starts it by itself.
void AddSessionWorkerCommand(CLI::App& app, RunSlot& run) {
  CLI::App* command = app.add_subcommand(embedding::kSessionWorkerCommand,
                                         "run a model for the server that started this");
  command->group("");
  command->callback([&run] {
    run = []() -> int {
      Result<env::MessageSocket> socket = env::EnterWorker();
      if (!socket.ok()) return Fail(embedding::kSessionWorkerCommand, socket.status());
      embedding::ServeSession(*std::move(socket), embedding::OpenFromFiles);
    };
  });
}

}  // namespace akidb::cli
