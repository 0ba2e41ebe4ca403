// Byte-level byte pair encoding (GPT-2, Qwen 2 and 3): a text is normalised, cut into words by a
// pattern, and a word's bytes are merged to tokens.
//
// The text is read window by window, so that a cut text costs what is kept; a word that reaches the
// end of a window is read again with more. Most words are tokens themselves and cost one probe of a
// hash table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/tokenizer/added_tokens.h"
#include "embedding/tokenizer/bpe_merges.h"
#include "embedding/tokenizer/char_classes.h"
#include "embedding/tokenizer/composing_normalizer.h"
#include "embedding/tokenizer/lazy_flags.h"
#include "embedding/tokenizer/text_cutter.h"
#include "embedding/tokenizer/token_table.h"
#include "embedding/tokenizer/token_texts.h"
#include "embedding/tokenizer/tokenizer.h"
#include "embedding/tokenizer/word_splitter.h"

namespace akidb::embedding {

// A tokenizer.json of this family, checked: every byte is a token, ids are different and not
// negative, merges name tokens.
struct ByteLevelBpeConfig {
  struct Token {
    std::string bytes;
    int32_t id;
  };

  bool nfc = false;
  SplitPattern pattern;
  std::vector<Token> vocabulary;         // of bytes, without the added tokens
  std::vector<Token> unreachable;        // named by characters that stand for no byte
  std::vector<BpeMerges::Merge> merges;  // by rank
  bool ignore_merges = false;            // a word that is a token is that token
  std::vector<AddedToken> added_tokens;  // in the reference's order
  std::vector<int32_t> prefix_ids;
  std::vector<int32_t> suffix_ids;
  TokenDecoder decoder = {};
};

// Immutable, thread-safe (what is worked out on demand stands behind atomics).
class ByteLevelBpeTokenizer final : public Tokenizer {
 public:
  explicit ByteLevelBpeTokenizer(ByteLevelBpeConfig config);

  bool Encode(std::string_view text, size_t ids_max, std::vector<int32_t>& ids) const override;
  std::span<const int32_t> prefix_ids() const override { return config_.prefix_ids; }
  std::span<const int32_t> suffix_ids() const override { return config_.suffix_ids; }
  // Vocabulary tokens in the file's spelling, in which a space is U+0120.
  std::optional<int32_t> IdOf(std::string_view token) const override;
  // The largest id and one.
  size_t vocabulary_size() const override { return vocabulary_size_; }
  std::optional<std::string> TokenOf(int32_t id) const override;
  Result<std::string> Decode(std::span<const int32_t> ids, bool skip_special) const override;

 private:
  class Encoder;
  static constexpr size_t kLookahead = 32;  // bytes that a short word's end is looked for in

  const TokenTexts& Texts() const;
  bool IsItsOwnEncoding(std::string_view word, int32_t id) const;

  ByteLevelBpeConfig config_;
  size_t vocabulary_size_;
  CharClasses classes_;
  ComposingNormalizer nfc_{ComposingNormalizer::Form::kNfc};
  IdentityNormalizer identity_;
  WordSplitter splitter_;
  TokenTable tokens_;
  BpeMerges merges_;
  TextCutter cutter_;
  // By id: whether merging the token's bytes leads to it.
  LazyFlags own_encodings_;
  LazyTokenTexts texts_;
};

}  // namespace akidb::embedding
