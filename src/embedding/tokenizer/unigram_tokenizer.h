// SentencePiece's Unigram tokenizers (XLM-R, multilingual E5): a text is normalised, cut into words
// that each begin with a mark for the space before them, and the words into tokens.
//
// Inside, that mark (U+2581 by custom) is a space: then text needs no other spelling, and words
// stay short. Most words are tokens themselves and cost one probe of a hash table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/tokenizer/added_tokens.h"
#include "embedding/tokenizer/lazy_flags.h"
#include "embedding/tokenizer/text_cutter.h"
#include "embedding/tokenizer/text_normalizer.h"
#include "embedding/tokenizer/token_table.h"
#include "embedding/tokenizer/token_texts.h"
#include "embedding/tokenizer/tokenizer.h"
#include "embedding/tokenizer/unigram_model.h"

namespace akidb::embedding {

// How a text becomes words, each with the mark before it.
struct MetaspaceOptions {
  enum class Prepend {
    kAlways,  // a mark before every stretch that doesn't begin with one
    kFirst,   // only before the whole text
    kNever,
  };
  std::string mark = "\xE2\x96\x81";
  Prepend prepend = Prepend::kAlways;
  // White space only separates words, each of which gets a mark; needs kAlways.
  bool whitespace_separates = false;
};

// A tokenizer.json of this family, checked.
struct UnigramConfig {
  std::unique_ptr<TextNormalizer> normalizer;
  MetaspaceOptions metaspace;
  UnigramModel::Config model;             // with spaces for marks
  std::vector<UnigramToken> unreachable;  // in the file's spelling: what no text can hold
  std::vector<AddedToken> added_tokens;   // in the reference's order
  std::vector<int32_t> prefix_ids;
  std::vector<int32_t> suffix_ids;
  TokenDecoder decoder = {};
};

// Immutable, thread-safe.
class UnigramTokenizer final : public Tokenizer {
 public:
  explicit UnigramTokenizer(UnigramConfig config);

  bool Encode(std::string_view text, size_t ids_max, std::vector<int32_t>& ids) const override;
  std::span<const int32_t> prefix_ids() const override { return config_.prefix_ids; }
  std::span<const int32_t> suffix_ids() const override { return config_.suffix_ids; }
  // In the file's spelling.
  std::optional<int32_t> IdOf(std::string_view token) const override;
  size_t vocabulary_size() const override { return vocabulary_size_; }
  std::optional<std::string> TokenOf(int32_t id) const override;
  Result<std::string> Decode(std::span<const int32_t> ids, bool skip_special) const override;

 private:
  class Encoder;
  const TokenTexts& Texts() const;

  UnigramConfig config_;
  size_t vocabulary_size_;
  TokenTable tokens_;
  UnigramModel model_;
  TextCutter cutter_;
  LazyFlags own_encodings_;  // by id: whether the best way through the token's text is the token
  LazyTokenTexts texts_;
};

}  // namespace akidb::embedding
