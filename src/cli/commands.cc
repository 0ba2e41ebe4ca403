#include "cli/commands.h"

#include "cli/command_list.h"

namespace akidb::cli {

void AddCommands(CLI::App& app, std::function<int()>& run, const FilterReader& read_filter) {
  AddIngestCommand(app, run);
  AddSearchCommand(app, run);
  AddEmbedCommand(app, run);
  AddModelsCommand(app, run);
  AddBenchCommand(app, run, read_filter);
  AddInspectCommand(app, run);
  AddRepairCommand(app, run);
  AddSelftestCommand(app, run);
  AddSnapshotCommand(app, run);
  AddCompletionCommand(app, run);
  AddSessionWorkerCommand(app, run);
}

void AddServerOptions(CLI::App& command, Place& place) {
  command
      .add_option("--url", place.url,
                  "server to talk to; default: $AKIDB_URL, else http://127.0.0.1:6333")
      ->type_name("URL");
  command
      .add_option("--api-key", place.credentials.api_key,
                  "key for the server; default: $AKIDB_API_KEY")
      ->type_name("KEY");
  HttpCredentials& tls = place.credentials;
  command
      .add_option("--tls-ca", tls.authorities,
                  "PEM file of the authority that the server's certificate is of; default: the "
                  "system's")
      ->type_name("FILE");
  command.add_option("--tls-cert", tls.certificate, "PEM file of the certificate to show")
      ->type_name("FILE");
  command.add_option("--tls-key", tls.private_key, "PEM file of its private key")
      ->type_name("FILE");
}

void AddPlaceOptions(CLI::App& command, Place& place) {
  AddServerOptions(command, place);
  CLI::Option* data_dir = command.add_option("--data-dir", place.data_dir,
                                             "open this data folder here, without a server");
  data_dir->type_name("DIR");
  data_dir->excludes(command.get_option("--url"))->excludes(command.get_option("--api-key"));
}

}  // namespace akidb::cli
