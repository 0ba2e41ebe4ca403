// akidb selftest: what this machine is, and how the installed models do on it.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "base/log.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/models_place.h"
#include "cli/progress.h"
#include "cli/selftest/gate.h"
#include "cli/selftest/installed.h"
#include "cli/selftest/model_run.h"
#include "cli/selftest/provider_run.h"
#include "cli/selftest/report.h"
#include "embedding/install_paths.h"
#include "embedding/onnx_runtime.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "selftest";
constexpr char kStandardOutput[] = "-";
constexpr uint64_t kGateBytesMax = uint64_t{1} << 20;
constexpr uint32_t kQuickRounds = 3;

struct SelftestArguments {
  std::vector<std::string> models;
  ModelsPlace place;
  std::string json;
  std::string gate;
  uint64_t memory_budget = 0;
  bool quick = false;
  bool quiet = false;
};

// Cancels a request when the user asks to stop: signals reach no condition.
class CancelOnInterrupt {
 public:
  explicit CancelOnInterrupt(RequestContext& context)
      : context_(context), watcher_([this] { Watch(); }) {}
  ~CancelOnInterrupt() {
    done_.store(true);
    watcher_.join();
  }
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;

 private:
  void Watch() {
    constexpr std::chrono::milliseconds kLook{50};
    while (!done_.load()) {
      if (PauseUnlessInterrupted(kLook)) continue;
      return context_.Cancel();
    }
  }

  RequestContext& context_;
  std::atomic<bool> done_{false};
  std::thread watcher_;  // last: it uses the others
};

Result<std::optional<Gate>> GateOf(const SelftestArguments& arguments, env::FileSystem& fs) {
  if (arguments.gate.empty()) {
    if (arguments.memory_budget == 0) return std::optional<Gate>();
    return InvalidArgumentError("--memory-budget is judged by a gate: give --gate, too");
  }
  std::optional<Gate> gate = BuiltInGate(arguments.gate);
  if (!gate) {
    const Result<std::string> json = env::ReadWholeFile(fs, arguments.gate, kGateBytesMax);
    if (!json.ok()) {
      return InvalidArgumentError("--gate takes orin, thor or a file; " +
                                  std::string(json.status().message()));
    }
    Result<Gate> read = ParseGate(*json);
    if (!read.ok()) return read.status().WithContext(arguments.gate);
    gate = std::move(read).value();
    gate->name = arguments.gate;
  }
  if (gate->needs_memory_budget && arguments.memory_budget == 0) {
    return InvalidArgumentError("--gate " + gate->name + " needs --memory-budget");
  }
  if (arguments.memory_budget > 0) {
    for (auto& [model, limits] : gate->models) {
      limits.memory_bytes_max = static_cast<double>(arguments.memory_budget);
    }
  }
  return gate;
}

RuntimeFacts LookAtRuntime(env::FileSystem& fs) {
  RuntimeFacts facts;
  const Result<std::shared_ptr<embedding::OnnxRuntime>> runtime =
      embedding::LoadOnnxRuntime(embedding::LibraryCandidates(fs, ""));
  if (!runtime.ok()) {
    facts.problem = runtime.status().message();
    return facts;
  }
  facts.library = (*runtime)->library_path();
  facts.version = (*runtime)->version();
  Result<std::vector<std::string>> providers = (*runtime)->BuiltInProviders();
  if (providers.ok()) facts.providers = std::move(providers).value();
  return facts;
}

class Selftest {
 public:
  Selftest(const SelftestArguments& arguments, env::FileSystem& fs)
      : arguments_(arguments),
        fs_(fs),
        log_(MakeNullLogger()),
        run_(arguments.quick ? QuickRun() : ModelRunOptions()) {
    report_.quick = arguments.quick;
    report_.models_dir = FolderOf(fs, arguments.place);
  }

  // The exit code.
  int Run() {
    Result<std::optional<Gate>> gate = GateOf(arguments_, fs_);
    if (!gate.ok()) {
      Fail(kName, gate.status());
      return kExitUsage;
    }
    const embedding::DescribedModels described = embedding::ReadManifests(fs_, report_.models_dir);
    const Result<std::vector<embedding::Manifest>> chosen =
        ChooseModels(described, *MakeEmbedder(), arguments_.models);
    if (!chosen.ok()) return Fail(kName, chosen.status());
    MeasureAll(*chosen);
    if (arguments_.models.empty()) AddRefused(described);
    return Finish(*gate);
  }

 private:
  // What is measured is the preferred provider, so its engines are waited for.
  std::unique_ptr<embedding::Embedder> MakeEmbedder(
      std::optional<embedding::Provider> alone = std::nullopt) {
    embedding::EmbedderOptions options;
    options.models_dir = report_.models_dir;
    options.wait_for_engines = true;
    if (alone) options.providers = {*alone};
    return embedding::MakeEmbedder(std::move(options), fs_, *log_);
  }

  bool json_alone() const { return arguments_.json == kStandardOutput; }

  void Print(const std::string& text) const {
    std::fputs(text.c_str(), json_alone() ? stderr : stdout);
    std::fflush(json_alone() ? stderr : stdout);
  }

  void MeasureAll(const std::vector<embedding::Manifest>& manifests) {
    InterruptGuard guard;
    RequestContext context;
    const CancelOnInterrupt watch(context);
    LookAround(context);
    for (const embedding::Manifest& manifest : manifests) {
      if (!context.Check().ok()) break;
      MeasureOne(context, manifest);
    }
    report_.interrupted = !context.Check().ok();
  }

  void LookAround(const RequestContext& context) {
    report_.machine = LookAtMachine(fs_);
    report_.runtime = LookAtRuntime(fs_);
    ReadBandwidthOptions options;
    options.threads = report_.machine.processor.physical;
    options.bytes = BandwidthBufferBytes(report_.machine.processor.largest_cache_bytes,
                                         report_.machine.available_bytes);
    if (arguments_.quick) options.rounds = kQuickRounds;
    Result<ReadBandwidth> measured = MeasureReadBandwidth(context, options);
    if (measured.ok()) report_.bandwidth = *measured;
    Print(MachineText(report_));
  }

  // An embedder of its own: no other model's memory is counted.
  void MeasureOne(const RequestContext& context, const embedding::Manifest& manifest) {
    ModelFigures& figures = report_.models.emplace_back();
    {
      const std::unique_ptr<embedding::Embedder> embedder = MakeEmbedder();
      const auto start = std::chrono::steady_clock::now();
      Progress progress("measurements of " + manifest.id, arguments_.quiet, start);
      ProgressCount count{0, StepsOf(run_), true};
      const auto show = [&] { progress.Show(count, std::chrono::steady_clock::now()); };
      show();
      ModelRun run(*embedder, fs_, run_, [&] {
        ++count.done;
        show();
      });
      const Status measured = run.Measure(context, manifest, figures);
      if (!measured.ok()) figures.problem = measured.message();
    }
    if (figures.problem.empty()) {
      figures.providers =
          CompareProviders(context, manifest, figures.found,
                           [this](embedding::Provider provider) { return MakeEmbedder(provider); });
    }
    Print(ModelText(figures, report_));
  }

  void AddRefused(const embedding::DescribedModels& described) {
    for (const embedding::RefusedManifest& refused : described.refused) {
      ModelFigures& figures = report_.models.emplace_back();
      figures.id = refused.path;
      figures.problem = refused.reason;
      Print(ModelText(figures, report_));
    }
  }

  int Finish(const std::optional<Gate>& gate) {
    std::optional<Verdict> verdict;
    if (gate && !report_.interrupted) {
      verdict = Judge(*gate, report_);
      Print(VerdictText(*verdict));
    }
    if (Status written = WriteJson(verdict ? &*verdict : nullptr); !written.ok()) {
      return Fail(kName, written);
    }
    if (report_.interrupted) {
      return Fail(kName, CancelledError("stopped; what was measured before is above"));
    }
    if (report_.models.empty()) {
      return Fail(kName, NotFoundError("no model is installed in " + report_.models_dir +
                                       "; `akidb models pull` gets one"));
    }
    size_t failed = 0;
    for (const ModelFigures& model : report_.models) failed += model.problem.empty() ? 0 : 1;
    if (failed > 0) {
      return Fail(kName,
                  InternalError(std::to_string(failed) + " of " +
                                std::to_string(report_.models.size()) + " models can't be used"));
    }
    if (verdict && !verdict->passed()) {
      return Fail(kName, InternalError("the gate " + verdict->gate + " is not passed"));
    }
    return kExitOk;
  }

  Status WriteJson(const Verdict* verdict) const {
    if (arguments_.json.empty()) return OkStatus();
    const std::string text = ReportJson(report_, verdict) + "\n";
    if (json_alone()) {
      std::fputs(text.c_str(), stdout);
      return OkStatus();
    }
    return env::WriteFileAtomically(fs_, arguments_.json,
                                    std::as_bytes(std::span(text.data(), text.size())));
  }

  const SelftestArguments& arguments_;
  env::FileSystem& fs_;
  const std::unique_ptr<Logger> log_;
  const ModelRunOptions run_;
  SelftestReport report_;
};

int RunSelftest(const SelftestArguments& arguments) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  return Selftest(arguments, *fs).Run();
}

}  // namespace

void AddSelftestCommand(CLI::App& app, RunSlot& run) {
  auto arguments = std::make_shared<SelftestArguments>();
  CLI::App* command = app.add_subcommand(
      kName, "tell what this machine is, and prove and measure the installed models on it");
  command
      ->add_option("--model", arguments->models,
                   "ids of models to measure; default: all that are installed")
      ->type_name("MODEL");
  AddModelsPlaceOptions(*command, arguments->place);
  command->add_flag("--quick", arguments->quick, "seconds instead of minutes, rougher figures");
  command->add_option("--json", arguments->json, "write the report; - for standard output")
      ->type_name("FILE");
  command
      ->add_option("--gate", arguments->gate,
                   "judge the figures: orin, thor, or a file with thresholds")
      ->type_name("FILE");
  command
      ->add_option("--memory-budget", arguments->memory_budget,
                   "for the gate: the most memory a model may take, such as 8GiB or 500MB")
      ->transform(CLI::AsSizeValue(true))
      ->option_text("BYTES");
  command->add_flag("--quiet", arguments->quiet, "no progress");
  command->footer(
      "Exit code 0: every model works, and the gate, if any, is passed; 1: not so; 130: stopped. "
      "docs/ops/selftest.md describes report and gates.");
  command->callback([&run, arguments] { run = [arguments] { return RunSelftest(*arguments); }; });
}

}  // namespace akidb::cli
