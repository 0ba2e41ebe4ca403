#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include <unistd.h>

#include "base/json_writer.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "engine/folder_repair.h"
#include "service/quota_config_json.h"
#include "service/quota_file.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "repair";

struct RepairArguments {
  std::string path;
  bool yes = false;
  bool json = false;
  bool rebuild_catalog = false;
};

void Print(const std::vector<engine::FolderDamage>& damages) {
  for (const engine::FolderDamage& damage : damages) {
    std::printf(
        "%s: %s\n  %s %s\n", OneLine(damage.part).c_str(), OneLine(damage.what).c_str(),
        damage.mendable ? "to mend it costs" : "can't be mended:", OneLine(damage.lost).c_str());
  }
  std::fflush(stdout);
}

void PrintJson(const std::vector<engine::FolderDamage>& damages, const std::string& kept) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("damages");
  json.BeginArray();
  for (const engine::FolderDamage& damage : damages) {
    json.BeginObject();
    json.Key("part");
    json.String(damage.part);
    json.Key("what");
    json.String(damage.what);
    json.Key(damage.mendable ? "lost" : "not_mendable");
    json.String(damage.lost);
    json.EndObject();
  }
  json.EndArray();
  json.Key("mended");
  json.Bool(!kept.empty());
  if (!kept.empty()) {
    json.Key("kept");
    json.String(kept);
  }
  json.EndObject();
  std::printf("%s\n", out.c_str());
}

// Only a person says yes, or --yes does.
bool Agreed(const RepairArguments& arguments) {
  if (arguments.yes) return true;
  if (arguments.json || ::isatty(STDIN_FILENO) == 0) return false;
  std::printf("Mend it, and lose that? What is taken away is kept in %s/repaired. [y/N] ",
              arguments.path.c_str());
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Result<int> Repair(const RepairArguments& arguments) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const std::unique_ptr<env::Random> random = env::MakeSystemRandom();
  const std::unique_ptr<Logger> log = MakeNullLogger();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<engine::FolderRepair> repair,
                         engine::FolderRepair::Examine(*fs, *random, *log, arguments.path));
  AKIDB_RETURN_IF_ERROR(
      repair->ExamineFile({.name = service::kQuotaFileName,
                           .part = "quotas",
                           .lost = "the quotas: none are set until they are given again",
                           .bytes_max = service::kQuotaFileBytesMax,
                           .check = [](std::string_view text) {
                             return service::QuotaConfigFromJson(text).status();
                           }}));
  const std::vector<engine::FolderDamage>& damages = repair->damages();
  const auto mendable = static_cast<size_t>(
      std::count_if(damages.begin(), damages.end(), [](const auto& one) { return one.mendable; }));
  if (!arguments.json) Print(damages);
  std::string kept;
  const bool mend = mendable > 0 && Agreed(arguments);
  if (mend) {
    AKIDB_ASSIGN_OR_RETURN(kept, repair->Mend());
  }
  std::string catalog;
  if (arguments.rebuild_catalog) {
    AKIDB_ASSIGN_OR_RETURN(catalog, repair->DropCatalog());
  }
  if (arguments.json) {
    PrintJson(damages, kept);
  } else {
    if (damages.empty()) std::puts("nothing is damaged that a start would notice");
    if (mend) std::printf("mended; what was taken away is kept in %s\n", kept.c_str());
    if (!catalog.empty()) {
      std::printf("the next start makes the catalog anew; the old one is kept in %s\n",
                  catalog.c_str());
    }
  }
  const size_t left = damages.size() - (mend ? mendable : 0);
  if (left == 0) return kExitOk;
  std::fprintf(stderr, "akidb repair: %zu damages are left; %s\n", left,
               mend || mendable == 0 ? "none of them can be mended" : "--yes mends what can be");
  return kExitDamage;
}

int RunRepair(const RepairArguments& arguments) {
  const Result<int> code = Repair(arguments);
  return code.ok() ? *code : Fail(kName, code.status());
}

}  // namespace

void AddRepairCommand(CLI::App& app, RunSlot& run) {
  CLI::App* command =
      app.add_subcommand(kName, "tell what is damaged in a data folder, and mend it if you say so");
  auto arguments = std::make_shared<RepairArguments>();
  command->add_option("PATH", arguments->path, "a data folder that no server uses")
      ->required()
      ->type_name("");
  command->add_flag("--yes", arguments->yes, "mend without asking");
  command->add_flag("--rebuild-catalog", arguments->rebuild_catalog,
                    "have the next start make the catalog anew from the system log");
  command->add_flag("--json", arguments->json, "print one JSON object, and ask nothing");
  command->footer(
      "Changes nothing before you agree. What it takes away lies in PATH/repaired. Exit code 4: "
      "damage is left.");
  command->callback([arguments, &run] { run = [arguments] { return RunRepair(*arguments); }; });
}

}  // namespace akidb::cli
