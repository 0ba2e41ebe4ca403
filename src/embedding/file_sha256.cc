#include "embedding/file_sha256.h"

#include <memory>
#include <vector>

namespace akidb::embedding {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 18;

}  // namespace

Result<std::string> Sha256OfFile(env::FileSystem& fs, const std::string& path) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  Sha256 hash;
  std::vector<std::byte> block(kBlockBytes);
  uint64_t offset = 0;
  while (true) {
    AKIDB_ASSIGN_OR_RETURN(size_t count, file->ReadAt(offset, block));
    hash.Update(std::span(block).first(count));
    offset += count;
    if (count < block.size()) return ToHex(hash.Digest());
  }
}

}  // namespace akidb::embedding
