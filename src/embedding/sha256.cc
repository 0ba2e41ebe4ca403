#include "embedding/sha256.h"

#include <memory>
#include <vector>

#include <openssl/evp.h>

#include "base/check.h"

namespace akidb::embedding {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 18;

class Digest {
 public:
  Digest() : context_(::EVP_MD_CTX_new(), ::EVP_MD_CTX_free) {
    AKIDB_CHECK(::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) == 1);
  }
  void Add(std::span<const std::byte> bytes) {
    AKIDB_CHECK(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    AKIDB_CHECK(::EVP_DigestFinal_ex(context_.get(), digest, &size) == 1);
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
      hex += kDigits[digest[i] >> 4];
      hex += kDigits[digest[i] & 15];
    }
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string Sha256(std::span<const std::byte> bytes) {
  Digest digest;
  digest.Add(bytes);
  return digest.Hex();
}

Result<std::string> Sha256OfFile(env::FileSystem& fs, const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  Digest digest;
  std::vector<std::byte> block(kBlockBytes);
  uint64_t offset = 0;
  while (true) {
    AKIDB_ASSIGN_OR_RETURN(size_t count, file->ReadAt(offset, block));
    digest.Add(std::span(block).first(count));
    offset += count;
    if (count < block.size()) return digest.Hex();
  }
}

}  // namespace akidb::embedding
