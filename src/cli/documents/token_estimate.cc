#include "cli/documents/token_estimate.h"

#include <algorithm>

#include "base/utf8.h"

namespace akidb::cli {
namespace {

enum class CharClass : uint8_t { kSpace, kLetter, kDigit, kMark, kOther };

CharClass ClassOf(unsigned char c) {
  if (c >= 0x80) return CharClass::kOther;
  if (c <= ' ' || c == 0x7F) return CharClass::kSpace;
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return CharClass::kLetter;
  if (c >= '0' && c <= '9') return CharClass::kDigit;
  return CharClass::kMark;
}

// Everyday words up to 9 letters are mostly in the vocabulary; longer ones fall into pieces.
size_t LetterTokens(size_t letters) { return letters <= 9 ? 1 : 1 + (letters - 9 + 3) / 4; }

size_t DigitTokens(size_t digits) { return (digits + 2) / 3; }

}  // namespace

size_t EstimateTokens(std::string_view text) {
  size_t tokens = 0;
  size_t i = 0;
  while (i < text.size()) {
    CharClass kind = ClassOf(static_cast<unsigned char>(text[i]));
    size_t begin = i;
    if (kind == CharClass::kOther) {
      // Letters of other scripts are about a token each, which also holds for most symbols.
      i += std::max<size_t>(1, Utf8SequenceLength(text.substr(i)));
      ++tokens;
      continue;
    }
    if (kind == CharClass::kMark) {
      ++tokens;
      ++i;
      continue;
    }
    while (i < text.size() && ClassOf(static_cast<unsigned char>(text[i])) == kind) ++i;
    if (kind == CharClass::kLetter) tokens += LetterTokens(i - begin);
    if (kind == CharClass::kDigit) tokens += DigitTokens(i - begin);
  }
  return tokens;
}

}  // namespace akidb::cli
