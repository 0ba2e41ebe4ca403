#include "types/text/text_analyzer.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <unicode/uchar.h>
#include <unicode/uversion.h>

#include "base/crc32c.h"
#include "types/text/ascii_folding.h"
#include "types/text/stemmer.h"
#include "types/text/stop_words.h"
#include "types/text/word_breaks.h"
#include "types/text/words.h"

namespace akidb {
namespace {

template <typename F>
void ForEachSpaced(std::string_view text, F f) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const int32_t c = NextCodePoint(text, at);
    if (c < 0 || !u_isUWhiteSpace(c)) continue;
    if (start > begin) f(text.substr(begin, start - begin));
    begin = at;
  }
  if (text.size() > begin) f(text.substr(begin));
}

bool HasLetter(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const int32_t c = NextCodePoint(text, at);
    if (c >= 0 && u_hasBinaryProperty(c, UCHAR_ALPHABETIC) != 0) return true;
  }
  return false;
}

// Words of one piece of ICU's, which keeps "it's" and "3.14" whole: cut at all that is neither of a
// word nor a mark (viramas are no letters, and part of their word).
template <typename F>
void ForEachWordWithMarks(std::string_view piece, F f) {
  size_t begin = 0;
  auto end_word = [&](size_t end) {
    if (end == begin) return;
    const std::string_view word = piece.substr(begin, end - begin);
    if (HasLetter(word)) f(word);
  };
  for (size_t at = 0; at < piece.size();) {
    const size_t start = at;
    const int32_t c = NextCodePoint(piece, at);
    if (IsWordChar(c) || (c >= 0 && (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0)) continue;
    end_word(start);
    begin = at;
  }
  end_word(piece.size());
}

// Another one, whenever a change makes other tokens of the same options.
constexpr std::string_view kTokensVersion = "1, Snowball 2.2, ICU " U_ICU_VERSION;

uint32_t FingerprintOf(const TextOptions& options) {
  std::string all(kTokensVersion);
  auto add = [&](std::string_view part) { (all += '\0') += part; };
  add(std::to_string(static_cast<int>(options.tokenizer)));
  add(options.lowercase ? "lower" : "");
  add(options.ascii_folding ? "ascii" : "");
  add(options.stemmer.value_or(""));
  add(std::to_string(options.token_len_min.value_or(0)));
  add(options.token_len_max ? std::to_string(*options.token_len_max) : "");
  for (const std::string& language : options.stop_word_languages) add("of " + language);
  for (const std::string& word : options.stop_words) add("word " + word);
  return Crc32c(std::as_bytes(std::span(all)));
}

Status CheckOptions(const TextOptions& options) {
  for (const std::string& language : options.stop_word_languages) {
    if (!StopWordsOf(language)) {
      return InvalidArgumentError("there is no list of stop words for the language \"" + language +
                                  "\"");
    }
  }
  if (options.stemmer && !HasStemmer(*options.stemmer)) {
    return InvalidArgumentError("there is no stemmer for the language \"" + *options.stemmer +
                                "\"");
  }
  if (options.token_len_min && options.token_len_max &&
      *options.token_len_min > *options.token_len_max) {
    return InvalidArgumentError("min_token_len " + std::to_string(*options.token_len_min) +
                                " is greater than max_token_len " +
                                std::to_string(*options.token_len_max));
  }
  return OkStatus();
}

}  // namespace

// One text: holds what is for one thread at a time.
class TextAnalyzer::Pass {
 public:
  explicit Pass(const TextAnalyzer& analyzer) : analyzer_(analyzer), options_(analyzer.options_) {
    if (options_.stemmer) stemmer_.emplace(*options_.stemmer);
  }

  // The token of a piece; empty: it is left out.
  std::string TokenOf(std::string_view piece, bool keep_stop_words) {
    std::string token(piece);
    if (options_.ascii_folding) token = FoldToAscii(token);
    if (options_.lowercase) token = LowerCase(token);
    if (!keep_stop_words && analyzer_.stop_words_.contains(token)) return {};
    if (stemmer_) token = std::string(stemmer_->Stem(token));
    return token;
  }

  bool TooShort(std::string_view token) const {
    return options_.token_len_min && CodePoints(token) < *options_.token_len_min;
  }
  bool TooLong(std::string_view token) const {
    return options_.token_len_max && CodePoints(token) > *options_.token_len_max;
  }

 private:
  const TextAnalyzer& analyzer_;
  const TextOptions& options_;
  std::optional<Stemmer> stemmer_;
};

Result<TextAnalyzer> TextAnalyzer::Create(TextOptions options) {
  if (Status status = CheckOptions(options); !status.ok()) return status;
  return TextAnalyzer(std::move(options));
}

TextAnalyzer::TextAnalyzer(TextOptions options)
    : options_(std::move(options)), fingerprint_(FingerprintOf(options_)) {
  for (const std::string& language : options_.stop_word_languages) {
    const std::vector<std::string> words = *StopWordsOf(language);
    stop_words_.insert(words.begin(), words.end());
  }
  for (const std::string& word : options_.stop_words) {
    stop_words_.insert(options_.lowercase ? LowerCase(word) : word);
  }
  if (options_.tokenizer == TextTokenizer::kMultilingual) {
    breaks_ = std::make_unique<const WordBreaks>();
  }
}

TextAnalyzer::TextAnalyzer(TextAnalyzer&&) noexcept = default;
TextAnalyzer& TextAnalyzer::operator=(TextAnalyzer&&) noexcept = default;
TextAnalyzer::~TextAnalyzer() = default;

void TextAnalyzer::ForEachPiece(std::string_view text, const Sink& sink) const {
  switch (options_.tokenizer) {
    case TextTokenizer::kWhitespace:
      ForEachSpaced(text, sink);
      return;
    case TextTokenizer::kMultilingual:
      breaks_->ForEachPiece(text, [&](std::string_view piece) {
        ForEachWordWithMarks(piece,
                             [&](std::string_view word) { sink(LowerCase(WithoutMarks(word))); });
      });
      return;
    case TextTokenizer::kWord:
    case TextTokenizer::kPrefix:
      ForEachWord(text, sink);
      return;
  }
}

void TextAnalyzer::ForEachDocumentToken(std::string_view text, const Sink& sink) const {
  Pass pass(*this);
  const bool prefixes = options_.tokenizer == TextTokenizer::kPrefix;
  ForEachPiece(text, [&](std::string_view piece) {
    const std::string token = pass.TokenOf(piece, false);
    if (token.empty() || pass.TooShort(token)) return;
    if (!prefixes) {
      if (!pass.TooLong(token)) sink(token);
      return;
    }
    const size_t chars = CodePoints(token);
    const size_t last = std::min<size_t>(chars, options_.token_len_max.value_or(kPrefixCharsMax));
    for (size_t n = std::max<size_t>(options_.token_len_min.value_or(1), 1); n <= last; ++n) {
      sink(FirstCodePoints(token, n));
    }
  });
}

void TextAnalyzer::ForEachQueryToken(std::string_view text, const Sink& sink) const {
  if (options_.tokenizer != TextTokenizer::kPrefix) {
    ForEachDocumentToken(text, sink);
    return;
  }
  Pass pass(*this);
  ForEachPiece(text, [&](std::string_view piece) {
    const std::string token = pass.TokenOf(piece, true);
    if (token.empty() || pass.TooShort(token)) return;
    sink(FirstCodePoints(token, options_.token_len_max.value_or(kPrefixCharsMax)));
  });
}

std::vector<std::string> TextAnalyzer::DocumentTokens(std::string_view text) const {
  std::vector<std::string> tokens;
  ForEachDocumentToken(text, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

std::vector<std::string> TextAnalyzer::QueryTokens(std::string_view text) const {
  std::vector<std::string> tokens;
  ForEachQueryToken(text, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

}  // namespace akidb
