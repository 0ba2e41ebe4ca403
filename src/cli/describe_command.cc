// akidb models describe: the models that an import knows by name.
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/json_writer.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "embedding/published_models.h"

namespace akidb::cli {
namespace {

using embedding::PublishedModel;

struct DescribeArguments {
  std::string model;
  bool json = false;
};

std::string Quoted(std::string_view text) {
  if (text.empty()) return "none";
  std::string quoted;
  JsonWriter(quoted).String(text);
  return quoted;
}

std::string Joined(const std::vector<uint32_t>& numbers) {
  std::string list;
  for (uint32_t number : numbers) list += (list.empty() ? "" : ",") + std::to_string(number);
  return list.empty() ? "none" : list;
}

void PrintRow(const PublishedModel& model) {
  std::printf("%s\n",
              fmt::format("{:<30} {:>5} dimensions {:>3} layers {:>6} tokens  {:<11} {}", model.id,
                          model.dims, model.layers, model.window, model.licence, model.publication)
                  .c_str());
}

void PrintExample(const embedding::PublishedExample& example) {
  if (example.cosines.empty()) {
    std::printf("publisher's example  none\n");
    return;
  }
  for (size_t i = 0; i < example.cosines.size(); ++i) {
    const std::string& query = example.queries[i / example.documents.size()];
    const std::string& document = example.documents[i % example.documents.size()];
    std::printf("%s\n", fmt::format("{:<20} {:.4f}  {} - {}", i == 0 ? "publisher's example" : "",
                                    example.cosines[i], Quoted(query), Quoted(document))
                            .c_str());
  }
}

void PrintWhole(const PublishedModel& model) {
  const auto line = [](std::string_view name, const std::string& value) {
    std::printf("%s\n", fmt::format("{:<20} {}", name, value).c_str());
  };
  line("id", std::string(model.id));
  line("published as", std::string(model.publication));
  line("licence", std::string(model.licence));
  line("dimensions", std::to_string(model.dims));
  line("shorter ones", Joined(model.dims_offered));
  line("shape", fmt::format("{} layers, {} heads of queries, {} of keys and values", model.layers,
                            model.query_heads, model.kv_heads));
  line("window", model.max_tokens == model.window
                     ? fmt::format("{} tokens", model.window)
                     : fmt::format("{} tokens; an import takes {} unless --max-tokens says more",
                                   model.window, model.max_tokens));
  line("pooling", std::string(embedding::NameOf(model.pooling)));
  line("before queries", Quoted(model.query_prompt));
  line("before documents", Quoted(model.document_prompt));
  if (!model.instruction.empty()) line("instruction", Quoted(model.instruction));
  if (model.end_token) line("end token", std::to_string(*model.end_token));
  PrintExample(model.example);
  if (model.converts) {
    line("out of its weights", fmt::format("akidb models convert DIR --id {}", model.id));
  }
  line("out of an export", fmt::format("akidb models import DIR --model {}", model.id));
}

void WriteNumbers(JsonWriter& json, std::string_view key, const std::vector<uint32_t>& numbers) {
  json.Key(key);
  json.BeginArray();
  for (uint32_t number : numbers) json.Uint(number);
  json.EndArray();
}

void WriteTexts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.Key(key);
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

std::string JsonOf(const PublishedModel& model) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject();
  for (const auto& [key, value] : {std::pair<const char*, std::string_view>{"id", model.id},
                                   {"published_as", model.publication},
                                   {"licence", model.licence},
                                   {"pooling", embedding::NameOf(model.pooling)},
                                   {"query_prompt", model.query_prompt},
                                   {"document_prompt", model.document_prompt},
                                   {"instruction", model.instruction}}) {
    json.Key(key);
    json.String(value);
  }
  for (const auto& [key, value] : {std::pair<const char*, uint32_t>{"dims", model.dims},
                                   {"layers", model.layers},
                                   {"query_heads", model.query_heads},
                                   {"kv_heads", model.kv_heads},
                                   {"window", model.window},
                                   {"max_tokens", model.max_tokens}}) {
    json.Key(key);
    json.Uint(value);
  }
  WriteNumbers(json, "dims_offered", model.dims_offered);
  json.Key("end_token");
  if (model.end_token) {
    json.Int(*model.end_token);
  } else {
    json.Null();
  }
  json.Key("example");
  json.BeginObject();
  WriteTexts(json, "queries", model.example.queries);
  WriteTexts(json, "documents", model.example.documents);
  json.Key("cosines");
  json.BeginArray();
  for (double cosine : model.example.cosines) json.Double(cosine);
  json.EndArray();
  json.EndObject();
  json.EndObject();
  return line;
}

int RunDescribe(const DescribeArguments& arguments) {
  std::span<const PublishedModel> models = embedding::PublishedModels();
  if (!arguments.model.empty()) {
    Result<const PublishedModel*> model = embedding::FindPublished(arguments.model);
    if (!model.ok()) return Fail("models describe", model.status());
    models = std::span(*model, 1);
  }
  for (const PublishedModel& model : models) {
    if (arguments.json) {
      std::printf("%s\n", JsonOf(model).c_str());
    } else if (arguments.model.empty()) {
      PrintRow(model);
    } else {
      PrintWhole(model);
    }
  }
  return kExitOk;
}

}  // namespace

void AddDescribeCommand(CLI::App& models, RunSlot& run) {
  auto arguments = std::make_shared<DescribeArguments>();
  CLI::App* command = models.add_subcommand(
      "describe", "show what is known of models that `models import --model` takes");
  command->add_option("MODEL", arguments->model, "one of them, in full")->type_name("");
  command->add_flag("--json", arguments->json, "one object a line");
  command->callback([&run, arguments] { run = [arguments] { return RunDescribe(*arguments); }; });
}

}  // namespace akidb::cli
