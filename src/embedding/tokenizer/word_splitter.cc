#include "embedding/tokenizer/word_splitter.h"

#include <limits>

#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr size_t kContractionMax = 3;  // bytes: 'll, or ' and the long s

}  // namespace

SplitPattern SplitPattern::Gpt2() {
  SplitPattern pattern;
  pattern.space_before_numbers = true;
  pattern.numbers_max = std::numeric_limits<size_t>::max();
  return pattern;
}

std::optional<SplitPattern> FindSplitPattern(std::string_view regex) {
  if (regex == kGpt2) return SplitPattern::Gpt2();
  if (regex != kQwen2 && regex != kLlama3) return std::nullopt;
  SplitPattern pattern;
  pattern.folds_case = true;
  pattern.any_before_letters = true;
  pattern.numbers_max = regex == kQwen2 ? 1 : 3;
  pattern.newlines_are_separate = true;
  return pattern;
}

WordSplitter::Char WordSplitter::At(std::string_view text, size_t position) const {
  if (position >= text.size()) return {CharClass::kOther, 0};
  auto byte = static_cast<unsigned char>(text[position]);
  if (byte < 0x80) return {classes_.OfAscii(byte), 1};
  DecodedChar next = DecodeChar(text.substr(position));
  return {classes_.Lookup(next.code_point), next.size};
}

size_t WordSplitter::SkipRun(std::string_view text, size_t position, CharClass char_class) const {
  for (Char c = At(text, position); c.size != 0 && c.char_class == char_class;
       c = At(text, position)) {
    position += c.size;
  }
  return position;
}

size_t WordSplitter::SkipNumbers(std::string_view text, size_t position) const {
  for (size_t count = 0; count < pattern_.numbers_max; ++count) {
    Char c = At(text, position);
    if (c.size == 0 || c.char_class != CharClass::kNumber) break;
    position += c.size;
  }
  return position;
}

// Neither white space nor letters nor numbers, and the newlines behind them.
size_t WordSplitter::SkipRest(std::string_view text, size_t position) const {
  position = SkipRun(text, position, CharClass::kOther);
  return pattern_.newlines_are_separate ? SkipRun(text, position, CharClass::kNewline) : position;
}

// Bytes of the contraction that `text` begins with, or 0.
size_t WordSplitter::ContractionSize(std::string_view text) const {
  if (text.empty() || text[0] != '\'') return 0;
  auto lower = [&](size_t i) {
    if (i >= text.size()) return '\0';
    bool is_upper = pattern_.folds_case && text[i] >= 'A' && text[i] <= 'Z';
    return is_upper ? static_cast<char>(text[i] | 0x20) : text[i];
  };
  char first = lower(1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (pattern_.folds_case && text.substr(1).starts_with("ſ")) return 3;  // folds to s
  char second = lower(2);
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  return first == 'l' && second == 'l' ? 3 : 0;
}

WordSplitter::Word WordSplitter::Next(std::string_view text, size_t begin) const {
  Char c = At(text, begin);
  switch (c.char_class) {
    case CharClass::kLetter:
      return EndingAt(text, SkipRun(text, begin, CharClass::kLetter));
    case CharClass::kNumber:
      return EndingAt(text, SkipNumbers(text, begin));
    case CharClass::kNewline:
      return WhitespaceWord(text, begin);
    case CharClass::kSpace:
    case CharClass::kOther:
      break;
  }
  if (size_t size = ContractionSize(text.substr(begin)); size != 0) return {begin + size, false};
  bool is_space = text[begin] == ' ';
  size_t behind = begin + c.size;
  Char next = At(text, behind);
  if (next.size != 0) {
    if (next.char_class == CharClass::kLetter && (is_space || pattern_.any_before_letters)) {
      return EndingAt(text, SkipRun(text, behind, CharClass::kLetter));
    }
    if (next.char_class == CharClass::kNumber && is_space && pattern_.space_before_numbers) {
      return EndingAt(text, SkipNumbers(text, behind));
    }
    if (next.char_class == CharClass::kOther && is_space) {
      return EndingAt(text, SkipRest(text, behind));
    }
  }
  if (c.char_class == CharClass::kSpace) return WhitespaceWord(text, begin);
  Word word = EndingAt(text, SkipRest(text, begin));
  // What follows an apostrophe may make it a contraction.
  word.is_open = word.is_open || (text[begin] == '\'' && text.size() - begin < kContractionMax);
  return word;
}

// A run up to its last newline, if those are separate. Else all but its last character, which goes
// with what follows, if there is such a thing.
WordSplitter::Word WordSplitter::WhitespaceWord(std::string_view text, size_t begin) const {
  size_t end = begin;
  size_t last_begin = begin;
  size_t newlines_end = begin;
  for (Char c = At(text, end); c.size != 0; c = At(text, end)) {
    if (c.char_class != CharClass::kSpace && c.char_class != CharClass::kNewline) break;
    last_begin = end;
    end += c.size;
    if (c.char_class == CharClass::kNewline) newlines_end = end;
  }
  bool is_open = end == text.size();
  if (pattern_.newlines_are_separate && newlines_end > begin) return {newlines_end, is_open};
  if (is_open || last_begin == begin) return {end, is_open};
  return {last_begin, false};
}

}  // namespace akidb::embedding
