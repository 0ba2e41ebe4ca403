// The parts of a tokenizer.json that every family of models shares, and the loaders of families.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "embedding/tokenizer/added_tokens.h"
#include "embedding/tokenizer/component_json.h"
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

// In the reference's order: special ones first, each kind as in the file. `find` is the model's
// vocabulary, of `vocabulary_count` tokens. kMalformed if an id isn't the one that the reference
// gives the token, whatever the file says.
Result<std::vector<AddedToken>> ReadAddedTokens(
    const Component& file, const std::function<std::optional<int32_t>(std::string_view)>& find,
    size_t vocabulary_count);

struct SpecialIds {
  std::vector<int32_t> prefix;
  std::vector<int32_t> suffix;
};
// Around a single text. null, TemplateProcessing and BertProcessing.
Result<SpecialIds> ReadPostProcessor(
    const Component& file, const std::function<std::optional<int32_t>(std::string_view)>& find);

// One per model type, each in a file of its own; `file` is the whole tokenizer.json.
Result<std::unique_ptr<Tokenizer>> LoadWordPiece(const Component& file);

}  // namespace akidb::embedding
