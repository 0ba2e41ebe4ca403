#include "types/text_options_json.h"

#include <array>
#include <string>
#include <utility>

#include <simdjson.h>

namespace akidb {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

Status Wrong(std::string_view member, std::string_view expected) {
  return MalformedError("field_schema." + std::string(member) + ": expected " +
                        std::string(expected));
}

Status ReadTokenizer(element value, TextTokenizer& out) {
  constexpr std::array<std::pair<std::string_view, TextTokenizer>, 4> kNames = {
      {{"word", TextTokenizer::kWord},
       {"whitespace", TextTokenizer::kWhitespace},
       {"prefix", TextTokenizer::kPrefix},
       {"multilingual", TextTokenizer::kMultilingual}}};
  std::string_view text;
  if (!value.get(text)) {
    for (const auto& [name, tokenizer] : kNames) {
      if (text != name) continue;
      out = tokenizer;
      return OkStatus();
    }
  }
  return Wrong("tokenizer", "one of `prefix`, `whitespace`, `word`, `multilingual`");
}

Status ReadWords(element value, std::string_view member, std::vector<std::string>& out) {
  simdjson::dom::array words;
  if (value.get(words)) return Wrong(member, "an array of strings");
  for (element word : words) {
    std::string_view text;
    if (word.get(text)) return Wrong(member, "an array of strings");
    out.emplace_back(text);
  }
  return OkStatus();
}

// A language, or {"languages": […], "custom": […]}.
Status ReadStopWords(element value, TextOptions& out) {
  std::string_view language;
  if (!value.get(language)) {
    out.stop_word_languages.emplace_back(language);
    return OkStatus();
  }
  object members;
  if (value.get(members)) {
    return Wrong("stopwords", "a language or an object {\"languages\": …, \"custom\": …}");
  }
  for (const auto& [key, member] : members) {
    if (key != "languages" && key != "custom") {
      return Wrong("stopwords", "`languages` or `custom`, got `" + std::string(key) + "`");
    }
    if (member.is_null()) continue;
    AKIDB_RETURN_IF_ERROR(key == "custom"
                              ? ReadWords(member, "stopwords.custom", out.stop_words)
                              : ReadWords(member, "stopwords.languages", out.stop_word_languages));
  }
  return OkStatus();
}

// {"type": "snowball", "language": …} or {"type": "none"}.
Status ReadStemmer(element value, TextOptions& out) {
  std::string_view type;
  std::string_view language;
  if (!value["type"].get(type) && type == "none") return OkStatus();
  if (type != "snowball" || value["language"].get(language)) {
    return Wrong("stemmer", R"({"type": "snowball", "language": …} or {"type": "none"})");
  }
  out.stemmer = std::string(language);
  return OkStatus();
}

Status ReadLength(element value, std::string_view member, std::optional<uint32_t>& out) {
  uint64_t length = 0;
  if (value.get(length) || length > UINT32_MAX) return Wrong(member, "a number of characters");
  out = static_cast<uint32_t>(length);
  return OkStatus();
}

Status ReadMember(std::string_view key, element value, TextOptions& out) {
  if (value.is_null()) return OkStatus();
  if (key == "tokenizer") return ReadTokenizer(value, out.tokenizer);
  if (key == "stopwords") return ReadStopWords(value, out);
  if (key == "stemmer") return ReadStemmer(value, out);
  if (key == "min_token_len") return ReadLength(value, key, out.token_len_min);
  if (key == "max_token_len") return ReadLength(value, key, out.token_len_max);
  bool* flag = key == "lowercase"       ? &out.lowercase
               : key == "ascii_folding" ? &out.ascii_folding
                                        : nullptr;
  if (flag == nullptr || !value.get(*flag)) return OkStatus();
  return Wrong(key, "a boolean");
}

}  // namespace

Result<TextOptions> TextOptionsFromJson(std::string_view params) {
  TextOptions options;
  if (params.empty()) return options;
  simdjson::dom::parser parser;
  element root;
  object members;
  if (parser.parse(params.data(), params.size()).get(root) || root.get(members)) {
    return MalformedError("field_schema: expected a JSON object");
  }
  for (const auto& [key, value] : members) {
    AKIDB_RETURN_IF_ERROR(ReadMember(key, value, options));
  }
  return options;
}

bool WantsPhrases(std::string_view params) {
  simdjson::dom::parser parser;
  element root;
  bool wanted = false;
  if (params.empty() || parser.parse(params.data(), params.size()).get(root)) return false;
  return !root["phrase_matching"].get(wanted) && wanted;
}

bool WantsRanking(std::string_view params) {
  simdjson::dom::parser parser;
  element root;
  element scoring;
  bool wanted = false;
  if (params.empty() || parser.parse(params.data(), params.size()).get(root)) return false;
  if (root["scoring"].get(scoring)) return false;
  return scoring.is_object() || (!scoring.get(wanted) && wanted);
}

}  // namespace akidb
