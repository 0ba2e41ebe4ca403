#include "types/text/words.h"

#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "base/check.h"

namespace akidb {
namespace {

bool IsAsciiWord(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsWord(UChar32 c) {
  if (c < 0) return false;  // not UTF-8
  return u_hasBinaryProperty(c, UCHAR_ALPHABETIC) != 0 ||
         (U_GET_GC_MASK(c) & (U_GC_ND_MASK | U_GC_NL_MASK | U_GC_NO_MASK)) != 0;
}

std::string LowerAscii(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string LowerUnicode(std::string_view word) {
  UErrorCode status = U_ZERO_ERROR;
  UCaseMap* map = ucasemap_open("", 0, &status);
  AKIDB_CHECK(U_SUCCESS(status));
  // Lower case may be longer: U+0130 takes 2 bytes, and its lower case 3.
  std::string lower(word.size() * 3, '\0');
  const int32_t size =
      ucasemap_utf8ToLower(map, lower.data(), static_cast<int32_t>(lower.size()), word.data(),
                           static_cast<int32_t>(word.size()), &status);
  ucasemap_close(map);
  AKIDB_CHECK(U_SUCCESS(status));
  lower.resize(static_cast<size_t>(size));
  return lower;
}

}  // namespace

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  size_t begin = 0;
  bool ascii = true;
  auto end_word = [&](size_t end) {
    if (end > begin) {
      const std::string_view word = text.substr(begin, end - begin);
      words.push_back(ascii ? LowerAscii(word) : LowerUnicode(word));
    }
  };
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    bool in_word;
    if (bytes[at] < 0x80) {
      in_word = IsAsciiWord(bytes[at++]);
    } else {
      UChar32 c;
      U8_NEXT(bytes, at, text.size(), c);
      in_word = IsWord(c);
      ascii = ascii && !in_word;
    }
    if (in_word) continue;
    end_word(start);
    begin = at;
    ascii = true;
  }
  end_word(text.size());
  return words;
}

}  // namespace akidb
