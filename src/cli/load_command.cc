// akidb models load, unload: of a server that runs.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/http_reply.h"

namespace akidb::cli {
namespace {

struct LoadArguments {
  std::vector<std::string> models;
  Place place;
};

// What is asked for, and what is said when it is done.
struct Change {
  const char* verb;  // the last part of the path
  const char* done;
};

Status Ask(HttpClient& client, const std::string& model, const Change& change) {
  const std::string path = "/akidb/models/" + HttpClient::Escape(model) + "/" + change.verb;
  AKIDB_ASSIGN_OR_RETURN(HttpReply reply, client.Send("POST", path, ""));
  AKIDB_RETURN_IF_ERROR(BodyOf(std::move(reply)).status());
  std::printf("%s: %s\n", model.c_str(), change.done);
  std::fflush(stdout);
  return OkStatus();
}

int Run(const LoadArguments& arguments, const Change& change) {
  const std::string name = std::string("models ") + change.verb;
  const Place place = ChosenPlace(arguments.place);
  if (place.url.empty()) {
    return Fail(name, InvalidArgumentError("models are loaded by a server: name it by --url"));
  }
  Result<std::unique_ptr<HttpClient>> client = HttpClient::Create(place.url, place.credentials);
  if (!client.ok()) return Fail(name, client.status());
  for (const std::string& model : arguments.models) {
    if (Status status = Ask(**client, model, change); !status.ok()) {
      return Fail(name, status);
    }
  }
  return kExitOk;
}

void Add(CLI::App& models, RunSlot& run, const Change& change, const char* help) {
  auto arguments = std::make_shared<LoadArguments>();
  CLI::App* command = models.add_subcommand(change.verb, help);
  command->add_option("MODEL", arguments->models, "ids or aliases of models")
      ->type_name("")
      ->required();
  AddServerOptions(*command, arguments->place);
  command->callback(
      [&run, arguments, change] { run = [arguments, change] { return Run(*arguments, change); }; });
}

}  // namespace

void AddLoadCommands(CLI::App& models, RunSlot& run) {
  Add(models, run, {"load", "loaded"},
      "let a running server load models before they are asked for");
  Add(models, run, {"unload", "unloaded"},
      "let a running server unload models; their requests end well");
}

}  // namespace akidb::cli
