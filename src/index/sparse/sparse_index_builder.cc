#include "index/sparse/sparse_index_builder.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "index/sparse/sparse_index.h"
#include "index/sparse/sparse_index_format.h"

namespace akidb::index {
namespace {

// For the largest index of a list, its two starts and at least one block.
constexpr uint64_t kIndexBytes = 8 + 4 + 4 + sizeof(PostingBounds);
constexpr uint64_t kPostingBytes = 8;

}  // namespace

void SparseIndexBuilder::Count(const SparseEntries& vector) {
  ++vectors_;
  postings_ += vector.size();
  for (size_t i = 0; i < vector.size(); ++i) {
    List& list = lists_[vector.index(i)];
    if (list.count % kPostingBlock == 0) ++blocks_;
    ++list.count;
  }
}

uint64_t SparseIndexBuilder::bytes() const {
  return sizeof(SparseIndexHeader) + 12 + lists_.size() * (kIndexBytes - sizeof(PostingBounds)) +
         blocks_ * sizeof(PostingBounds) + postings_ * kPostingBytes;
}

void SparseIndexBuilder::BeginLists() {
  AKIDB_CHECK(blocks_ <= UINT32_MAX);
  indices_.reserve(lists_.size());
  for (const auto& [index, list] : lists_) indices_.push_back(index);
  std::sort(indices_.begin(), indices_.end());
  bytes_.resize(bytes());
  SparseIndexHeader header;
  header.vectors = vectors_;
  header.indices = static_cast<uint32_t>(indices_.size());
  header.blocks = static_cast<uint32_t>(blocks_);
  header.postings = postings_;
  std::byte* at = bytes_.data();
  const auto put = [&](const void* value, size_t size) {
    std::memcpy(at, value, size);
    at += size;
  };
  put(&header, sizeof(header));
  uint64_t start = 0;
  for (uint32_t index : indices_) {
    List& list = lists_[index];
    list.start = start;
    put(&start, sizeof(start));
    start += list.count;
  }
  put(&start, sizeof(start));
  uint32_t block = 0;
  for (uint32_t index : indices_) {
    put(&block, sizeof(block));
    block += (lists_[index].count + kPostingBlock - 1) / kPostingBlock;
  }
  put(&block, sizeof(block));
  put(indices_.data(), indices_.size() * sizeof(uint32_t));
  bounds_offset_ = static_cast<uint64_t>(at - bytes_.data());
  at += blocks_ * sizeof(PostingBounds);
  // The vector's memory is aligned for any type, and all before are multiples of 4 bytes.
  numbers_ = reinterpret_cast<uint32_t*>(at);
  values_ = reinterpret_cast<float*>(at + postings_ * sizeof(uint32_t));
}

void SparseIndexBuilder::Add(const SparseEntries& vector) {
  for (size_t i = 0; i < vector.size(); ++i) {
    List& list = lists_.at(vector.index(i));
    AKIDB_CHECK(list.filled < list.count);
    const uint64_t place = list.start + list.filled++;
    numbers_[place] = added_;
    values_[place] = vector.value(i);
  }
  ++added_;
}

void SparseIndexBuilder::WriteBounds() {
  std::byte* at = bytes_.data() + bounds_offset_;
  for (uint32_t index : indices_) {
    const List& list = lists_[index];
    AKIDB_CHECK(list.filled == list.count);
    for (uint32_t first = 0; first < list.count; first += kPostingBlock) {
      const uint64_t begin = list.start + first;
      const uint64_t end = list.start + std::min(list.count, first + kPostingBlock);
      const auto [least, greatest] = std::minmax_element(values_ + begin, values_ + end);
      const PostingBounds bounds{numbers_[end - 1], *least, *greatest};
      std::memcpy(at, &bounds, sizeof(bounds));
      at += sizeof(bounds);
    }
  }
}

std::vector<std::byte> SparseIndexBuilder::Finish() && {
  AKIDB_CHECK(added_ == vectors_);
  WriteBounds();
  return std::move(bytes_);
}

}  // namespace akidb::index
