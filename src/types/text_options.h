// How texts are cut into tokens: what a text index and qdrant/bm25 objects are given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace akidb {

enum class TextTokenizer : uint8_t {
  kWord,          // runs of letters and digits
  kWhitespace,    // what white space parts
  kPrefix,        // words, and in documents all beginnings of each
  kMultilingual,  // words of all scripts, without marks, in lower case; none without a letter
};

struct TextOptions {
  TextTokenizer tokenizer = TextTokenizer::kWord;
  bool lowercase = true;
  bool ascii_folding = false;
  // Tokens that are left out: those of the lists of these languages (English names), and these.
  std::vector<std::string> stop_word_languages{};
  std::vector<std::string> stop_words{};
  std::optional<std::string> stemmer{};  // a language of Snowball's, by its English name
  // In code points; tokens beyond are left out, except that kPrefix cuts at the greater bound.
  std::optional<uint32_t> token_len_min{};
  std::optional<uint32_t> token_len_max{};

  friend bool operator==(const TextOptions&, const TextOptions&) = default;
};

}  // namespace akidb
