// BPE models over bytes: GPT-2's, Qwen's, Llama 3's.
#include <string>
#include <unordered_map>
#include <utility>

#include "embedding/tokenizer/byte_characters.h"
#include "embedding/tokenizer/byte_level_bpe_tokenizer.h"
#include "embedding/tokenizer/code_points.h"
#include "embedding/tokenizer/tokenizer_json.h"

namespace akidb::embedding {
namespace {

using Vocabulary = std::unordered_map<std::string_view, int32_t>;  // in the file's spelling

// Whether NFC is asked for.
Result<bool> ReadsNfc(const Component& root) {
  if (!root.Has("normalizer")) return false;
  AKIDB_ASSIGN_OR_RETURN(Component normalizer, root.Object("normalizer"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, normalizer.String("type"));
  if (type != "NFC") return NotImplementedError(normalizer, std::string(type) + "` for BPE");
  AKIDB_RETURN_IF_ERROR(normalizer.AllowOnly({"type"}));
  return true;
}

// Whether the pre-tokenizer splits by GPT-2's pattern itself.
Result<bool> ReadByteLevel(const Component& part) {
  AKIDB_RETURN_IF_ERROR(part.AllowOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  AKIDB_ASSIGN_OR_RETURN(bool add_prefix_space, part.Bool("add_prefix_space"));
  if (add_prefix_space) {
    return UnsupportedError(part.PathOf("add_prefix_space") + ": true is not implemented");
  }
  AKIDB_ASSIGN_OR_RETURN(auto use_regex, part.OptionalBool("use_regex"));
  return use_regex.value_or(true);
}

Result<SplitPattern> ReadSplit(const Component& part) {
  AKIDB_RETURN_IF_ERROR(part.AllowOnly({"type", "pattern", "behavior", "invert"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view behavior, part.String("behavior"));
  if (behavior != "Isolated") {
    return UnsupportedError(part.PathOf("behavior") + ": `" + std::string(behavior) +
                            "` is not implemented");
  }
  AKIDB_ASSIGN_OR_RETURN(bool invert, part.Bool("invert"));
  if (invert) return UnsupportedError(part.PathOf("invert") + ": true is not implemented");
  AKIDB_ASSIGN_OR_RETURN(Component pattern, part.Object("pattern"));
  AKIDB_RETURN_IF_ERROR(pattern.AllowOnly({"Regex"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view regex, pattern.String("Regex"));
  std::optional<SplitPattern> known = FindSplitPattern(regex);
  if (!known) {
    return UnsupportedError(pattern.PathOf("Regex") + ": `" + std::string(regex) +
                            "` is not implemented; the patterns of GPT-2, Qwen 2 and 3, and "
                            "Llama 3 are");
  }
  return *known;
}

// ByteLevel with its own pattern, or a Sequence of a Split and a ByteLevel without one.
Result<SplitPattern> ReadPreTokenizer(const Component& root) {
  if (!root.Has("pre_tokenizer")) {
    return UnsupportedError("tokenizer.pre_tokenizer: none is not implemented for BPE");
  }
  AKIDB_ASSIGN_OR_RETURN(Component pre_tokenizer, root.Object("pre_tokenizer"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, pre_tokenizer.String("type"));
  if (type == "ByteLevel") {
    AKIDB_ASSIGN_OR_RETURN(bool splits, ReadByteLevel(pre_tokenizer));
    if (splits) return SplitPattern::Gpt2();
    return UnsupportedError(pre_tokenizer.PathOf("use_regex") +
                            ": false is not implemented without a Split before it");
  }
  if (type != "Sequence")
    return NotImplementedError(pre_tokenizer, std::string(type) + "` for BPE");
  AKIDB_ASSIGN_OR_RETURN(ComponentList parts, ReadSequence(pre_tokenizer, "pretokenizers"));
  if (parts.types != "Split, ByteLevel") {
    return UnsupportedError(pre_tokenizer.path() + ": a sequence of `" + parts.types +
                            "` is not implemented; one of Split, ByteLevel is");
  }
  AKIDB_ASSIGN_OR_RETURN(SplitPattern pattern, ReadSplit(parts.members[0]));
  AKIDB_ASSIGN_OR_RETURN(bool splits_again, ReadByteLevel(parts.members[1]));
  if (splits_again) {
    return UnsupportedError(parts.members[1].PathOf("use_regex") +
                            ": true is not implemented behind a Split");
  }
  return pattern;
}

// Options that change ids only if set.
Status CheckModelOptions(const Component& model) {
  AKIDB_RETURN_IF_ERROR(model.AllowOnly(
      {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
       "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"}));
  if (model.Has("dropout")) {
    return UnsupportedError(model.PathOf("dropout") + ": only null is implemented");
  }
  for (std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.Has(key)) continue;
    AKIDB_ASSIGN_OR_RETURN(std::string_view affix, model.String(key));
    if (!affix.empty()) {
      return UnsupportedError(model.PathOf(key) + ": `" + std::string(affix) +
                              "`, only none is implemented");
    }
  }
  return OkStatus();
}

Status ReadVocabulary(const Component& model, Vocabulary& vocabulary, ByteLevelBpeConfig& config) {
  std::array<bool, 256> seen{};
  Status read = ForEachToken(model, [&](std::string_view token, int32_t id) {
    std::optional<std::string> bytes = BytesOfCharacters(token);
    if (!vocabulary.emplace(token, id).second) return false;
    if (!bytes || bytes->empty()) {
      config.unreachable.push_back({std::string(token), id});
      return true;
    }
    if (bytes->size() == 1) seen[static_cast<unsigned char>((*bytes)[0])] = true;
    config.vocabulary.push_back({std::move(*bytes), id});
    return true;
  });
  AKIDB_RETURN_IF_ERROR(read);
  for (size_t byte = 0; byte < seen.size(); ++byte) {
    if (seen[byte]) continue;
    return UnsupportedError(model.PathOf("vocab") + ": byte " + std::to_string(byte) +
                            " has no token; vocabularies without all bytes are not implemented");
  }
  return OkStatus();
}

// "left right", or ["left", "right"].
Result<std::pair<std::string_view, std::string_view>> ReadPair(simdjson::dom::element element) {
  std::string_view left;
  std::string_view right;
  simdjson::dom::array pair;
  if (element.get(pair) == simdjson::SUCCESS) {
    if (pair.size() == 2 && pair.at(0).get(left) == simdjson::SUCCESS &&
        pair.at(1).get(right) == simdjson::SUCCESS) {
      return std::pair(left, right);
    }
  } else if (element.get(left) == simdjson::SUCCESS) {
    size_t space = left.find(' ');
    if (space != std::string_view::npos && left.find(' ', space + 1) == std::string_view::npos) {
      return std::pair(left.substr(0, space), left.substr(space + 1));
    }
  }
  return MalformedError("expected two tokens, \"left right\" or [\"left\", \"right\"]");
}

Status ReadMerges(const Component& model, const Vocabulary& vocabulary,
                  ByteLevelBpeConfig& config) {
  AKIDB_ASSIGN_OR_RETURN(auto merges, model.Array("merges"));
  std::unordered_map<uint64_t, size_t> seen;
  std::string joined;
  for (simdjson::dom::element element : merges) {
    auto path = [&] {
      return model.PathOf("merges") + "[" + std::to_string(config.merges.size()) + "]";
    };
    auto pair = ReadPair(element);
    if (!pair.ok()) return pair.status().WithContext(path());
    joined.assign(pair->first).append(pair->second);
    std::array<int32_t, 3> ids;
    std::array<std::string_view, 3> tokens = {pair->first, pair->second, joined};
    for (size_t i = 0; i < tokens.size(); ++i) {
      auto found = vocabulary.find(tokens[i]);
      if (found == vocabulary.end()) {
        return MalformedError(path() + ": `" + std::string(tokens[i]) +
                              "` is not in the vocabulary");
      }
      ids[i] = found->second;
    }
    uint64_t key = static_cast<uint64_t>(ids[0]) << 32 | static_cast<uint32_t>(ids[1]);
    if (auto [other, fresh] = seen.emplace(key, config.merges.size()); !fresh) {
      return MalformedError(path() + ": the same pair as in merges[" +
                            std::to_string(other->second) + "]");
    }
    config.merges.push_back({ids[0], ids[1], ids[2]});
  }
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> LoadByteLevelBpe(const TokenizerFile& file) {
  ByteLevelBpeConfig config;
  AKIDB_ASSIGN_OR_RETURN(config.nfc, ReadsNfc(file.root));
  AKIDB_ASSIGN_OR_RETURN(config.pattern, ReadPreTokenizer(file.root));
  AKIDB_ASSIGN_OR_RETURN(Component model, file.root.Object("model"));
  AKIDB_RETURN_IF_ERROR(CheckModelOptions(model));
  AKIDB_ASSIGN_OR_RETURN(auto ignore_merges, model.OptionalBool("ignore_merges"));
  config.ignore_merges = ignore_merges.value_or(false);
  Vocabulary vocabulary;
  AKIDB_RETURN_IF_ERROR(ReadVocabulary(model, vocabulary, config));
  AKIDB_RETURN_IF_ERROR(ReadMerges(model, vocabulary, config));
  auto find = [&](std::string_view token) -> std::optional<int32_t> {
    auto found = vocabulary.find(token);
    return found == vocabulary.end() ? std::nullopt : std::optional<int32_t>(found->second);
  };
  AKIDB_ASSIGN_OR_RETURN(config.added_tokens, ReadAddedTokens(file, find, vocabulary.size()));
  AKIDB_ASSIGN_OR_RETURN(SpecialIds special, ReadPostProcessor(file, config.added_tokens, find));
  config.decoder = ReadDecoder(file.root);
  config.prefix_ids = std::move(special.prefix);
  config.suffix_ids = std::move(special.suffix);
  return std::unique_ptr<Tokenizer>(std::make_unique<ByteLevelBpeTokenizer>(std::move(config)));
}

}  // namespace akidb::embedding
