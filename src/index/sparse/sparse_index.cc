#include "index/sparse/sparse_index.h"

#include <algorithm>
#include <cstring>

#include "index/sparse/sparse_index_format.h"

namespace akidb::index {
namespace {

Status Damaged(const char* what) {
  return CorruptionError("the lists of a sparse vector are damaged: " + std::string(what));
}

// Arrays one after the other.
class Arrays {
 public:
  explicit Arrays(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <typename T>
  std::span<const T> Take(uint64_t count) {
    if (count > rest_.size() / sizeof(T)) {
      ok_ = false;
      return {};
    }
    std::span<const T> taken(reinterpret_cast<const T*>(rest_.data()), count);
    rest_ = rest_.subspan(count * sizeof(T));
    return taken;
  }
  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool ok_ = true;
};

}  // namespace

Result<SparseIndex> SparseIndex::Open(std::span<const std::byte> bytes, uint32_t vectors) {
  SparseIndexHeader header;
  if (bytes.size() < sizeof(header)) return Damaged("it is too short");
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint64_t) != 0) {
    return Damaged("it is not aligned");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kSparseIndexVersion) {
    return UnsupportedError("lists of a sparse vector of version " +
                            std::to_string(header.version) + "; this program reads version " +
                            std::to_string(kSparseIndexVersion));
  }
  if (header.vectors != vectors) return Damaged("it is over another number of vectors");
  SparseIndex index;
  index.vectors_ = vectors;
  Arrays arrays(bytes.subspan(sizeof(header)));
  index.starts_ = arrays.Take<uint64_t>(uint64_t{header.indices} + 1);
  index.block_starts_ = arrays.Take<uint32_t>(uint64_t{header.indices} + 1);
  index.indices_ = arrays.Take<uint32_t>(header.indices);
  index.blocks_ = arrays.Take<PostingBounds>(header.blocks);
  index.numbers_ = arrays.Take<uint32_t>(header.postings);
  index.values_ = arrays.Take<float>(header.postings);
  if (!arrays.AtEnd()) return Damaged("it has a wrong size");
  if (index.starts_.front() != 0 || index.block_starts_.front() != 0 ||
      index.starts_.back() != header.postings || index.block_starts_.back() != header.blocks) {
    return Damaged("its lists don't fill it");
  }
  for (size_t i = 0; i < header.indices; ++i) {
    if (index.starts_[i + 1] <= index.starts_[i]) return Damaged("a list is empty");
    const uint64_t postings = index.starts_[i + 1] - index.starts_[i];
    const uint64_t blocks = (postings + kPostingBlock - 1) / kPostingBlock;
    if (postings > vectors || index.block_starts_[i + 1] < index.block_starts_[i] ||
        index.block_starts_[i + 1] - index.block_starts_[i] != blocks) {
      return Damaged("a list has a wrong length");
    }
    if (i > 0 && index.indices_[i] <= index.indices_[i - 1]) return Damaged("its order is wrong");
  }
  return index;
}

PostingList SparseIndex::Find(uint32_t index) const {
  const auto found = std::lower_bound(indices_.begin(), indices_.end(), index);
  if (found == indices_.end() || *found != index) return {};
  const auto at = static_cast<size_t>(found - indices_.begin());
  const uint64_t first = starts_[at];
  const uint64_t count = starts_[at + 1] - first;
  return {numbers_.subspan(first, count), values_.subspan(first, count),
          blocks_.subspan(block_starts_[at], block_starts_[at + 1] - block_starts_[at])};
}

}  // namespace akidb::index
