#include <charconv>
#include <cstdio>
#include <memory>

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "cli/command_list.h"
#include "cli/exit_code.h"
#include "cli/passage_text.h"
#include "cli/terminal.h"

namespace akidb::cli {
namespace {

constexpr char kName[] = "search";

struct SearchArguments {
  std::string question;
  std::string collection;
  std::string model;
  std::vector<std::string> filters;
  Place place;
  size_t limit = 3;
  size_t lines = 3;
  bool hybrid = false;
  bool json = false;
};

// true and false, whole numbers, else text; quotation marks make a text of anything.
MatchScalar ScalarOf(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

Result<std::vector<FieldMatch>> ParseFilters(const std::vector<std::string>& filters) {
  std::vector<FieldMatch> matches;
  for (const std::string& filter : filters) {
    size_t equals = filter.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return InvalidArgumentError("--filter " + filter + ": expected key=value");
    }
    Result<PayloadPath> path = PayloadPath::Parse(filter.substr(0, equals));
    if (!path.ok()) return path.status().WithContext("--filter " + filter);
    matches.push_back({filter.substr(0, equals), ScalarOf(filter.substr(equals + 1))});
  }
  return matches;
}

void PrintJson(const SearchAnswer& answer) {
  for (const FoundPassage& passage : answer.passages) {
    std::string line;
    JsonWriter json(line);
    json.BeginObject();
    json.Key("id");
    if (passage.id.kind() == PointId::Kind::kNumber) {
      json.Uint(passage.id.number());
    } else {
      json.String(passage.id.ToString());
    }
    json.Key("score");
    json.Float(passage.score);
    json.Key("payload");
    passage.payload.root().WriteJson(json);
    json.Key("ms_embed");
    json.Double(answer.embed_ms);
    json.Key("ms_search");
    json.Double(answer.search_ms);
    json.EndObject();
    std::printf("%s\n", line.c_str());
  }
}

void PrintText(const SearchArguments& arguments, const SearchAnswer& answer) {
  PassageStyle style;
  style.width = WidthOf(Stream::kOut);
  style.lines = arguments.lines;
  style.colour = WantsColour(Stream::kOut);
  std::string out;
  for (size_t i = 0; i < answer.passages.size(); ++i) {
    if (i > 0) out += '\n';
    out += PassageText(answer.passages[i], i + 1, arguments.question, style);
  }
  if (answer.passages.empty()) out += "nothing found\n";
  out += fmt::format("{}embedding {:.1f} ms, search {:.2f} ms\n",
                     answer.passages.empty() ? "" : "\n", answer.embed_ms, answer.search_ms);
  std::fputs(out.c_str(), stdout);
}

// Where the collection has no words to search by, that is why it failed.
Status Explained(const Status& failure, Backend& backend, const SearchArguments& arguments) {
  if (!arguments.hybrid) return failure;
  const Result<std::optional<CollectionFacts>> found = backend.FindCollection(arguments.collection);
  if (!found.ok() || !*found || (*found)->has_words) return failure;
  return InvalidArgumentError("the collection " + arguments.collection + " has no vector `" +
                              kWordsVector + "` to search by words: search without --hybrid, or " +
                              "ingest into another collection with --hybrid");
}

int RunSearch(const SearchArguments& arguments) {
  SearchQuestion question;
  question.text = arguments.question;
  question.model = arguments.model;
  question.limit = arguments.limit;
  question.hybrid = arguments.hybrid;
  Result<std::vector<FieldMatch>> matches = ParseFilters(arguments.filters);
  if (!matches.ok()) {
    Fail(kName, matches.status());
    return kExitUsage;
  }
  question.matches = std::move(*matches);
  if (question.text.empty() || !IsValidUtf8(question.text)) {
    Fail(kName, InvalidArgumentError(question.text.empty() ? "the question is empty"
                                                           : "the question is not UTF-8"));
    return kExitUsage;
  }
  Result<std::unique_ptr<Backend>> backend = OpenBackend(arguments.place);
  if (!backend.ok()) return Fail(kName, backend.status());
  Result<SearchAnswer> answer = (*backend)->Search(arguments.collection, question);
  if (!answer.ok()) return Fail(kName, Explained(answer.status(), **backend, arguments));
  if (arguments.json) {
    PrintJson(*answer);
  } else {
    PrintText(arguments, *answer);
  }
  return answer->passages.empty() ? kExitFailed : kExitOk;
}

}  // namespace

void AddSearchCommand(CLI::App& app, RunSlot& run) {
  auto arguments = std::make_shared<SearchArguments>();
  CLI::App* command = app.add_subcommand(kName, "find the passages that answer a question");
  command->add_option("QUESTION", arguments->question, "in your own words")
      ->required()
      ->type_name("");
  command->add_option("--collection", arguments->collection, "to search in")
      ->required()
      ->type_name("NAME");
  command
      ->add_option("--filter", arguments->filters,
                   "only points whose payload has this value; may be repeated, all must hold")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--limit", arguments->limit, "passages to show; default: 3")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command->add_option("--lines", arguments->lines, "lines of each passage to show; default: 3")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command->add_option("--model", arguments->model, "embedding model; default: the server's")
      ->type_name("MODEL");
  command->add_flag("--hybrid", arguments->hybrid,
                    "by its words (BM25) as well as by its meaning, of a collection made by "
                    "ingest --hybrid");
  AddPlaceOptions(*command, arguments->place);
  command->add_flag("--json", arguments->json,
                    "one object a line: id, score, payload, ms_embed, ms_search");
  command->callback([&run, arguments] { run = [arguments] { return RunSearch(*arguments); }; });
}

}  // namespace akidb::cli
