#include <cstdio>
#include <memory>
#include <string>

#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/inspect/inspect.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "inspect";

struct InspectArguments {
  std::string path;
  bool json = false;
  InspectOptions options;
};

int RunInspect(const InspectArguments& arguments) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const Result<Report> report = Inspect(*fs, arguments.path, arguments.options);
  if (!report.ok()) return Fail(kName, report.status());
  const std::string text = arguments.json ? ReportJson(*report) + "\n" : ReportText(*report);
  std::fputs(text.c_str(), stdout);
  const uint64_t damages = report->damages();
  if (damages == 0) {
    const uint64_t not_reads = report->not_reads();
    if (not_reads == 0) return kExitOk;
    std::fprintf(stderr, "akidb inspect: %llu of its parts were not read\n",
                 static_cast<unsigned long long>(not_reads));
    return kExitFailed;
  }
  std::fprintf(stderr, "akidb inspect: %llu of its parts are damaged\n",
               static_cast<unsigned long long>(damages));
  return kExitDamage;
}

}  // namespace

void AddInspectCommand(CLI::App& app, RunSlot& run) {
  CLI::App* command = app.add_subcommand(
      kName, "print what is in a data folder, a collection's folder, a segment, a log …");
  auto arguments = std::make_shared<InspectArguments>();
  command->add_option("PATH", arguments->path, "a folder or file that AkiDB has written")
      ->required()
      ->type_name("");
  command->add_flag("--verify", arguments->options.verify,
                    "read everything and compare all checksums");
  command->add_flag("--json", arguments->json, "print one JSON object");
  command->footer(
      "Changes nothing. Exit code 4: something is damaged; 1: something could not be read.");
  command->callback([arguments, &run] { run = [arguments] { return RunInspect(*arguments); }; });
}

}  // namespace akidb::cli
