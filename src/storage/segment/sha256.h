// SHA-256 (FIPS 180-4) of a stream of bytes, by OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "storage/segment/file_ref.h"

namespace akidb::storage {

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

}  // namespace akidb::storage
