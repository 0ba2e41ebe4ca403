// SHA-256 (FIPS 180-4), by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace akidb {

using Sha256Digest = std::array<uint8_t, 32>;

// Of a stream of bytes. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::span<const std::byte> data);
  // Of everything so far; more may follow.
  Sha256Digest Digest() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// 64 lower-case hexadecimal digits.
std::string ToHex(const Sha256Digest& digest);
std::string Sha256Hex(std::span<const std::byte> bytes);

// Authenticates a message to who knows the key (RFC 2104).
Sha256Digest HmacSha256(std::span<const std::byte> key, std::span<const std::byte> message);
// Looks at all bytes, wherever the first difference is: the time tells nothing.
bool EqualInConstantTime(const Sha256Digest& a, const Sha256Digest& b);

}  // namespace akidb
