#include "embedding/tokenizer/token_table.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace akidb::embedding {
namespace {

static_assert(std::endian::native == std::endian::little, "ShortText is read from memory");

constexpr size_t kLongSize = ShortText::kSizeMax + 1;

std::string_view LongStart(std::string_view text) { return text.substr(0, ShortText::kSizeMax); }

}  // namespace

ShortText MakeShortText(std::string_view text) {
  AKIDB_CHECK(text.size() <= ShortText::kSizeMax);
  std::array<char, ShortText::kSizeMax> bytes{};
  std::copy(text.begin(), text.end(), bytes.begin());
  return LoadShortText(bytes.data(), text.size());
}

// A power of two of slots, at most three quarters full: a miss then ends after 3 probes or fewer,
// on average.
TokenTable::TokenTable(const std::vector<Token>& tokens) : sizes_(size_t{1} << kStartBits, 0) {
  size_t capacity = std::bit_ceil(std::max<size_t>(2, tokens.size() * 4 / 3 + 1));
  slots_.resize(capacity);
  mask_ = capacity - 1;
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(capacity));
  for (const Token& token : tokens) {
    AKIDB_CHECK(!token.text.empty() && token.id >= 0);
    size_t size = std::min(token.text.size(), kLongSize);
    sizes_[StartOf(token.text)] |= 1u << size;
    if (size == kLongSize) {
      long_tokens_.push_back({std::string(token.text), token.id});
    } else {
      Insert(MakeShortText(token.text), token.id);
    }
  }
  std::sort(long_tokens_.begin(), long_tokens_.end(), [](const LongToken& a, const LongToken& b) {
    int order = LongStart(a.text).compare(LongStart(b.text));
    return order != 0 ? order < 0 : a.text.size() > b.text.size();
  });
}

size_t TokenTable::StartOf(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[i])); };
  uint32_t start = byte(0) | (text.size() > 1 ? byte(1) << 8 : 0);
  return (start * 0x9E3779B1u) >> (32 - kStartBits);
}

void TokenTable::Insert(const ShortText& text, int32_t id) {
  size_t i = Hash(text) >> shift_;
  while (slots_[i & mask_].id != kNoToken) ++i;
  slots_[i & mask_] = {text.low, text.high, id, text.size};
}

int32_t TokenTable::Find(std::string_view text) const {
  if (text.empty()) return kNoToken;
  if (text.size() <= ShortText::kSizeMax) return Find(MakeShortText(text));
  Match match = LongestLong(text, /*whole=*/true);
  return match.id;
}

TokenTable::Match TokenTable::LongestLong(std::string_view text, bool whole) const {
  std::string_view start = LongStart(text);
  auto token = std::lower_bound(
      long_tokens_.begin(), long_tokens_.end(), start,
      [](const LongToken& a, std::string_view b) { return LongStart(a.text) < b; });
  for (; token != long_tokens_.end() && LongStart(token->text) == start; ++token) {
    bool found = whole ? text == token->text : text.starts_with(token->text);
    if (found) return {token->id, token->text.size()};
  }
  return {};
}

TokenTable::Match TokenTable::LongestPrefix(std::string_view text) const {
  uint32_t sizes = sizes_[StartOf(text)];
  if (text.size() > ShortText::kSizeMax && (sizes >> kLongSize) != 0) {
    if (Match match = LongestLong(text, /*whole=*/false); match.id != kNoToken) return match;
  }
  size_t size_max = std::min(text.size(), ShortText::kSizeMax);
  sizes &= (2u << size_max) - 2;
  // Tokens of one byte are filed under that byte alone.
  sizes |= 2;
  while (sizes != 0) {
    auto size = static_cast<size_t>(31 - std::countl_zero(sizes));
    int32_t id = Find(LoadShortText(text.data(), size));
    if (id != kNoToken) return {id, size};
    sizes ^= 1u << size;
  }
  return {};
}

}  // namespace akidb::embedding
