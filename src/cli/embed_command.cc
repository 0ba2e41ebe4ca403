#include <cstdio>
#include <iostream>
#include <memory>
#include <span>

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "embed";
constexpr size_t kTextsAtOnce = 256;

struct EmbedArguments {
  std::vector<std::string> texts;
  std::string model;
  Place place;
  bool json = false;
};

void PrintVector(const EmbedArguments& arguments, const std::string& text,
                 const EmbedAnswer& answer, std::span<const float> vector) {
  std::string line;
  JsonWriter json(line);
  if (arguments.json) {
    json.BeginObject();
    json.Key("text");
    json.String(text);
    json.Key("model");
    json.String(answer.model);
    json.Key("embedding");
    json.Floats(vector);
    json.EndObject();
  } else {
    constexpr size_t kShown = 6;
    for (float value : vector.first(std::min(vector.size(), kShown))) {
      line += fmt::format("{:8.4f}", value);
    }
    line += fmt::format("  … {} dimensions  ", vector.size());
    std::string shown = OneLine(text);
    size_t used = DisplayWidth(line);
    size_t width = WidthOf(Stream::kOut);
    line += CutEnd(shown, std::max<size_t>(width > used ? width - used : 0, 20));
  }
  std::printf("%s\n", line.c_str());
}

Status EmbedAndPrint(Backend& backend, const EmbedArguments& arguments,
                     const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (!IsValidUtf8(text)) return InvalidArgumentError("not UTF-8: " + OneLine(text));
  }
  AKIDB_ASSIGN_OR_RETURN(EmbedAnswer answer, backend.Embed(arguments.model, texts));
  for (size_t i = 0; i < texts.size(); ++i) {
    PrintVector(arguments, texts[i], answer,
                std::span<const float>(answer.vectors).subspan(i * answer.dims, answer.dims));
  }
  return OkStatus();
}

// A line is a text; answered in portions, so that a pipe may run for long.
Status EmbedLines(Backend& backend, const EmbedArguments& arguments) {
  std::vector<std::string> texts;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    texts.push_back(line);
    if (texts.size() < kTextsAtOnce) continue;
    AKIDB_RETURN_IF_ERROR(EmbedAndPrint(backend, arguments, texts));
    texts.clear();
  }
  return texts.empty() ? OkStatus() : EmbedAndPrint(backend, arguments, texts);
}

int RunEmbed(const EmbedArguments& arguments) {
  Result<std::unique_ptr<Backend>> backend = OpenBackend(arguments.place);
  if (!backend.ok()) return Fail(kName, backend.status());
  Status done = arguments.texts.empty() ? EmbedLines(**backend, arguments)
                                        : EmbedAndPrint(**backend, arguments, arguments.texts);
  return done.ok() ? kExitOk : Fail(kName, done);
}

}  // namespace

void AddEmbedCommand(CLI::App& app, RunSlot& run) {
  auto arguments = std::make_shared<EmbedArguments>();
  CLI::App* command = app.add_subcommand(kName, "turn texts into vectors, as queries are");
  command->add_option("TEXT", arguments->texts, "texts; without any, the lines of standard input")
      ->type_name("");
  command->add_option("--model", arguments->model, "embedding model; default: the server's")
      ->type_name("MODEL");
  AddPlaceOptions(*command, arguments->place);
  command->add_flag("--json", arguments->json, "one object a line: text, model, embedding");
  command->callback([&run, arguments] { run = [arguments] { return RunEmbed(*arguments); }; });
}

}  // namespace akidb::cli
