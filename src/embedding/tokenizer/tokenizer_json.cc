#include "embedding/tokenizer/tokenizer_json.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

struct Family {
  std::string_view model_type;
  Result<std::unique_ptr<Tokenizer>> (*load)(const TokenizerFile& file);
};
constexpr Family kFamilies[] = {
    {"WordPiece", LoadWordPiece}, {"BPE", LoadByteLevelBpe}, {"Unigram", LoadUnigram}};

constexpr size_t kJsonDepthMax = 32;

Result<AddedToken> ReadAddedToken(const Component& object) {
  AKIDB_RETURN_IF_ERROR(object.AllowOnly(
      {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
  AddedToken token;
  AKIDB_ASSIGN_OR_RETURN(token.id, object.Natural("id"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view content, object.String("content"));
  AKIDB_ASSIGN_OR_RETURN(token.single_word, object.Bool("single_word"));
  AKIDB_ASSIGN_OR_RETURN(token.lstrip, object.Bool("lstrip"));
  AKIDB_ASSIGN_OR_RETURN(token.rstrip, object.Bool("rstrip"));
  AKIDB_ASSIGN_OR_RETURN(token.normalized, object.Bool("normalized"));
  AKIDB_ASSIGN_OR_RETURN(token.special, object.Bool("special"));
  if (content.empty()) return MalformedError(object.PathOf("content") + ": empty");
  if (IsWhitespace(DecodeChar(content).code_point) || IsWhitespace(LastChar(content))) {
    return UnsupportedError(object.PathOf("content") +
                            ": added tokens with white space at an end are not implemented");
  }
  token.content = content;
  return token;
}

// The reference numbers tokens that the model lacks by itself.
Status CheckId(const Component& object, const AddedToken& token, int32_t expected) {
  if (token.id == expected) return OkStatus();
  return MalformedError(object.PathOf("id") + ": `" + token.content + "` has " +
                        std::to_string(token.id) + ", but the vocabulary makes it " +
                        std::to_string(expected));
}

Result<int32_t> IdOfToken(const FindToken& find, std::string_view token, const std::string& path) {
  std::optional<int32_t> id = find(token);
  if (!id) return MalformedError(path + ": `" + std::string(token) + "` is no token");
  return *id;
}

// An entry of special_tokens: the ids that stand for one name of the template.
Status AppendTemplateIds(const Component& names, std::string_view name, const FindToken& find,
                         std::vector<int32_t>& ids) {
  AKIDB_ASSIGN_OR_RETURN(Component entry, names.Object(name));
  AKIDB_RETURN_IF_ERROR(entry.AllowOnly({"id", "ids", "tokens"}));
  AKIDB_ASSIGN_OR_RETURN(auto entry_ids, entry.Array("ids"));
  AKIDB_ASSIGN_OR_RETURN(auto tokens, entry.Array("tokens"));
  if (entry_ids.size() != tokens.size()) {
    return MalformedError(entry.path() + ": ids and tokens differ in length");
  }
  auto token = tokens.begin();
  for (simdjson::dom::element element : entry_ids) {
    AKIDB_ASSIGN_OR_RETURN(int32_t id, NaturalOf(element, entry.PathOf("ids")));
    std::string_view text;
    if ((*token).get(text) != simdjson::SUCCESS) {
      return MalformedError(entry.PathOf("tokens") + ": expected strings");
    }
    AKIDB_ASSIGN_OR_RETURN(int32_t expected, IdOfToken(find, text, entry.PathOf("tokens")));
    if (id != expected) {
      return MalformedError(entry.PathOf("ids") + ": `" + std::string(text) + "` is " +
                            std::to_string(expected) + ", not " + std::to_string(id));
    }
    ids.push_back(id);
    ++token;
  }
  return OkStatus();
}

Result<SpecialIds> ReadTemplate(const Component& processor, const FindToken& find) {
  AKIDB_RETURN_IF_ERROR(processor.AllowOnly({"type", "single", "pair", "special_tokens"}));
  AKIDB_ASSIGN_OR_RETURN(auto pieces, processor.Array("single"));
  AKIDB_ASSIGN_OR_RETURN(Component names, processor.Object("special_tokens"));
  SpecialIds special;
  bool text_seen = false;
  std::string path = processor.PathOf("single");
  for (simdjson::dom::element element : pieces) {
    AKIDB_ASSIGN_OR_RETURN(Component piece, Component::Of(element, path));
    AKIDB_RETURN_IF_ERROR(piece.AllowOnly({"SpecialToken", "Sequence"}));
    bool is_text = piece.Has("Sequence");
    AKIDB_ASSIGN_OR_RETURN(Component part, piece.Object(is_text ? "Sequence" : "SpecialToken"));
    AKIDB_RETURN_IF_ERROR(part.AllowOnly({"id", "type_id"}));
    AKIDB_ASSIGN_OR_RETURN(std::string_view id, part.String("id"));
    AKIDB_ASSIGN_OR_RETURN(int32_t type_id, part.Natural("type_id"));
    if (type_id != 0) {
      return UnsupportedError(part.PathOf("type_id") + ": only 0 is implemented for single texts");
    }
    if (is_text && (id != "A" || std::exchange(text_seen, true))) {
      return UnsupportedError(path + ": only one sequence, A, is implemented");
    }
    if (is_text) continue;
    AKIDB_RETURN_IF_ERROR(
        AppendTemplateIds(names, id, find, text_seen ? special.suffix : special.prefix));
  }
  if (!text_seen) return MalformedError(path + ": the sequence A is missing");
  return special;
}

// A pair of token and id, as BertProcessing has them.
Result<int32_t> ReadTokenPair(const Component& processor, std::string_view key,
                              const FindToken& find) {
  AKIDB_ASSIGN_OR_RETURN(auto pair, processor.Array(key));
  std::string_view token;
  uint64_t id = 0;
  if (pair.size() != 2 || pair.at(0).get(token) != simdjson::SUCCESS ||
      pair.at(1).get(id) != simdjson::SUCCESS) {
    return MalformedError(processor.PathOf(key) + ": expected [token, id]");
  }
  AKIDB_ASSIGN_OR_RETURN(int32_t expected, IdOfToken(find, token, processor.PathOf(key)));
  if (id != static_cast<uint64_t>(expected)) {
    return MalformedError(processor.PathOf(key) + ": `" + std::string(token) + "` is " +
                          std::to_string(expected) + ", not " + std::to_string(id));
  }
  return expected;
}

Result<SpecialIds> ReadBertProcessing(const Component& processor, const FindToken& find) {
  AKIDB_RETURN_IF_ERROR(processor.AllowOnly({"type", "sep", "cls"}));
  AKIDB_ASSIGN_OR_RETURN(int32_t cls, ReadTokenPair(processor, "cls", find));
  AKIDB_ASSIGN_OR_RETURN(int32_t sep, ReadTokenPair(processor, "sep", find));
  return SpecialIds{{cls}, {sep}};
}

Result<SpecialIds> ReadProcessor(const Component& processor, const FindToken& find, int depth);

// Each member's ids go around those of the members before it.
Result<SpecialIds> ReadProcessors(const Component& sequence, const FindToken& find, int depth) {
  if (depth > 0) return NotImplementedError(sequence, "Sequence` inside a `Sequence");
  AKIDB_ASSIGN_OR_RETURN(ComponentList list, ReadSequence(sequence, "processors"));
  SpecialIds all;
  for (const Component& member : list.members) {
    AKIDB_ASSIGN_OR_RETURN(SpecialIds ids, ReadProcessor(member, find, depth + 1));
    all.prefix.insert(all.prefix.begin(), ids.prefix.begin(), ids.prefix.end());
    all.suffix.insert(all.suffix.end(), ids.suffix.begin(), ids.suffix.end());
  }
  return all;
}

Result<SpecialIds> ReadProcessor(const Component& processor, const FindToken& find, int depth) {
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, processor.String("type"));
  if (type == "TemplateProcessing") return ReadTemplate(processor, find);
  if (type == "BertProcessing") return ReadBertProcessing(processor, find);
  if (type == "Sequence") return ReadProcessors(processor, find, depth);
  if (type != "ByteLevel") return NotImplementedError(processor, type);
  // It only moves offsets.
  AKIDB_RETURN_IF_ERROR(
      processor.AllowOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  return SpecialIds{};
}

}  // namespace

Result<std::vector<AddedToken>> ReadAddedTokens(const TokenizerFile& file, const FindToken& find,
                                                size_t vocabulary_count) {
  std::vector<AddedToken> special;
  std::vector<AddedToken> others;
  if (!file.root.Has("added_tokens")) return special;
  AKIDB_ASSIGN_OR_RETURN(auto array, file.root.Array("added_tokens"));
  std::unordered_set<std::string> contents;
  auto next_id = static_cast<int32_t>(vocabulary_count);
  for (simdjson::dom::element element : array) {
    std::string path = "added_tokens[" + std::to_string(contents.size()) + "]";
    AKIDB_ASSIGN_OR_RETURN(Component object, Component::Of(element, path));
    AKIDB_ASSIGN_OR_RETURN(AddedToken token, ReadAddedToken(object));
    token.is_plain = token.special && file.options.specials_in_text == SpecialsInText::kPlain;
    if (!contents.insert(token.content).second) {
      return MalformedError(object.PathOf("content") + ": `" + token.content + "` occurs twice");
    }
    std::optional<int32_t> id = find(token.content);
    AKIDB_RETURN_IF_ERROR(CheckId(object, token, id ? *id : next_id));
    if (!id) ++next_id;
    (token.special ? special : others).push_back(std::move(token));
  }
  special.insert(special.end(), others.begin(), others.end());
  return special;
}

Result<SpecialIds> ReadPostProcessor(const TokenizerFile& file,
                                     const std::vector<AddedToken>& added_tokens,
                                     const FindToken& find) {
  if (!file.root.Has("post_processor")) return SpecialIds{};
  AKIDB_ASSIGN_OR_RETURN(Component processor, file.root.Object("post_processor"));
  auto find_any = [&](std::string_view token) {
    std::optional<int32_t> id = IdOfAddedToken(added_tokens, token);
    return id ? id : find(token);
  };
  return ReadProcessor(processor, find_any, /*depth=*/0);
}

Status ForEachToken(const Component& model,
                    const std::function<bool(std::string_view token, int32_t id)>& add) {
  AKIDB_ASSIGN_OR_RETURN(Component vocabulary, model.Object("vocab"));
  std::unordered_set<int32_t> ids;
  ids.reserve(vocabulary.fields().size());
  for (simdjson::dom::key_value_pair field : vocabulary.fields()) {
    Result<int32_t> id = NaturalOf(field.value, "");
    // The path is spelled only when it is needed: vocabularies are large.
    if (!id.ok()) return NaturalOf(field.value, vocabulary.PathOf(field.key)).status();
    if (!ids.insert(*id).second) {
      return MalformedError(vocabulary.PathOf(field.key) + ": id " + std::to_string(*id) +
                            " belongs to another token");
    }
    if (!add(field.key, *id)) return MalformedError(vocabulary.PathOf(field.key) + ": given twice");
  }
  return OkStatus();
}

Result<ComponentList> ReadSequence(const Component& sequence, std::string_view key) {
  AKIDB_RETURN_IF_ERROR(sequence.AllowOnly({"type", key}));
  AKIDB_ASSIGN_OR_RETURN(auto elements, sequence.Array(key));
  ComponentList list;
  for (simdjson::dom::element element : elements) {
    std::string path = sequence.PathOf(key) + "[" + std::to_string(list.members.size()) + "]";
    AKIDB_ASSIGN_OR_RETURN(Component member, Component::Of(element, std::move(path)));
    AKIDB_ASSIGN_OR_RETURN(std::string_view type, member.String("type"));
    list.types += (list.types.empty() ? "" : ", ") + std::string(type);
    list.members.push_back(std::move(member));
  }
  return list;
}

Status CheckNormalizedForm(const AddedToken& token, std::string_view form) {
  if (!form.empty() && !IsWhitespace(DecodeChar(form).code_point) &&
      !IsWhitespace(LastChar(form))) {
    return OkStatus();
  }
  return UnsupportedError("tokenizer.added_tokens: `" + token.content +
                          "` is empty or begins or ends with white space when normalised, which is "
                          "not implemented");
}

Status NotImplementedError(const Component& component, std::string_view type) {
  return UnsupportedError(component.path() + ": `" + std::string(type) + "` is not implemented");
}

Result<std::unique_ptr<Tokenizer>> LoadTokenizer(std::string_view json,
                                                 const TokenizerOptions& options) {
  simdjson::dom::parser parser;
  if (auto error = parser.allocate(json.size(), kJsonDepthMax)) {
    return MalformedError(std::string("tokenizer: ") + simdjson::error_message(error));
  }
  simdjson::dom::element root;
  if (auto error = parser.parse(json.data(), json.size()).get(root)) {
    return MalformedError(std::string("tokenizer: ") + simdjson::error_message(error));
  }
  AKIDB_ASSIGN_OR_RETURN(Component file, Component::Of(root, "tokenizer"));
  // How long a text may be is the model's business.
  AKIDB_RETURN_IF_ERROR(
      file.AllowOnly({"version", "truncation", "padding", "added_tokens", "normalizer",
                      "pre_tokenizer", "post_processor", "decoder", "model"}));
  AKIDB_ASSIGN_OR_RETURN(std::string_view version, file.String("version"));
  if (version != "1.0") {
    return UnsupportedError("tokenizer.version: `" + std::string(version) + "`, expected `1.0`");
  }
  AKIDB_ASSIGN_OR_RETURN(Component model, file.Object("model"));
  AKIDB_ASSIGN_OR_RETURN(std::string_view type, model.String("type"));
  for (const Family& family : kFamilies) {
    if (family.model_type == type) return family.load({json, file, options});
  }
  return UnsupportedError("tokenizer.model: `" + std::string(type) + "` is not implemented");
}

}  // namespace akidb::embedding
