// akidb models tokenize: what a model makes of texts before it is run.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <span>

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/models_place.h"
#include "cli/terminal.h"
#include "embedding/embedder.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "models tokenize";
constexpr char kStandardInput[] = "-";
constexpr size_t kTextsAtOnce = 64;

struct TokenizeArguments {
  std::vector<std::string> texts;
  std::string model;
  ModelsPlace place;
  bool query = false;
  bool no_specials = false;
  bool json = false;
};

void PrintJson(const std::string& text, const embedding::TokenizeResult& result,
               const embedding::TokenizedText& tokens) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  json.Key("text");
  json.String(text);
  json.Key("model");
  json.String(result.model);
  json.Key("count");
  json.Uint(tokens.ids.size());
  json.Key("max_tokens");
  json.Uint(result.max_tokens);
  json.Key("ids");
  json.BeginArray();
  for (int32_t id : tokens.ids) json.Uint(static_cast<uint64_t>(id));
  json.EndArray();
  json.Key("tokens");
  json.BeginArray();
  for (const std::string& token : tokens.tokens) json.String(token);
  json.EndArray();
  json.EndObject();
  std::printf("%s\n", line.c_str());
}

void PrintReadable(const std::string& text, const embedding::TokenizeResult& result,
                   const embedding::TokenizedText& tokens) {
  const size_t count = tokens.ids.size();
  std::string line =
      fmt::format("{}: {} token{}, at most {}{}  ", result.model, count, count == 1 ? "" : "s",
                  result.max_tokens, count > result.max_tokens ? " are taken" : "");
  const size_t width = WidthOf(Stream::kOut);
  const size_t used = DisplayWidth(line);
  line += CutEnd(OneLine(text), std::max<size_t>(width > used ? width - used : 0, 20));
  std::printf("%s\n", line.c_str());
  for (size_t i = 0; i < count; ++i) {
    std::printf("%9d  %s\n", tokens.ids[i], OneLine(tokens.tokens[i]).c_str());
  }
}

Status TokenizeAndPrint(embedding::Embedder& embedder, const TokenizeArguments& arguments,
                        std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    if (!IsValidUtf8(text)) return InvalidArgumentError("not UTF-8: " + OneLine(text));
  }
  RequestContext context;
  embedding::TokenizeRequest request;
  request.model = arguments.model;
  request.texts = texts;
  request.add_special_tokens = !arguments.no_specials;
  if (arguments.query) request.input_type = embedding::InputType::kQuery;
  AKIDB_ASSIGN_OR_RETURN(embedding::TokenizeResult result, embedder.Tokenize(context, request));
  for (size_t i = 0; i < texts.size(); ++i) {
    (arguments.json ? PrintJson : PrintReadable)(texts[i], result, result.texts[i]);
  }
  return OkStatus();
}

// A line is a text; answered in portions, so that a pipe may run for long.
Status TokenizeLines(embedding::Embedder& embedder, const TokenizeArguments& arguments) {
  std::vector<std::string> texts;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    texts.push_back(line);
    if (texts.size() < kTextsAtOnce) continue;
    AKIDB_RETURN_IF_ERROR(TokenizeAndPrint(embedder, arguments, texts));
    texts.clear();
  }
  return texts.empty() ? OkStatus() : TokenizeAndPrint(embedder, arguments, texts);
}

int RunTokenize(const TokenizeArguments& arguments) {
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  std::unique_ptr<Logger> log = MakeStderrLogger(LogLevel::kError);
  embedding::EmbedderOptions options;
  options.models_dir = FolderOf(*fs, arguments.place);
  if (const char* model = std::getenv("AKIDB_DEFAULT_MODEL"); model != nullptr && *model != '\0') {
    options.default_model = model;
  }
  std::unique_ptr<embedding::Embedder> embedder = embedding::MakeEmbedder(options, *fs, *log);
  const bool reads_lines = arguments.texts.empty() ||
                           (arguments.texts.size() == 1 && arguments.texts[0] == kStandardInput);
  Status done = reads_lines ? TokenizeLines(*embedder, arguments)
                            : TokenizeAndPrint(*embedder, arguments, arguments.texts);
  return done.ok() ? kExitOk : Fail(kName, done);
}

}  // namespace

void AddTokenizeCommand(CLI::App& models, RunSlot& run) {
  auto arguments = std::make_shared<TokenizeArguments>();
  CLI::App* command = models.add_subcommand("tokenize", "show the tokens that texts become");
  command
      ->add_option("TEXT", arguments->texts,
                   "texts; without any, or as the only one -, the lines of standard input")
      ->type_name("");
  command->add_option("--model", arguments->model, "embedding model; default: the default one")
      ->type_name("MODEL");
  command->add_flag("--query", arguments->query, "with the prompt of queries, not of documents");
  command->add_flag("--no-specials", arguments->no_specials,
                    "the text's own tokens, without prompt and special tokens");
  AddModelsPlaceOptions(*command, arguments->place);
  command->add_flag("--json", arguments->json,
                    "one object a line: text, model, count, max_tokens, ids, tokens");
  command->callback([&run, arguments] { run = [arguments] { return RunTokenize(*arguments); }; });
}

}  // namespace akidb::cli
