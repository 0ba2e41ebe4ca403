// akidb models convert: a publisher's folder into one that is served. The work is a script's.
#include <cstdio>
#include <memory>

#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/model_installer.h"
#include "cli/models_place.h"
#include "embedding/manifest.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "models convert";

constexpr char kFooter[] =
    "The whole way:\n"
    "1. Get the publisher's repository, with git and git-lfs or as its site tells: config.json, "
    "model.safetensors or\n   its shards and their index, tokenizer.json, "
    "config_sentence_transformers.json, modules.json, 1_Pooling/, README.md.\n"
    "2. Put some hundred texts of your own, a line each, of the kind that will be stored, into one "
    "file for --calibration\n   and others into one for --check.\n"
    "3. akidb models convert DIR --precision fp32,fp8 --calibration A --check B --offered 256,512\n"
    "   The first precision runs wherever no other can; the others are variants: bf16, fp16 for "
    "GPUs, fp8 for TensorRT on\n   compute capability 8.9 and later, int8 for TensorRT, int8w for "
    "the processor, int4w\n   (least memory) for it and CUDA.\n"
    "4. Judge it: each precision's vectors are compared with float32's: the least cosine of a "
    "text, "
    "and nDCG@10 with\n   float32's order as what is right. Below 0.98 and 0.95 (8 bits; 4 bits: "
    "0.95 and 0.9), "
    "0.999 and 0.99 (16 bits) nothing is written.\n   What was found is in conversion.json. On the "
    "GPU: "
    "akidb "
    "selftest --model ID compares what each provider computes.\n"
    "Needs bash and Python 3.11 with venv and pip; it fetches 250 MB of packages. "
    "docs/models/qwen3.md tells memory and more.";

struct ConvertArguments {
  Conversion conversion;
  ModelsPlace place;
  std::string id;
};

void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// That of the folder, as its publisher spells it in small letters.
std::string IdOf(std::string folder) {
  while (folder.ends_with('/')) folder.pop_back();
  return embedding::FoldName(folder.substr(folder.rfind('/') + 1));
}

Status Convert(ConvertArguments& arguments) {
  Conversion& conversion = arguments.conversion;
  if (arguments.id.empty()) arguments.id = IdOf(conversion.folder);
  if (arguments.id.empty() || arguments.id.find('/') != std::string::npos) {
    return InvalidArgumentError("--id: `" + arguments.id + "` is no name of a model");
  }
  conversion.options.push_back("--id=" + arguments.id);
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const std::string models_dir = FolderOf(*fs, arguments.place);
  conversion.target = env::JoinPath(models_dir, arguments.id);
  AKIDB_RETURN_IF_ERROR(ConvertFolder(*fs, conversion, Say));
  AKIDB_ASSIGN_OR_RETURN(
      std::string json,
      env::ReadWholeFile(*fs, env::JoinPath(conversion.target, "manifest.json"), size_t{1} << 20));
  return embedding::ParseManifest(json).status();
}

int RunConvert(ConvertArguments& arguments) {
  InterruptGuard guard;
  const Status converted = Convert(arguments);
  if (converted.ok()) return kExitOk;
  const int code = Fail(kName, converted);
  if (Interrupted()) return kExitInterrupted;
  return code == kExitUnreachable ? kExitFailed : code;
}

// Of the script, which checks them.
CLI::Option* AddScriptOption(CLI::App& command, ConvertArguments& arguments,
                             const std::string& flag, const std::string& what) {
  return command.add_option_function<std::string>(
      flag,
      [&arguments, flag](const std::string& value) {
        arguments.conversion.options.push_back(flag + "=" + value);
      },
      what);
}

void AddScriptOptions(CLI::App& command, ConvertArguments& arguments) {
  const auto add = [&](const char* flag, const char* type, const char* what) {
    AddScriptOption(command, arguments, flag, what)->type_name(type);
  };
  add("--precision", "LIST", "of fp32, fp16, bf16, int8, fp8, int8w, int4w; default: fp32");
  add("--calibration", "FILE", "texts, a line each: scales of int8 and fp8");
  add("--percentile", "NUMBER", "of a text's activations, what is still represented; default: 100");
  add("--check", "FILE", "other texts, a line each, to judge by");
  add("--min-cosine", "NUMBER", "instead of each precision's own");
  add("--min-ndcg", "NUMBER", "likewise");
  add("--max-tokens", "COUNT", "the window; default: 2048");
  add("--offered", "DIMS", "shorter lengths that the model was trained for");
  add("--licence", "SPDX", "default: README.md's");
  add("--layout", "MODE", "what the graph gives: pooled (default) or hidden");
  command.add_flag_callback(
      "--no-run", [&arguments] { arguments.conversion.options.emplace_back("--no-run"); },
      "write graphs without running them");
}

}  // namespace

void AddConvertCommand(CLI::App& models, RunSlot& run) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* command = models.add_subcommand(
      "convert", "make a model of a published Qwen3-Embedding or gte-Qwen2 folder");
  command->footer(kFooter);
  command->add_option("DIR", arguments->conversion.folder, "the published folder")
      ->required()
      ->type_name("DIR");
  command->add_option("--id", arguments->id, "its name; default: the folder's")->type_name("ID");
  AddScriptOptions(*command, *arguments);
  command
      ->add_option("--tools-dir", arguments->conversion.tools_dir,
                   "keeps the Python packages; default: fetched each time")
      ->type_name("DIR");
  AddModelsPlaceOptions(*command, arguments->place);
  command->callback([&run, arguments] { run = [arguments] { return RunConvert(*arguments); }; });
}

}  // namespace akidb::cli
