#include "types/text/ascii_folding.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "base/check.h"
#include "types/text/words.h"

namespace akidb {
namespace {

struct Folding {
  char32_t letter;
  std::string_view ascii;
};

// Letters of Latin-1, Latin Extended-A and -B, IPA and Latin Extended Additional that Unicode does
// not decompose, ascending.
constexpr std::array kFoldings = {
    Folding{U'Æ', "AE"}, Folding{U'Ð', "D"},  Folding{U'Ø', "O"},  Folding{U'Þ', "TH"},
    Folding{U'ß', "ss"}, Folding{U'æ', "ae"}, Folding{U'ð', "d"},  Folding{U'ø', "o"},
    Folding{U'þ', "th"}, Folding{U'Đ', "D"},  Folding{U'đ', "d"},  Folding{U'Ħ', "H"},
    Folding{U'ħ', "h"},  Folding{U'ı', "i"},  Folding{U'ĸ', "q"},  Folding{U'Ł', "L"},
    Folding{U'ł', "l"},  Folding{U'Ŋ', "N"},  Folding{U'ŋ', "n"},  Folding{U'Œ', "OE"},
    Folding{U'œ', "oe"}, Folding{U'Ŧ', "T"},  Folding{U'ŧ', "t"},  Folding{U'ƀ', "b"},
    Folding{U'Ɓ', "B"},  Folding{U'Ɖ', "D"},  Folding{U'Ɗ', "D"},  Folding{U'Ə', "A"},
    Folding{U'ƒ', "f"},  Folding{U'Ɨ', "I"},  Folding{U'ƚ', "l"},  Folding{U'Ǝ', "E"},
    Folding{U'ǝ', "e"},  Folding{U'Ǥ', "G"},  Folding{U'ǥ', "g"},  Folding{U'Ⱥ', "A"},
    Folding{U'Ƀ', "B"},  Folding{U'Ɇ', "E"},  Folding{U'ɇ', "e"},  Folding{U'Ɉ', "J"},
    Folding{U'ɉ', "j"},  Folding{U'Ɍ', "R"},  Folding{U'ɍ', "r"},  Folding{U'Ɏ', "Y"},
    Folding{U'ɏ', "y"},  Folding{U'ə', "a"},  Folding{U'ɨ', "i"},  Folding{U'ʉ', "u"},
    Folding{U'ẜ', "s"},  Folding{U'ẝ', "s"},  Folding{U'ẞ', "SS"},
};

const Folding* FindFolding(int32_t c) {
  const auto* found = std::find_if(kFoldings.begin(), kFoldings.end(), [c](const Folding& folding) {
    return static_cast<int32_t>(folding.letter) == c;
  });
  return found == kFoldings.end() ? nullptr : found;
}

const UNormalizer2* Decomposer() {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfkd = unorm2_getNFKDInstance(&status);
  AKIDB_CHECK(U_SUCCESS(status));
  return nfkd;
}

// The decomposition of one code point, in UTF-16; itself if it has none.
std::u16string_view Decompose(const UNormalizer2* nfkd, int32_t c, std::array<UChar, 32>& buffer) {
  UErrorCode status = U_ZERO_ERROR;
  int32_t size =
      unorm2_getDecomposition(nfkd, c, buffer.data(), static_cast<int32_t>(buffer.size()), &status);
  AKIDB_CHECK(U_SUCCESS(status));
  if (size < 0) {
    size = 0;
    U16_APPEND_UNSAFE(buffer.data(), size, c);
  }
  return {buffer.data(), static_cast<size_t>(size)};
}

bool IsMark(int32_t c) { return u_charType(c) == U_NON_SPACING_MARK; }

void AppendAsciiOf(const UNormalizer2* nfkd, int32_t c, std::string_view bytes, std::string& out) {
  if (const Folding* folding = FindFolding(c)) {
    out += folding->ascii;
    return;
  }
  std::array<UChar, 32> buffer;
  const size_t before = out.size();
  for (const char16_t unit : Decompose(nfkd, c, buffer)) {
    if (unit < 0x80) {
      out.push_back(static_cast<char>(unit));
    } else if (const Folding* base = FindFolding(unit)) {
      out += base->ascii;
    } else if (U16_IS_SURROGATE(unit) || !IsMark(unit)) {
      out.resize(before);
      out += bytes;
      return;
    }
  }
  if (out.size() == before) out += bytes;  // a mark alone
}

std::string Composed(const std::u16string& text) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfc = unorm2_getNFCInstance(&status);
  std::u16string composed(text.size() + 1, u'\0');
  const int32_t size =
      unorm2_normalize(nfc, text.data(), static_cast<int32_t>(text.size()), composed.data(),
                       static_cast<int32_t>(composed.size()), &status);
  AKIDB_CHECK(U_SUCCESS(status));
  std::string out;
  for (int32_t at = 0; at < size;) {
    UChar32 c;
    U16_NEXT(composed.data(), at, size, c);
    uint8_t bytes[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, c);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
  }
  return out;
}

}  // namespace

std::string FoldToAscii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const UNormalizer2* nfkd = Decomposer();
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const int32_t c = NextCodePoint(text, at);
    const std::string_view bytes = text.substr(start, at - start);
    if (c < 0x80) {
      out += bytes;  // ASCII, or no UTF-8
    } else {
      AppendAsciiOf(nfkd, c, bytes, out);
    }
  }
  return out;
}

std::string WithoutMarks(std::string_view text) {
  constexpr char16_t kVoiced = 0x3099;
  constexpr char16_t kSemiVoiced = 0x309A;
  std::u16string kept;
  const UNormalizer2* nfkd = Decomposer();
  for (size_t at = 0; at < text.size();) {
    const int32_t c = NextCodePoint(text, at);
    std::array<UChar, 32> buffer;
    for (const char16_t unit : Decompose(nfkd, c < 0 ? 0xFFFD : c, buffer)) {
      if (U16_IS_SURROGATE(unit) || !IsMark(unit) || unit == kVoiced || unit == kSemiVoiced) {
        kept.push_back(unit);
      }
    }
  }
  return Composed(kept);
}

}  // namespace akidb
