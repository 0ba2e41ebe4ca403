#include "base/sha256.h"

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

std::string Sha256Hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return ToHex(hash.Digest());
}

}  // namespace akidb
