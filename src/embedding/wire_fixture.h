// Messages of protocol buffers, for tests of what reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace akidb::embedding {

inline std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 128; value >>= 7) out += static_cast<char>((value & 127) | 128);
  return out + static_cast<char>(value);
}

// A length-delimited field.
inline std::string Field(uint64_t number, const std::string& body) {
  return Varint(number << 3 | 2) + Varint(body.size()) + body;
}

// A field that is a number.
inline std::string NumberField(uint64_t number, uint64_t value) {
  return Varint(number << 3) + Varint(value);
}

inline std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace akidb::embedding
