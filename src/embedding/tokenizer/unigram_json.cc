// Unigram models with Metaspace: XLM-R, multilingual E5, and what SentencePiece trains.
#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "embedding/tokenizer/code_points.h"
#include "embedding/tokenizer/normalizer_json.h"
#include "embedding/tokenizer/score_json.h"
#include "embedding/tokenizer/tokenizer_json.h"
#include "embedding/tokenizer/unigram_tokenizer.h"

namespace akidb::embedding {
namespace {

using Ids = std::unordered_map<std::string_view, int32_t>;  // in the file's spelling

Result<MetaspaceOptions::Prepend> ReadPrepend(const Component& part) {
  using Prepend = MetaspaceOptions::Prepend;
  std::string_view scheme = "always";
  if (part.Has("prepend_scheme")) {
    AKIDB_ASSIGN_OR_RETURN(scheme, part.String("prepend_scheme"));
  }
  AKIDB_ASSIGN_OR_RETURN(auto add_prefix_space, part.OptionalBool("add_prefix_space"));
  if (scheme == "never") return Prepend::kNever;
  if (scheme != "always" && scheme != "first") {
    return UnsupportedError(part.PathOf("prepend_scheme") + ": `" + std::string(scheme) +
                            "` is not implemented");
  }
  if (add_prefix_space == false) {
    return MalformedError(part.PathOf("add_prefix_space") + ": false, but prepend_scheme is `" +
                          std::string(scheme) + "`");
  }
  return scheme == "first" ? Prepend::kFirst : Prepend::kAlways;
}

Result<MetaspaceOptions> ReadMetaspace(const Component& part) {
  AKIDB_RETURN_IF_ERROR(part.AllowOnly(
      {"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"}));
  MetaspaceOptions options;
  AKIDB_ASSIGN_OR_RETURN(std::string_view mark, part.String("replacement"));
  if (mark.empty() || DecodeChar(mark).size != mark.size() || mark == " ") {
    return UnsupportedError(part.PathOf("replacement") + ": `" + std::string(mark) +
                            "`, expected one character that is no space");
  }
  options.mark = mark;
  AKIDB_ASSIGN_OR_RETURN(auto split, part.OptionalBool("split"));
  if (split == false) {
    return UnsupportedError(part.PathOf("split") + ": false is not implemented");
  }
  AKIDB_ASSIGN_OR_RETURN(options.prepend, ReadPrepend(part));
  return options;
}

// Metaspace, or a Sequence of WhitespaceSplit and Metaspace.
Result<MetaspaceOptions> ReadPreTokenizer(const Component& root) {
  if (!root.Has("pre_tokenizer")) {
    return UnsupportedError("tokenizer.pre_tokenizer: none is not implemented for Unigram");
  }
  AKIDB_ASSIGN_OR_RETURN(Component pre_tokenizer, root.Object("pre_tokenizer"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, pre_tokenizer.String("type"));
  if (type == "Metaspace") return ReadMetaspace(pre_tokenizer);
  if (type != "Sequence") {
    return NotImplementedError(pre_tokenizer, std::string(type) + "` for Unigram");
  }
  AKIDB_ASSIGN_OR_RETURN(ComponentList parts, ReadSequence(pre_tokenizer, "pretokenizers"));
  if (parts.types == "Metaspace") return ReadMetaspace(parts.members[0]);
  if (parts.types != "WhitespaceSplit, Metaspace") {
    return UnsupportedError(pre_tokenizer.path() + ": a sequence of `" + parts.types +
                            "` is not implemented; one of WhitespaceSplit, Metaspace is");
  }
  AKIDB_RETURN_IF_ERROR(parts.members[0].AllowOnly({"type"}));
  AKIDB_ASSIGN_OR_RETURN(MetaspaceOptions options, ReadMetaspace(parts.members[1]));
  if (options.prepend != MetaspaceOptions::Prepend::kAlways) {
    return UnsupportedError(parts.members[1].PathOf("prepend_scheme") +
                            ": only `always` is implemented behind WhitespaceSplit");
  }
  options.whitespace_separates = true;
  return options;
}

// ["token", score]: the token. Its score is read by itself.
Result<std::string_view> ReadEntry(simdjson::dom::element element) {
  simdjson::dom::array pair;
  std::string_view text;
  double score = 0;
  if (element.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
      pair.at(0).get(text) != simdjson::SUCCESS || pair.at(1).get(score) != simdjson::SUCCESS) {
    return MalformedError("expected [token, score]");
  }
  return text;
}

// With spaces for marks. False if a text can't hold the token: it has a space of its own.
bool Spell(std::string_view token, const std::string& mark, std::string& spelled) {
  if (token.empty() || token.find(' ') != std::string_view::npos) return false;
  for (size_t at = token.find(mark); at != std::string_view::npos; at = token.find(mark)) {
    spelled.append(token.substr(0, at)).append(1, ' ');
    token.remove_prefix(at + mark.size());
  }
  spelled.append(token);
  return true;
}

Status ReadVocabulary(const Component& model, std::span<const double> scores, Ids& ids,
                      UnigramConfig& config) {
  AKIDB_ASSIGN_OR_RETURN(auto vocabulary, model.Array("vocab"));
  ids.reserve(vocabulary.size());
  config.model.score_min = std::numeric_limits<double>::infinity();
  if (scores.size() != vocabulary.size()) {
    return MalformedError(model.PathOf("vocab") + ": expected an array of [token, score]");
  }
  int32_t id = 0;
  for (simdjson::dom::element element : vocabulary) {
    auto path = [&] { return model.PathOf("vocab") + "[" + std::to_string(id) + "]"; };
    auto entry = ReadEntry(element);
    if (!entry.ok()) return entry.status().WithContext(path());
    if (!ids.emplace(*entry, id).second) {
      return MalformedError(path() + ": `" + std::string(*entry) + "` occurs twice");
    }
    double score = scores[static_cast<size_t>(id)];
    config.model.score_min = std::min(config.model.score_min, score);
    UnigramToken token{"", id, score};
    if (Spell(*entry, config.metaspace.mark, token.text)) {
      config.model.tokens.push_back(std::move(token));
    } else {
      token.text = *entry;
      config.unreachable.push_back(std::move(token));
    }
    ++id;
  }
  config.model.ids_count = ids.size();
  return OkStatus();
}

// The ids of <0x00> to <0xFF>, or nullopt if one is missing.
std::optional<std::array<int32_t, 256>> FindByteIds(const Ids& ids) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::array<int32_t, 256> byte_ids;
  for (size_t byte = 0; byte < byte_ids.size(); ++byte) {
    std::string name = std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">";
    auto found = ids.find(name);
    if (found == ids.end()) return std::nullopt;
    byte_ids[byte] = found->second;
  }
  return byte_ids;
}

Status ReadModel(const TokenizerFile& file, Ids& ids, UnigramConfig& config) {
  AKIDB_ASSIGN_OR_RETURN(Component model, file.root.Object("model"));
  AKIDB_RETURN_IF_ERROR(model.AllowOnly({"type", "unk_id", "vocab", "byte_fallback"}));
  AKIDB_ASSIGN_OR_RETURN(std::vector<double> scores, ReadScores(file.json));
  AKIDB_RETURN_IF_ERROR(ReadVocabulary(model, scores, ids, config));
  if (!model.Has("unk_id")) {
    return UnsupportedError(model.PathOf("unk_id") + ": none is not implemented");
  }
  AKIDB_ASSIGN_OR_RETURN(config.model.unk_id, model.Natural("unk_id"));
  if (static_cast<size_t>(config.model.unk_id) >= ids.size()) {
    return MalformedError(model.PathOf("unk_id") + ": " + std::to_string(config.model.unk_id) +
                          " of " + std::to_string(ids.size()) + " tokens");
  }
  for (const UnigramToken& token : config.model.tokens) {
    if (token.id == config.model.unk_id) config.model.unk_text = token.text;
  }
  AKIDB_ASSIGN_OR_RETURN(auto byte_fallback, model.OptionalBool("byte_fallback"));
  if (byte_fallback.value_or(false)) {
    config.model.byte_ids = FindByteIds(ids);
    if (!config.model.byte_ids) {
      return UnsupportedError(model.PathOf("byte_fallback") +
                              ": true is not implemented without all tokens of <0x00> to <0xFF>");
    }
  }
  config.model.space_spelling = config.metaspace.mark;
  return OkStatus();
}

// The model itself would find a special token's text: what is to be plain must not be among its
// tokens.
void MakePlain(UnigramConfig& config) {
  auto is_plain = [&](const UnigramToken& token) {
    return std::any_of(
        config.added_tokens.begin(), config.added_tokens.end(),
        [&](const AddedToken& added) { return added.is_plain && added.id == token.id; });
  };
  auto& tokens = config.model.tokens;
  tokens.erase(std::remove_if(tokens.begin(), tokens.end(), is_plain), tokens.end());
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> LoadUnigram(const TokenizerFile& file) {
  UnigramConfig config;
  AKIDB_ASSIGN_OR_RETURN(config.normalizer, ReadNormalizer(file.root));
  AKIDB_ASSIGN_OR_RETURN(config.metaspace, ReadPreTokenizer(file.root));
  Ids ids;
  AKIDB_RETURN_IF_ERROR(ReadModel(file, ids, config));
  auto find = [&](std::string_view token) -> std::optional<int32_t> {
    auto found = ids.find(token);
    return found == ids.end() ? std::nullopt : std::optional<int32_t>(found->second);
  };
  AKIDB_ASSIGN_OR_RETURN(config.added_tokens, ReadAddedTokens(file, find, ids.size()));
  for (const AddedToken& token : config.added_tokens) {
    if (!token.normalized) continue;
    AKIDB_RETURN_IF_ERROR(
        CheckNormalizedForm(token, Normalized(*config.normalizer, token.content)));
  }
  if (file.options.specials_in_text == SpecialsInText::kPlain) MakePlain(config);
  AKIDB_ASSIGN_OR_RETURN(SpecialIds special, ReadPostProcessor(file, config.added_tokens, find));
  config.decoder = ReadDecoder(file.root);
  config.prefix_ids = std::move(special.prefix);
  config.suffix_ids = std::move(special.suffix);
  return std::unique_ptr<Tokenizer>(std::make_unique<UnigramTokenizer>(std::move(config)));
}

}  // namespace akidb::embedding
