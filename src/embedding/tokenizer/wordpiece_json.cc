// WordPiece models with BERT's normaliser and pre-tokenizer.
#include <algorithm>
#include <string>
#include <utility>

#include "embedding/tokenizer/tokenizer_json.h"
#include "embedding/tokenizer/wordpiece_tokenizer.h"

namespace akidb::embedding {
namespace {

Result<BertNormalizerOptions> ReadBertNormalizer(const Component& root) {
  if (!root.Has("normalizer")) return BertNormalizerOptions{false, false, false, false};
  AKIDB_ASSIGN_OR_RETURN(Component normalizer, root.Object("normalizer"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, normalizer.String("type"));
  if (type != "BertNormalizer") {
    return UnsupportedError(normalizer.path() + ": `" + std::string(type) +
                            "` is not implemented for WordPiece");
  }
  AKIDB_RETURN_IF_ERROR(normalizer.AllowOnly(
      {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}));
  BertNormalizerOptions options;
  AKIDB_ASSIGN_OR_RETURN(options.clean_text, normalizer.Bool("clean_text"));
  AKIDB_ASSIGN_OR_RETURN(options.handle_chinese_chars, normalizer.Bool("handle_chinese_chars"));
  AKIDB_ASSIGN_OR_RETURN(options.lowercase, normalizer.Bool("lowercase"));
  AKIDB_ASSIGN_OR_RETURN(auto strip_accents, normalizer.OptionalBool("strip_accents"));
  options.strip_accents = strip_accents.value_or(options.lowercase);
  return options;
}

Status CheckPreTokenizer(const Component& root) {
  if (!root.Has("pre_tokenizer")) {
    return UnsupportedError("tokenizer.pre_tokenizer: none is not implemented for WordPiece");
  }
  AKIDB_ASSIGN_OR_RETURN(Component pre_tokenizer, root.Object("pre_tokenizer"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, pre_tokenizer.String("type"));
  if (type != "BertPreTokenizer") {
    return UnsupportedError(pre_tokenizer.path() + ": `" + std::string(type) +
                            "` is not implemented for WordPiece");
  }
  return pre_tokenizer.AllowOnly({"type"});
}

Status ReadModel(const Component& model, WordPieceConfig& config) {
  AKIDB_RETURN_IF_ERROR(model.AllowOnly(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"}));
  AKIDB_RETURN_IF_ERROR(ForEachToken(model, [&](std::string_view token, int32_t id) {
    return config.vocabulary.emplace(token, id).second;
  }));
  AKIDB_ASSIGN_OR_RETURN(std::string_view prefix, model.String("continuing_subword_prefix"));
  config.continuing_prefix = prefix;
  AKIDB_ASSIGN_OR_RETURN(std::string_view unknown, model.String("unk_token"));
  auto found = config.vocabulary.find(std::string(unknown));
  if (found == config.vocabulary.end()) {
    return MalformedError(model.PathOf("unk_token") + ": `" + std::string(unknown) +
                          "` is not in the vocabulary");
  }
  config.unk_id = found->second;
  AKIDB_ASSIGN_OR_RETURN(int32_t chars_max, model.Natural("max_input_chars_per_word"));
  if (chars_max < 1 || static_cast<size_t>(chars_max) > WordPieceConfig::kWordCharsBound) {
    return UnsupportedError(model.PathOf("max_input_chars_per_word") + ": " +
                            std::to_string(chars_max) + ", only 1.." +
                            std::to_string(WordPieceConfig::kWordCharsBound) + " is implemented");
  }
  config.word_chars_max = static_cast<size_t>(chars_max);
  return OkStatus();
}

Status CheckNormalizedForms(const WordPieceConfig& config) {
  CharTable chars(config.normalizer);
  for (const AddedToken& token : config.added_tokens) {
    if (!token.normalized) continue;
    AKIDB_RETURN_IF_ERROR(CheckNormalizedForm(token, chars.Normalize(token.content)));
  }
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> LoadWordPiece(const TokenizerFile& file) {
  WordPieceConfig config;
  AKIDB_ASSIGN_OR_RETURN(config.normalizer, ReadBertNormalizer(file.root));
  AKIDB_RETURN_IF_ERROR(CheckPreTokenizer(file.root));
  AKIDB_ASSIGN_OR_RETURN(Component model, file.root.Object("model"));
  AKIDB_RETURN_IF_ERROR(ReadModel(model, config));
  auto find_in_model = [&](std::string_view token) -> std::optional<int32_t> {
    auto found = config.vocabulary.find(std::string(token));
    if (found == config.vocabulary.end()) return std::nullopt;
    return found->second;
  };
  AKIDB_ASSIGN_OR_RETURN(config.added_tokens,
                         ReadAddedTokens(file, find_in_model, config.vocabulary.size()));
  AKIDB_RETURN_IF_ERROR(CheckNormalizedForms(config));
  AKIDB_ASSIGN_OR_RETURN(SpecialIds special,
                         ReadPostProcessor(file, config.added_tokens, find_in_model));
  config.decoder = ReadDecoder(file.root);
  config.prefix_ids = std::move(special.prefix);
  config.suffix_ids = std::move(special.suffix);
  return std::unique_ptr<Tokenizer>(std::make_unique<WordPieceTokenizer>(std::move(config)));
}

}  // namespace akidb::embedding
