#include "api/dialect/bm25_json.h"

#include <string>

#include "types/text/bm25.h"
#include "types/text/stop_words.h"

namespace akidb::dialect {
namespace {

Status AsInference(Status status) {
  return status.ok() ? status : InferenceError(std::string(status.message()));
}

// Languages in the words of the analyzer, which knows them by their English names.
std::string Language(std::string_view name) {
  return LanguageName(name).value_or(std::string(name));
}

Status ReadTokenizer(JsonElement value, const FieldPath& path, TextOptions& out) {
  std::string_view name;
  AKIDB_RETURN_IF_ERROR(ReadString(value, path, name));
  if (name == "word") {
    out.tokenizer = TextTokenizer::kWord;
  } else if (name == "whitespace") {
    out.tokenizer = TextTokenizer::kWhitespace;
  } else if (name == "prefix") {
    out.tokenizer = TextTokenizer::kPrefix;
  } else if (name == "multilingual") {
    out.tokenizer = TextTokenizer::kMultilingual;
  } else {
    return FieldError(path,
                      "unknown variant `" + std::string(name) +
                          "`, expected one of `prefix`, `whitespace`, `word`, `multilingual`");
  }
  return OkStatus();
}

Status ReadStopWords(JsonElement value, const FieldPath& path, TextOptions& out) {
  out.stop_word_languages.clear();
  out.stop_words.clear();
  std::string_view language;
  if (!value.get(language)) {
    out.stop_word_languages.push_back(Language(language));
    return OkStatus();
  }
  const Status read =
      ForEachMember(value, path, "a language or an object {\"languages\": …, \"custom\": …}",
                    [&](std::string_view key, JsonElement member, const FieldPath& at) -> Status {
                      if (IsNull(member)) return OkStatus();
                      if (key == "custom") return ReadStrings(member, at, out.stop_words);
                      if (key != "languages") return UnknownField(at, "`languages`, `custom`");
                      return ReadStrings(member, at, out.stop_word_languages);
                    });
  AKIDB_RETURN_IF_ERROR(read);
  for (std::string& name : out.stop_word_languages) name = Language(name);
  return OkStatus();
}

Status ReadStemmer(JsonElement value, const FieldPath& path, TextOptions& out) {
  JsonElement member;
  std::string_view type;
  AKIDB_RETURN_IF_ERROR(CheckObject(value, path, "an object {\"type\": …}"));
  if (!FindMember(value, "type", member)) return MissingField(path, "type");
  AKIDB_RETURN_IF_ERROR(ReadString(member, path.Member("type"), type));
  out.stemmer.reset();
  if (type == "none") return OkStatus();
  if (type != "snowball") {
    return FieldError(path.Member("type"), "unknown variant, expected `snowball` or `none`");
  }
  std::string_view language;
  if (!FindMember(value, "language", member)) return MissingField(path, "language");
  AKIDB_RETURN_IF_ERROR(ReadString(member, path.Member("language"), language));
  out.stemmer = Language(language);
  return OkStatus();
}

Status ReadLength(JsonElement value, const FieldPath& path, std::optional<uint32_t>& out) {
  size_t length = 0;
  AKIDB_RETURN_IF_ERROR(ReadSize(value, path, 0, length));
  out = static_cast<uint32_t>(std::min<size_t>(length, UINT32_MAX));
  return OkStatus();
}

Status ReadOption(std::string_view key, JsonElement value, const FieldPath& at, Bm25Options& out) {
  if (IsNull(value) || key == "language") return OkStatus();
  if (key == "k") return ReadDouble(value, at, out.k);
  if (key == "b") return ReadDouble(value, at, out.b);
  if (key == "avg_len") return ReadDouble(value, at, out.avg_len);
  if (key == "tokenizer") return ReadTokenizer(value, at, out.text);
  if (key == "lowercase") return ReadBool(value, at, out.text.lowercase);
  if (key == "ascii_folding") return ReadBool(value, at, out.text.ascii_folding);
  if (key == "stopwords") return ReadStopWords(value, at, out.text);
  if (key == "stemmer") return ReadStemmer(value, at, out.text);
  if (key == "min_token_len") return ReadLength(value, at, out.text.token_len_min);
  if (key == "max_token_len") return ReadLength(value, at, out.text.token_len_max);
  return UnknownField(at,
                      "`k`, `b`, `avg_len`, `tokenizer`, `language`, `lowercase`, `ascii_folding`, "
                      "`stopwords`, `stemmer`, `min_token_len`, `max_token_len`");
}

Status ReadOptions(JsonElement value, const FieldPath& path, Bm25Options& out) {
  std::string_view language = "english";
  JsonElement named;
  if (FindMember(value, "language", named)) {
    AKIDB_RETURN_IF_ERROR(ReadString(named, path.Member("language"), language));
  }
  if (language != "none") {
    Result<TextOptions> text = TextOptionsOfLanguage(language);
    if (!text.ok()) return AsInference(text.status());
    out.text = std::move(text).value();
  }
  return ForEachMember(value, path, "an object",
                       [&](std::string_view key, JsonElement member, const FieldPath& at) {
                         return ReadOption(key, member, at, out);
                       });
}

Status Weigh(std::string_view text, Bm25Options options, TextRole role, DenseVector& out) {
  Result<Bm25> bm25 = Bm25::Create(std::move(options));
  if (!bm25.ok()) return AsInference(bm25.status());
  out = role == TextRole::kQuery ? bm25->OfQuery(text) : bm25->OfDocument(text);
  return OkStatus();
}

}  // namespace

bool IsBm25Object(JsonElement value) {
  JsonElement model;
  std::string_view name;
  return FindMember(value, "model", model) && !model.get(name) && IsBm25Model(name);
}

Status ReadBm25Object(JsonElement value, const FieldPath& path, TextRole role, DenseVector& out) {
  JsonElement member;
  std::string_view text;
  Bm25Options options;
  if (!FindMember(value, "text", member)) return MissingField(path, "text");
  AKIDB_RETURN_IF_ERROR(ReadString(member, path.Member("text"), text));
  if (FindMember(value, "options", member)) {
    const FieldPath at = path.Member("options");
    AKIDB_RETURN_IF_ERROR(CheckObject(member, at, "an object"));
    AKIDB_RETURN_IF_ERROR(ReadOptions(member, at, options));
  } else {
    AKIDB_ASSIGN_OR_RETURN(options.text, TextOptionsOfLanguage("english"));
  }
  return Weigh(text, std::move(options), role, out);
}

Result<DenseVector> Bm25Vector(std::string_view text, std::string_view options_json,
                               TextRole role) {
  Bm25Options options;
  if (options_json.empty()) {
    AKIDB_ASSIGN_OR_RETURN(options.text, TextOptionsOfLanguage("english"));
  } else {
    JsonBody body;
    AKIDB_RETURN_IF_ERROR(body.Parse(options_json));
    const FieldPath root;
    AKIDB_RETURN_IF_ERROR(ReadOptions(body.root(), root.Member("options"), options));
  }
  DenseVector vector;
  AKIDB_RETURN_IF_ERROR(Weigh(text, std::move(options), role, vector));
  return vector;
}

}  // namespace akidb::dialect
