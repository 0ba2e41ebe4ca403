#include <cstdio>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "cli/command_list.h"
#include "cli/documents/document_walker.h"
#include "cli/exit_code.h"
#include "cli/ingest.h"
#include "cli/interrupt.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "ingest";

struct IngestArguments {
  std::vector<std::string> paths;
  std::string collection;
  std::string model;
  Place place;
  bool hybrid = false;
  bool prune = false;
  bool quiet = false;
};

std::string Counted(uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", count, singular, count == 1 ? "" : "s");
}

void PrintSummary(const IngestArguments& arguments, const IngestReport& report, double seconds) {
  std::string line = fmt::format("{}: {}", arguments.collection, Counted(report.files, "file"));
  if (report.unchanged > 0) line += fmt::format(" ({} unchanged)", report.unchanged);
  line += fmt::format(", {} stored", Counted(report.passages, "passage"));
  if (report.deleted > 0) line += fmt::format(", {} deleted", report.deleted);
  if (report.failed > 0) line += fmt::format(", {} skipped", Counted(report.failed, "file"));
  line += fmt::format(", {:.1f} s", seconds);
  if (report.passages > 0) {
    line += fmt::format(" ({:.1f} passages/s)", static_cast<double>(report.passages) / seconds);
  }
  std::printf("%s\n", line.c_str());
}

// The collection, made when missing. Whether passages get a vector of their words is settled then.
Result<CollectionFacts> EnsureCollection(Backend& backend, const std::string& name,
                                         const NewCollection& wanted) {
  AKIDB_ASSIGN_OR_RETURN(std::optional<CollectionFacts> found, backend.FindCollection(name));
  if (!found) {
    const Status created = backend.CreateCollection(name, wanted);
    if (created.ok()) return CollectionFacts{wanted.words};
    if (created.code() != ErrorCode::kAlreadyExists) return created;
    // Somebody else was faster.
    AKIDB_ASSIGN_OR_RETURN(found, backend.FindCollection(name));
  }
  const CollectionFacts facts = found.value_or(CollectionFacts());
  if (wanted.words && !facts.has_words) {
    return InvalidArgumentError("the collection " + name +
                                " was made without --hybrid: it has no vector `" + kWordsVector +
                                "`; ingest into another one");
  }
  return facts;
}

std::vector<std::string> AbsoluteRoots(const std::vector<std::string>& paths) {
  std::vector<std::string> roots;
  for (const std::string& path : paths) {
    Result<std::string> root = AbsolutePath(path);
    if (root.ok()) roots.push_back(std::move(*root));
  }
  return roots;
}

int RunIngest(const IngestArguments& arguments) {
  InterruptGuard guard;
  const auto start = std::chrono::steady_clock::now();
  Result<std::vector<FoundFile>> files = FindDocuments(arguments.paths);
  if (!files.ok()) return Fail(kName, files.status());
  Place place = arguments.place;
  place.create_folder = true;
  Result<std::unique_ptr<Backend>> backend = OpenBackend(place);
  if (!backend.ok()) return Fail(kName, backend.status());
  Result<ModelFacts> model = (*backend)->FindModel(arguments.model);
  if (!model.ok()) return Fail(kName, model.status());
  Result<CollectionFacts> collection =
      EnsureCollection(**backend, arguments.collection, {model->dims, arguments.hybrid});
  if (!collection.ok()) return Fail(kName, collection.status());

  IngestOptions options;
  options.collection = arguments.collection;
  options.vectors = {model->id, collection->has_words};
  if (model->max_tokens > 0) options.window_tokens = model->max_tokens;
  options.prune = arguments.prune;
  options.roots = AbsoluteRoots(arguments.paths);
  IngestReport report;
  Status ingested;
  {
    Progress progress("passages", arguments.quiet, std::chrono::steady_clock::now());
    std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
    ingested = Ingest({**backend, *fs, *files, options, progress}, report);
  }
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  PrintSummary(arguments, report, seconds.count());
  if (!ingested.ok()) return Fail(kName, ingested);
  return report.failed > 0 ? kExitFailed : kExitOk;
}

}  // namespace

void AddIngestCommand(CLI::App& app, RunSlot& run) {
  auto arguments = std::make_shared<IngestArguments>();
  CLI::App* command =
      app.add_subcommand(kName, "load text, Markdown, HTML, JSON Lines and PDF into a collection");
  command->add_option("PATH", arguments->paths, "files, or folders of them")
      ->required()
      ->type_name("");
  command->add_option("--collection", arguments->collection, "made when missing")
      ->required()
      ->type_name("NAME");
  command->add_option("--model", arguments->model, "embedding model; default: the server's")
      ->type_name("MODEL");
  AddPlaceOptions(*command, arguments->place);
  command->add_flag("--prune", arguments->prune,
                    "also delete the passages of files that are gone below PATH");
  command->add_flag(
      "--hybrid", arguments->hybrid,
      "make the collection for search --hybrid: passages are found by their words, too");
  command->add_flag("--quiet", arguments->quiet, "no progress");
  command->callback([&run, arguments] { run = [arguments] { return RunIngest(*arguments); }; });
}

}  // namespace akidb::cli
