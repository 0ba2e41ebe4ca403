// Characters of words, and the words that full-text conditions without an index compare.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace akidb {

// Letters and digits (Unicode: Alphabetic, or of the general category N). Negative: no.
bool IsWordChar(int32_t code_point);

// Lower case by Unicode's full mapping, of no language. Bytes that are not UTF-8 become U+FFFD.
std::string LowerCase(std::string_view text);

// Calls f(std::string_view) for the longest runs of letters and digits, in their order. Everything
// else parts words, bytes that are not UTF-8 too.
template <typename F>
void ForEachWord(std::string_view text, F f);

// Those, each in lower case.
std::vector<std::string> WordsOf(std::string_view text);

// One code point of UTF-8 at `at`, which moves behind it; negative where the bytes are none.
int32_t NextCodePoint(std::string_view text, size_t& at);

// How many code points; bytes that are not UTF-8 count as one each.
size_t CodePoints(std::string_view text);
// The bytes of the first `count` code points, or all.
std::string_view FirstCodePoints(std::string_view text, size_t count);

template <typename F>
void ForEachWord(std::string_view text, F f) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    if (IsWordChar(NextCodePoint(text, at))) continue;
    if (start > begin) f(text.substr(begin, start - begin));
    begin = at;
  }
  if (text.size() > begin) f(text.substr(begin));
}

}  // namespace akidb
