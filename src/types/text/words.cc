#include "types/text/words.h"

#include <algorithm>

#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "base/check.h"

namespace akidb {
namespace {

bool IsAscii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

bool IsWordChar(int32_t c) {
  if (c < 0) return false;  // not UTF-8
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return u_hasBinaryProperty(c, UCHAR_ALPHABETIC) != 0 ||
         (U_GET_GC_MASK(c) & (U_GC_ND_MASK | U_GC_NL_MASK | U_GC_NO_MASK)) != 0;
}

int32_t NextCodePoint(std::string_view text, size_t& at) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (bytes[at] < 0x80) return bytes[at++];
  UChar32 c;
  U8_NEXT(bytes, at, text.size(), c);
  return c;
}

size_t CodePoints(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) NextCodePoint(text, at);
  return count;
}

std::string_view FirstCodePoints(std::string_view text, size_t count) {
  size_t at = 0;
  for (size_t i = 0; i < count && at < text.size(); ++i) NextCodePoint(text, at);
  return text.substr(0, at);
}

std::string LowerCase(std::string_view text) {
  if (IsAscii(text)) return LowerAscii(text);
  UErrorCode status = U_ZERO_ERROR;
  UCaseMap* map = ucasemap_open("", 0, &status);
  AKIDB_CHECK(U_SUCCESS(status));
  // Lower case may be longer: U+0130 takes 2 bytes, and its lower case 3.
  std::string lower(text.size() * 3, '\0');
  const int32_t size =
      ucasemap_utf8ToLower(map, lower.data(), static_cast<int32_t>(lower.size()), text.data(),
                           static_cast<int32_t>(text.size()), &status);
  ucasemap_close(map);
  AKIDB_CHECK(U_SUCCESS(status));
  lower.resize(static_cast<size_t>(size));
  return lower;
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  ForEachWord(text, [&](std::string_view word) { words.push_back(LowerCase(word)); });
  return words;
}

}  // namespace akidb
