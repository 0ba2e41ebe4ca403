// The parts of a tokenizer.json that every family of models shares, and the loaders of families.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "embedding/tokenizer/added_tokens.h"
#include "embedding/tokenizer/component_json.h"
#include "embedding/tokenizer/token_texts.h"
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

using FindToken = std::function<std::optional<int32_t>(std::string_view)>;

// A tokenizer.json, and how it is to be read.
struct TokenizerFile {
  std::string_view json;
  Component root;  // of `json`
  TokenizerOptions options;
};

// In the reference's order: special ones first, each kind as in the file. `find` is the model's
// vocabulary, of `vocabulary_count` tokens. kMalformed if an id isn't the one that the reference
// gives the token, whatever the file says.
Result<std::vector<AddedToken>> ReadAddedTokens(const TokenizerFile& file, const FindToken& find,
                                                size_t vocabulary_count);

// Calls `add` for each token of the model's `vocab`, an object of ids. kMalformed if ids are no
// different naturals, or if `add` says that the token was there already.
Status ForEachToken(const Component& model,
                    const std::function<bool(std::string_view token, int32_t id)>& add);

struct SpecialIds {
  std::vector<int32_t> prefix;
  std::vector<int32_t> suffix;
};
// Around a single text. null, TemplateProcessing, BertProcessing, ByteLevel (which adds none), and
// sequences of them. `find` is the model's vocabulary.
Result<SpecialIds> ReadPostProcessor(const TokenizerFile& file,
                                     const std::vector<AddedToken>& added_tokens,
                                     const FindToken& find);

// null, WordPiece, ByteLevel, Metaspace; anything else is a refusal to decode.
TokenDecoder ReadDecoder(const Component& root);

// The members of a Sequence, under `key`, and their types with ", " between.
struct ComponentList {
  std::vector<Component> members;
  std::string types;
};
Result<ComponentList> ReadSequence(const Component& sequence, std::string_view key);

// Refuses an added token whose normalised form is empty or has white space at an end: the reference
// then finds empty or overlapping matches.
Status CheckNormalizedForm(const AddedToken& token, std::string_view form);

// kUnsupported that names the component of that type.
Status NotImplementedError(const Component& component, std::string_view type);

// One per model type, each in a file of its own.
Result<std::unique_ptr<Tokenizer>> LoadWordPiece(const TokenizerFile& file);
Result<std::unique_ptr<Tokenizer>> LoadByteLevelBpe(const TokenizerFile& file);
Result<std::unique_ptr<Tokenizer>> LoadUnigram(const TokenizerFile& file);

}  // namespace akidb::embedding
