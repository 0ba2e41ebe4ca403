#include "embedding/tokenizer/code_points.h"

#include <cstdint>
#include <cstring>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "base/utf8.h"

namespace akidb::embedding {
namespace {

// Word characters that the reference knows and ICU 72 does not: letters, marks and digits of
// Unicode 15.1 and 16. Found by a sweep over every code point.
constexpr CodePointRange kNewWordCharacters[] = {
    {0x897, 0x897},     {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},
    {0x105C0, 0x105F3}, {0x10D40, 0x10D65}, {0x10D69, 0x10D6D}, {0x10D6F, 0x10D85},
    {0x10EC2, 0x10EC4}, {0x10EFC, 0x10EFC}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
    {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113C0}, {0x113C2, 0x113C2},
    {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D3}, {0x113E1, 0x113E2},
    {0x116D0, 0x116E3}, {0x11BC0, 0x11BE0}, {0x11BF0, 0x11BF9}, {0x11F5A, 0x11F5A},
    {0x13460, 0x143FA}, {0x16100, 0x16139}, {0x16D40, 0x16D6C}, {0x16D70, 0x16D79},
    {0x18CFF, 0x18CFF}, {0x1CCF0, 0x1CCF9}, {0x1E5D0, 0x1E5FA}, {0x2EBF0, 0x2EE5D},
};

}  // namespace

bool IsIn(std::span<const CodePointRange> ranges, char32_t code_point) {
  for (const CodePointRange& range : ranges) {
    if (code_point >= range.first && code_point <= range.last) return true;
  }
  return false;
}

bool IsWhitespace(char32_t code_point) {
  return u_isUWhiteSpace(static_cast<UChar32>(code_point)) != 0;
}

bool IsWordCharacter(char32_t code_point) {
  auto c = static_cast<UChar32>(code_point);
  return u_isUAlphabetic(c) ||
         (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) || IsIn(kNewWordCharacters, code_point);
}

DecodedChar DecodeChar(std::string_view text) {
  size_t size = Utf8SequenceLength(text);
  auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  switch (size) {
    case 1:
      return {byte(0), 1};
    case 2:
      return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
    case 3:
      return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
    case 4:
      return {(byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
                  (byte(3) & 0x3F),
              4};
    default:
      return {kReplacement, 1};
  }
}

size_t AsciiPrefixSize(std::string_view text) {
  size_t size = 0;
  for (; text.size() - size >= sizeof(uint64_t); size += sizeof(uint64_t)) {
    uint64_t eight = 0;
    std::memcpy(&eight, text.data() + size, sizeof eight);
    if ((eight & 0x8080808080808080u) != 0) break;
  }
  return size;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  uint8_t bytes[U8_MAX_LENGTH];
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, code_point);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
}

void AppendReplacingInvalid(std::string_view text, std::string& out) {
  size_t done = 0;
  for (size_t i = 0; i < text.size();) {
    i += AsciiPrefixSize(text.substr(i));
    if (i == text.size()) break;
    size_t size = Utf8SequenceLength(text.substr(i));
    if (size == 0) {
      out.append(text.substr(done, i - done)).append("\xEF\xBF\xBD");
      done = ++i;
    } else {
      i += size;
    }
  }
  out.append(text.substr(done));
}

char32_t LastChar(std::string_view text) {
  for (size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    std::string_view tail = text.substr(text.size() - size);
    if (Utf8SequenceLength(tail) == size) return DecodeChar(tail).code_point;
  }
  return kReplacement;
}

}  // namespace akidb::embedding
