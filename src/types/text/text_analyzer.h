// The tokens of a text, by options.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/status.h"
#include "types/text_options.h"

namespace akidb {

class WordBreaks;

// The tokenizer cuts; each piece is then folded to ASCII, put in lower case, left out if it is a
// stop word, stemmed, and left out if it is too short or too long: in this order, each if asked
// for. Immutable: any number of threads.
class TextAnalyzer {
 public:
  // Of words without a greater bound of their own, kPrefix takes beginnings up to this many code
  // points: a document's tokens would grow with the square of a word's length.
  static constexpr size_t kPrefixCharsMax = 128;

  // kInvalidArgument: a language that has no list of stop words or no stemmer, bounds that exclude
  // each other.
  static Result<TextAnalyzer> Create(TextOptions options);

  TextAnalyzer(TextAnalyzer&&) noexcept;
  TextAnalyzer& operator=(TextAnalyzer&&) noexcept;
  ~TextAnalyzer();

  const TextOptions& options() const { return options_; }
  // The same for analyzers that make the same tokens: of the options, and of what this program and
  // its libraries make of them (a CRC32C).
  uint32_t fingerprint() const { return fingerprint_; }

  using Sink = std::function<void(std::string_view token)>;
  // Calls `sink` for each token of a stored text, in order, repetitions too; the view lasts for the
  // call.
  void ForEachDocumentToken(std::string_view text, const Sink& sink) const;
  // The same of a text that is looked for: other than a document's with kPrefix only, where each
  // word is one token, cut at the greater bound, and stop words stay (a word may begin with one).
  void ForEachQueryToken(std::string_view text, const Sink& sink) const;

  std::vector<std::string> DocumentTokens(std::string_view text) const;
  std::vector<std::string> QueryTokens(std::string_view text) const;

 private:
  class Pass;
  explicit TextAnalyzer(TextOptions options);
  void ForEachPiece(std::string_view text, const Sink& sink) const;

  TextOptions options_;
  uint32_t fingerprint_;
  std::unordered_set<std::string> stop_words_;
  std::unique_ptr<const WordBreaks> breaks_;  // of kMultilingual
};

}  // namespace akidb
