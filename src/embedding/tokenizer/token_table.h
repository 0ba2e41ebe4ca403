// The tokens of a model, laid out for two questions: is this whole word a token, and what is the
// longest token that this rest of a word begins with.
//
// Words of up to 16 bytes are two integers, so that a probe compares no strings; the few longer
// tokens lie apart. Immutable after building, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace akidb::embedding {

inline constexpr int32_t kNoToken = -1;

// Up to 16 bytes of text, little-endian, zero above `size`.
struct ShortText {
  uint64_t low = 0;
  uint64_t high = 0;
  uint32_t size = 0;

  static constexpr size_t kSizeMax = 16;
};

// One set of tokens: those that begin a word, or those that continue one.
class TokenTable {
 public:
  // `tokens` are different from each other and not empty.
  struct Token {
    std::string_view text;
    int32_t id;
  };
  explicit TokenTable(const std::vector<Token>& tokens);

  int32_t Find(const ShortText& text) const {
    for (size_t i = Hash(text) >> shift_;; ++i) {
      const Slot& slot = slots_[i & mask_];
      if (slot.low == text.low && slot.high == text.high && slot.size == text.size) return slot.id;
      if (slot.id == kNoToken) return kNoToken;
    }
  }
  int32_t Find(std::string_view text) const;

  // Calls `take(text, id)` for each token, in no particular order.
  template <typename Take>
  void ForEach(const Take& take) const {
    for (const Slot& slot : slots_) {
      if (slot.id == kNoToken) continue;
      const std::array<char, ShortText::kSizeMax> text = TextOf(slot);
      take(std::string_view(text.data(), slot.size), slot.id);
    }
    for (const LongToken& token : long_tokens_) take(std::string_view(token.text), token.id);
  }

  struct Match {
    int32_t id = kNoToken;
    size_t size = 0;
  };
  // The longest token that `text` begins with. At least 16 readable bytes lie behind `text`'s
  // start, whatever its size. At most 16 probes, and one for each longer token of the same start.
  Match LongestPrefix(std::string_view text) const;

 private:
  struct Slot {
    uint64_t low = 0;
    uint64_t high = 0;
    int32_t id = kNoToken;
    uint32_t size = 0;
  };
  struct LongToken {
    std::string text;
    int32_t id;
  };
  static constexpr size_t kStartBits = 12;

  static uint64_t Hash(const ShortText& text) {
    uint64_t mixed = (text.low ^ (text.high * 0x9E3779B97F4A7C15u)) * 0xBF58476D1CE4E5B9u;
    return (mixed ^ (mixed >> 32)) * 0x94D049BB133111EBu;
  }
  static size_t StartOf(std::string_view text);
  static std::array<char, ShortText::kSizeMax> TextOf(const Slot& slot) {
    std::array<char, ShortText::kSizeMax> text;
    std::memcpy(text.data(), &slot.low, sizeof slot.low);
    std::memcpy(text.data() + sizeof slot.low, &slot.high, sizeof slot.high);
    return text;
  }
  void Insert(const ShortText& text, int32_t id);
  Match LongestLong(std::string_view text, bool whole) const;

  std::vector<Slot> slots_;
  unsigned shift_ = 0;
  size_t mask_ = 0;
  // Per hash of the first two bytes: bit n set if a token of n bytes (17: of more) begins so.
  std::vector<uint32_t> sizes_;
  std::vector<LongToken> long_tokens_;  // by their first 16 bytes, then longest first
};

ShortText MakeShortText(std::string_view text);

// As above, for the first `size` <= 16 bytes at `data`, behind which 16 bytes are readable.
inline ShortText LoadShortText(const char* data, size_t size) {
  ShortText text;
  std::memcpy(&text.low, data, sizeof text.low);
  std::memcpy(&text.high, data + sizeof text.low, sizeof text.high);
  text.size = static_cast<uint32_t>(size);
  if (size < 8) {
    text.low &= (uint64_t{1} << (8 * size)) - 1;
    text.high = 0;
  } else if (size < 16) {
    text.high &= (uint64_t{1} << (8 * (size - 8))) - 1;
  }
  return text;
}

}  // namespace akidb::embedding
