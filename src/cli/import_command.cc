// akidb models import: a manifest for a folder that another program has filled.
#include <cstdio>
#include <memory>

#include <fmt/core.h>

#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "embedding/install_paths.h"
#include "embedding/model_import.h"
#include "embedding/onnx_runtime.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "models import";

struct ImportArguments {
  embedding::ImportRequest request;
  std::string model;
  std::string pooling;
  std::vector<std::string> append_ids;
  double scale = 0;
  double zero_point = 0;
  bool has_scale = false;
  bool replace = false;
  bool print = false;
};

Status TakeAppendedIds(ImportArguments& arguments) {
  if (arguments.append_ids.empty()) return OkStatus();
  auto& ids = arguments.request.append_ids.emplace();
  if (arguments.append_ids == std::vector<std::string>{"none"}) return OkStatus();
  for (const std::string& text : arguments.append_ids) {
    const bool is_id = !text.empty() && text.size() <= 9 &&
                       text.find_first_not_of("0123456789") == std::string::npos;
    if (!is_id) return InvalidArgumentError("--append-ids: `" + text + "` is no id");
    ids.push_back(std::stoi(text));
  }
  return OkStatus();
}

Result<embedding::ImportedModel> Import(env::FileSystem& fs, ImportArguments& arguments) {
  AKIDB_RETURN_IF_ERROR(TakeAppendedIds(arguments));
  if (!arguments.model.empty()) {
    AKIDB_ASSIGN_OR_RETURN(arguments.request.published, embedding::FindPublished(arguments.model));
  }
  if (!arguments.pooling.empty()) {
    arguments.request.pooling = embedding::PoolingOf(arguments.pooling);
  }
  if (arguments.has_scale) {
    arguments.request.dequantization = {static_cast<float>(arguments.scale),
                                        static_cast<float>(arguments.zero_point)};
  }
  AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<embedding::OnnxRuntime> runtime,
                         embedding::LoadOnnxRuntime(embedding::LibraryCandidates(fs, "")));
  return embedding::ImportModel(fs, std::move(runtime), arguments.request);
}

int RunImport(ImportArguments& arguments) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const std::string target = env::JoinPath(arguments.request.folder, "manifest.json");
  Result<bool> exists = fs->Exists(target);
  if (!exists.ok()) return Fail(kName, exists.status());
  if (*exists && !arguments.replace && !arguments.print) {
    return Fail(kName, AlreadyExistsError(target + " is there: --replace writes another"));
  }
  Result<embedding::ImportedModel> imported = Import(*fs, arguments);
  if (!imported.ok()) return Fail(kName, imported.status());
  for (const std::string& note : imported->notes) {
    std::fprintf(stderr, "akidb models import: note: %s\n", note.c_str());
  }
  if (arguments.print) {
    std::printf("%s", imported->json.c_str());
    return kExitOk;
  }
  Status written = env::WriteFileAtomically(*fs, target, std::as_bytes(std::span(imported->json)));
  if (!written.ok()) return Fail(kName, written);
  const embedding::Manifest& manifest = imported->manifest;
  std::printf("%s\n", fmt::format("{}: {} dimensions, at most {} tokens; wrote {}", manifest.id,
                                  manifest.dims, manifest.max_tokens, target)
                          .c_str());
  return kExitOk;
}

void AddGraphOptions(CLI::App& command, ImportArguments& arguments) {
  embedding::ImportRequest& request = arguments.request;
  command.add_option("--graph", request.graph, "the .onnx file, where there are several")
      ->type_name("PATH");
  command.add_option("--output", request.output, "the graph's output, where there are several")
      ->type_name("NAME");
  command.add_option("--pooling", arguments.pooling, "what makes one vector of hidden states")
      ->check(CLI::IsMember({"mean", "cls", "last"}))
      ->type_name("MODE");
  command
      .add_option_function<double>(
          "--scale",
          [&arguments](double scale) {
            arguments.scale = scale;
            arguments.has_scale = true;
          },
          "of an output of bytes: (byte - zero point) * scale")
      ->type_name("NUMBER");
  command.add_option("--zero-point", arguments.zero_point, "likewise")->type_name("NUMBER");
  command
      .add_option("--offered", request.dims_offered,
                  "shorter lengths that the model was trained for")
      ->delimiter(',')
      ->type_name("DIMS");
}

void AddTextOptions(CLI::App& command, ImportArguments& arguments) {
  embedding::ImportRequest& request = arguments.request;
  command.add_option("--max-tokens", request.max_tokens, "the window, special tokens included")
      ->type_name("COUNT");
  command.add_option("--query-prompt", request.query_prompt, "put before queries")
      ->type_name("TEXT");
  command.add_option("--document-prompt", request.document_prompt, "put before documents")
      ->type_name("TEXT");
  command
      .add_option("--append-ids", arguments.append_ids,
                  "ids of tokens put behind every text: the end token; or none")
      ->delimiter(',')
      ->type_name("IDS");
}

}  // namespace

void AddImportCommand(CLI::App& models, RunSlot& run) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command =
      models.add_subcommand("import", "describe a folder with an ONNX file and a tokenizer.json");
  command->add_option("DIR", arguments->request.folder, "the model's folder")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--model", arguments->model,
                   "which model it is, of those that `models describe` names: fills in what files "
                   "leave out, and compares with its publisher's figures")
      ->type_name("NAME");
  command->add_option("--id", arguments->request.id, "its name; default: the folder's")
      ->type_name("ID");
  command->add_option("--revision", arguments->request.revision, "default: of the graph's checksum")
      ->type_name("TEXT");
  command
      ->add_option("--licence", arguments->request.licence, "SPDX expression; default: README.md's")
      ->type_name("SPDX");
  AddGraphOptions(*command, *arguments);
  AddTextOptions(*command, *arguments);
  command->add_flag("--replace", arguments->replace, "write over a manifest that is there");
  command->add_flag("--print", arguments->print, "print the manifest, write nothing");
  command->callback([&run, arguments] { run = [arguments] { return RunImport(*arguments); }; });
}

}  // namespace akidb::cli
