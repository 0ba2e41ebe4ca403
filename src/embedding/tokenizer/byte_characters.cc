#include "embedding/tokenizer/byte_characters.h"

#include <array>
#include <cstdint>

#include "embedding/tokenizer/code_points.h"

namespace akidb::embedding {
namespace {

constexpr char32_t kOthersBegin = 0x100;
constexpr char32_t kEnd = kOthersBegin + 33 + 34 + 1;  // controls, U+007F to U+00A0, soft hyphen

constexpr bool IsPrintable(char32_t c) {
  return (c >= '!' && c <= '~') || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF);
}

// Of a character below kEnd, or -1.
constexpr std::array<int16_t, kEnd> kBytes = [] {
  std::array<int16_t, kEnd> bytes{};
  char32_t next = kOthersBegin;
  for (auto& byte : bytes) byte = -1;
  for (char32_t byte = 0; byte < 256; ++byte) {
    bytes[IsPrintable(byte) ? byte : next++] = static_cast<int16_t>(byte);
  }
  return bytes;
}();

constexpr std::array<char32_t, 256> kCharacters = [] {
  std::array<char32_t, 256> characters{};
  for (char32_t c = 0; c < kEnd; ++c) {
    if (kBytes[c] >= 0) characters[static_cast<size_t>(kBytes[c])] = c;
  }
  return characters;
}();
static_assert(kEnd < 0x800, "a character takes at most two bytes");

}  // namespace

std::optional<std::string> BytesOfCharacters(std::string_view characters) {
  std::string bytes;
  while (!characters.empty()) {
    DecodedChar next = DecodeChar(characters);
    characters.remove_prefix(next.size);
    if (next.code_point >= kEnd || kBytes[next.code_point] < 0) return std::nullopt;
    bytes += static_cast<char>(kBytes[next.code_point]);
  }
  return bytes;
}

std::string CharactersOfBytes(std::string_view bytes) {
  std::string characters;
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const char32_t character = kCharacters[byte];
    if (character < 0x80) {
      characters += static_cast<char>(character);
    } else {
      characters += static_cast<char>(0xC0 | character >> 6);
      characters += static_cast<char>(0x80 | (character & 0x3F));
    }
  }
  return characters;
}

}  // namespace akidb::embedding
