#include "embedding/tokenizer/composing_normalizer.h"

#include <algorithm>
#include <array>
#include <vector>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include "base/check.h"
#include "base/utf8.h"
#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

constexpr size_t kUtf8Max = 4;  // bytes of a character

struct Character {
  char32_t code_point;
  uint8_t combining_class;
};

constexpr uint8_t kReferenceUnicode = 9;

// Assigned after the reference's tables were made.
bool IsUnknown(char32_t code_point) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(code_point), age);
  return age[0] > kReferenceUnicode;
}

uint8_t CombiningClass(char32_t code_point) {
  uint8_t combining_class = u_getCombiningClass(static_cast<UChar32>(code_point));
  return combining_class == 0 || IsUnknown(code_point) ? uint8_t{0} : combining_class;
}

const UNormalizer2* IcuForm(ComposingNormalizer::Form form) {
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* icu = form == ComposingNormalizer::Form::kNfc
                                ? unorm2_getNFCInstance(&error)
                                : unorm2_getNFKCInstance(&error);
  AKIDB_CHECK(U_SUCCESS(error));
  return icu;
}

void AppendDecomposed(const UNormalizer2* icu, char32_t c, std::vector<Character>& out) {
  UErrorCode error = U_ZERO_ERROR;
  std::array<UChar, 64> units;
  int32_t size = -1;
  if (!IsUnknown(c)) {
    size = unorm2_getDecomposition(icu, static_cast<UChar32>(c), units.data(),
                                   static_cast<int32_t>(units.size()), &error);
    AKIDB_CHECK(U_SUCCESS(error));
  }
  if (size < 0) {
    out.push_back({c, CombiningClass(c)});
    return;
  }
  for (int32_t i = 0; i < size;) {
    UChar32 part = 0;
    U16_NEXT(units.data(), i, size, part);
    auto code_point = static_cast<char32_t>(part);
    out.push_back({code_point, CombiningClass(code_point)});
  }
}

// Marks of a run by their class, equal ones as they came (UAX #15, canonical ordering).
void Reorder(std::vector<Character>& chars) {
  for (auto begin = chars.begin(); begin != chars.end();) {
    if (begin->combining_class == 0) {
      ++begin;
      continue;
    }
    auto end =
        std::find_if(begin, chars.end(), [](const Character& c) { return c.combining_class == 0; });
    std::stable_sort(begin, end, [](const Character& a, const Character& b) {
      return a.combining_class < b.combining_class;
    });
    begin = end;
  }
}

// The code point that both compose to, or -1.
UChar32 ComposePair(const UNormalizer2* icu, char32_t first, char32_t second) {
  if (IsUnknown(first) || IsUnknown(second)) return -1;
  return unorm2_composePair(icu, static_cast<UChar32>(first), static_cast<UChar32>(second));
}

// In place: every character with the last starter before it, unless one between blocks it.
void Compose(const UNormalizer2* icu, std::vector<Character>& chars) {
  size_t count = 0;
  size_t starter = chars.size();  // none yet
  for (const Character c : chars) {
    bool adjacent = starter + 1 == count;
    if (starter < count && (adjacent || chars[count - 1].combining_class < c.combining_class)) {
      UChar32 composed = ComposePair(icu, chars[starter].code_point, c.code_point);
      if (composed >= 0) {
        chars[starter].code_point = static_cast<char32_t>(composed);
        continue;
      }
    }
    if (c.combining_class == 0) starter = count;
    chars[count++] = c;
  }
  chars.resize(count);
}

// Beyond `from`, the first byte that a sequence may begin with.
size_t SkipContinuations(std::string_view text, size_t from) {
  size_t limit = std::min(text.size(), from + kUtf8Max - 1);
  while (from < limit && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
  return from;
}

}  // namespace

bool ComposingNormalizer::IsInertAt(std::string_view text) const {
  return IsInert(DecodeChar(text).code_point);
}

bool ComposingNormalizer::IsInert(char32_t code_point) const {
  return inert_.Lookup(code_point, [this](char32_t c) {
    UProperty property = form_ == Form::kNfc ? UCHAR_NFC_QUICK_CHECK : UCHAR_NFKC_QUICK_CHECK;
    auto icu_char = static_cast<UChar32>(c);
    return (u_getIntPropertyValue(icu_char, property) == UNORM_YES &&
            u_getCombiningClass(icu_char) == 0) ||
           IsUnknown(c);
  });
}

// `text` is well-formed and not ASCII only.
void ComposingNormalizer::AppendComposed(std::string_view text, std::string& out) const {
  const UNormalizer2* icu = IcuForm(form_);
  std::vector<Character> chars;
  while (!text.empty()) {
    DecodedChar next = DecodeChar(text);
    AppendDecomposed(icu, next.code_point, chars);
    text.remove_prefix(next.size);
  }
  Reorder(chars);
  Compose(icu, chars);
  for (const Character& c : chars) AppendUtf8(c.code_point, out);
}

void ComposingNormalizer::Append(std::string_view text, bool, std::string& out) const {
  size_t done = 0;     // written up to here
  size_t starter = 0;  // where the last inert character begins
  for (size_t position = 0; position < text.size();) {
    if (size_t ascii = AsciiPrefixSize(text.substr(position)); ascii != 0) {
      position += ascii;
      starter = position - 1;
      continue;
    }
    size_t size = Utf8SequenceLength(text.substr(position));
    if (size == 0) {
      out.append(text.substr(done, position - done)).append("\xEF\xBF\xBD");
      starter = done = ++position;
      continue;
    }
    if (size == 1 || IsInertAt(text.substr(position))) {
      starter = position;
      position += size;
      continue;
    }
    size_t end = position + size;
    while (end < text.size()) {
      size = Utf8SequenceLength(text.substr(end));
      if (size <= 1 || IsInertAt(text.substr(end))) break;
      end += size;
    }
    out.append(text.substr(done, starter - done));
    AppendComposed(text.substr(starter, end - starter), out);
    starter = done = position = end;
  }
  out.append(text.substr(done));
}

size_t ComposingNormalizer::CutAt(std::string_view text, size_t from) const {
  if (from >= text.size()) return text.size();
  for (from = SkipContinuations(text, from); from < text.size();) {
    DecodedChar next = DecodeChar(text.substr(from));
    if (next.size == 1 || IsInert(next.code_point)) return from;
    from += next.size;
  }
  return text.size();
}

void IdentityNormalizer::Append(std::string_view text, bool, std::string& out) const {
  AppendReplacingInvalid(text, out);
}

size_t IdentityNormalizer::CutAt(std::string_view text, size_t from) const {
  return from >= text.size() ? text.size() : SkipContinuations(text, from);
}

}  // namespace akidb::embedding
