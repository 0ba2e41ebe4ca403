#include "types/uuid.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <openssl/evp.h>

#include "base/check.h"

namespace akidb {
namespace {

constexpr std::string_view kUrnPrefix = "urn:uuid:";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsHyphenPlace(size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

void SetVersion(int version, Uuid& uuid) {
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0F) | (version << 4));
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
}

}  // namespace

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() == kUrnPrefix.size() + 36 && text.starts_with(kUrnPrefix)) {
    text.remove_prefix(kUrnPrefix.size());
  } else if (text.size() == 38 && text.front() == '{' && text.back() == '}') {
    text = text.substr(1, 36);
  }
  bool hyphenated = text.size() == 36;
  if (!hyphenated && text.size() != 32) return std::nullopt;
  Uuid uuid;
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (hyphenated && IsHyphenPlace(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    uint8_t& byte = uuid.bytes[digits++ / 2];
    byte = static_cast<uint8_t>(byte << 4 | digit);
  }
  return uuid;
}

Uuid Uuid::FromRandom(std::span<const std::byte, 16> random) {
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), random.data(), 16);
  SetVersion(4, uuid);
  return uuid;
}

Uuid Uuid::FromName(const Uuid& name_space, std::string_view name) {
  std::vector<uint8_t> input(name_space.bytes.begin(), name_space.bytes.end());
  input.insert(input.end(), name.begin(), name.end());
  uint8_t digest[EVP_MAX_MD_SIZE];
  AKIDB_CHECK(EVP_Digest(input.data(), input.size(), digest, nullptr, EVP_sha1(), nullptr) == 1);
  Uuid uuid;
  std::copy_n(digest, 16, uuid.bytes.begin());
  SetVersion(5, uuid);
  return uuid;
}

std::string Uuid::ToString() const {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (IsHyphenPlace(text.size())) text.push_back('-');
    text.push_back(kHex[bytes[i] >> 4]);
    text.push_back(kHex[bytes[i] & 15]);
  }
  return text;
}

}  // namespace akidb
