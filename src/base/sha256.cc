#include "base/sha256.h"

#include <algorithm>

#include <openssl/evp.h>

#include "base/check.h"

namespace akidb {

struct Sha256::Context {
  Context() : evp(EVP_MD_CTX_new()) { AKIDB_CHECK(evp != nullptr); }
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* const evp;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  AKIDB_CHECK(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;

void Sha256::Update(std::span<const std::byte> data) {
  AKIDB_CHECK(EVP_DigestUpdate(context_->evp, data.data(), data.size()) == 1);
}

Sha256Digest Sha256::Digest() const {
  Context copy;
  Sha256Digest digest;
  AKIDB_CHECK(EVP_MD_CTX_copy_ex(copy.evp, context_->evp) == 1);
  AKIDB_CHECK(EVP_DigestFinal_ex(copy.evp, digest.data(), nullptr) == 1);
  return digest;
}

std::string ToHex(const Sha256Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * digest.size());
  for (uint8_t byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

Sha256Digest HmacSha256(std::span<const std::byte> key, std::span<const std::byte> message) {
  constexpr size_t kBlockBytes = 64;
  std::array<std::byte, kBlockBytes> block{};
  if (key.size() > block.size()) {
    Sha256 of_key;
    of_key.Update(key);
    const Sha256Digest digest = of_key.Digest();
    std::copy_n(std::as_bytes(std::span(digest)).begin(), digest.size(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  const auto padded = [&](std::byte with) {
    std::array<std::byte, kBlockBytes> pad = block;
    for (std::byte& byte : pad) byte ^= with;
    return pad;
  };
  Sha256 inner;
  inner.Update(padded(std::byte{0x36}));
  inner.Update(message);
  const Sha256Digest digest = inner.Digest();
  Sha256 outer;
  outer.Update(padded(std::byte{0x5c}));
  outer.Update(std::as_bytes(std::span(digest)));
  return outer.Digest();
}

bool EqualInConstantTime(const Sha256Digest& a, const Sha256Digest& b) {
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<uint8_t>(a[i] ^ b[i]);
  return difference == 0;
}

std::string Sha256Hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return ToHex(hash.Digest());
}

}  // namespace akidb
