// Reading code points out of UTF-8, and the two classes of them that all tokenizers share.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace akidb::embedding {

inline constexpr char32_t kReplacement = 0xFFFD;

struct CodePointRange {
  char32_t first;
  char32_t last;
};
bool IsIn(std::span<const CodePointRange> ranges, char32_t code_point);

// White_Space, as the reference's language defines it.
bool IsWhitespace(char32_t code_point);
// \w of the reference's regular expressions: letters, marks, digits, connectors, joiners.
bool IsWordCharacter(char32_t code_point);

// The code point at the start of `text`, which is not empty; U+FFFD and 1 byte if ill-formed.
struct DecodedChar {
  char32_t code_point;
  size_t size;
};
DecodedChar DecodeChar(std::string_view text);
// How many bytes at the start of `text` are ASCII, counted in eights: never too many.
size_t AsciiPrefixSize(std::string_view text);
// Appends the code point, which is no surrogate, as UTF-8.
void AppendUtf8(char32_t code_point, std::string& out);
// Appends `text` with U+FFFD for every byte that belongs to no well-formed sequence.
void AppendReplacingInvalid(std::string_view text, std::string& out);
// The code point that ends `text`, which is not empty.
char32_t LastChar(std::string_view text);

}  // namespace akidb::embedding
