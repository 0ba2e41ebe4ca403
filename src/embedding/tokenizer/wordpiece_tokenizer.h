// BERT's tokenizer: BertNormalizer, BertPreTokenizer and WordPiece in one pass over the bytes.
//
// Words of ASCII letters and digits are cut, lower-cased and looked up eight bytes at a time;
// everything else goes character by character through a table (bert_normalizer.h). A text that may
// hold added tokens in normalised form is normalised whole first: only then reading doesn't stop
// at the cut. No memory is taken per word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "embedding/tokenizer/added_tokens.h"
#include "embedding/tokenizer/bert_normalizer.h"
#include "embedding/tokenizer/token_table.h"
#include "embedding/tokenizer/token_texts.h"
#include "embedding/tokenizer/tokenizer.h"

namespace akidb::embedding {

// A tokenizer.json of this family, checked: ids are different and not negative, unk_id is one.
struct WordPieceConfig {
  // A word of more characters is the unknown token; loaders refuse more than this bound.
  static constexpr size_t kWordCharsBound = 256;

  BertNormalizerOptions normalizer;
  std::unordered_map<std::string, int32_t> vocabulary;  // without the added tokens
  std::vector<AddedToken> added_tokens;                 // in the reference's order
  std::string continuing_prefix = "##";
  int32_t unk_id = 0;
  size_t word_chars_max = 100;
  std::vector<int32_t> prefix_ids;
  std::vector<int32_t> suffix_ids;
  TokenDecoder decoder = {};
};

// Immutable, thread-safe (the character tables fill themselves behind atomics).
class WordPieceTokenizer final : public Tokenizer {
 public:
  explicit WordPieceTokenizer(WordPieceConfig config);

  bool Encode(std::string_view text, size_t ids_max, std::vector<int32_t>& ids) const override;
  std::span<const int32_t> prefix_ids() const override { return config_.prefix_ids; }
  std::span<const int32_t> suffix_ids() const override { return config_.suffix_ids; }
  std::optional<int32_t> IdOf(std::string_view token) const override;
  // The largest id and one.
  size_t vocabulary_size() const override { return vocabulary_size_; }
  std::optional<std::string> TokenOf(int32_t id) const override;
  Result<std::string> Decode(std::span<const int32_t> ids, bool skip_special) const override;

 private:
  class Scanner;

  // What the first byte of a character asks for.
  enum class ByteClass : uint8_t { kAlphanumeric, kSpace, kPunct, kOther, kMayBeAdded };

  // How a scanner reads: raw text, or text that is normalised already.
  struct Reading {
    const CharTable* chars;
    const AddedTokenFinder* added;
    std::array<ByteClass, 256> classes;
    uint64_t case_bits;   // of eight letters: what tells upper from lower; 0 if case is kept
    bool by_eight_bytes;  // no added token begins with a letter or digit
  };
  Reading MakeReading(const CharTable& chars, const AddedTokenFinder& added, bool lowercase) const;
  const TokenTexts& Texts() const;
  bool EncodeByPieces(std::string_view text, size_t ids_size_max, std::vector<int32_t>& ids) const;

  WordPieceConfig config_;
  size_t vocabulary_size_ = 0;
  TokenTable words_;
  TokenTable continuations_;
  std::array<int32_t, 128> ascii_ids_{};  // of words of one ASCII character
  CharTable chars_;
  CharTable plain_chars_;  // changes nothing: for text that is normalised already
  AddedTokenFinder raw_added_;
  AddedTokenFinder normalized_added_;
  Reading raw_reading_;
  Reading normalized_reading_;
  LazyTokenTexts texts_;
};

}  // namespace akidb::embedding
