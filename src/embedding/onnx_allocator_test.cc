#include "embedding/onnx_allocator.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

TEST(OnnxAllocator, BlocksAreAlignedAndTheirOwn) {
  std::vector<char*> blocks;
  for (size_t bytes = 1; bytes < 3'000'000; bytes = bytes * 3 / 2 + 1) {
    blocks.push_back(static_cast<char*>(OnnxAllocator::Allocate(bytes)));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back()) % 64, 0u) << bytes;
    std::memset(blocks.back(), static_cast<int>(blocks.size()), bytes);
  }
  size_t bytes = 1;
  for (size_t i = 0; i < blocks.size(); ++i, bytes = bytes * 3 / 2 + 1) {
    EXPECT_EQ(blocks[i][0], static_cast<char>(i + 1));
    EXPECT_EQ(blocks[i][bytes - 1], static_cast<char>(i + 1));
    OnnxAllocator::Free(blocks[i]);
  }
}

TEST(OnnxAllocator, NothingIsNoBlockAndTooMuchIsTold) {
  EXPECT_EQ(OnnxAllocator::Allocate(0), nullptr);
  OnnxAllocator::Free(nullptr);
  EXPECT_THROW(OnnxAllocator::Allocate(std::numeric_limits<size_t>::max()), std::bad_alloc);
  EXPECT_THROW(OnnxAllocator::Allocate(std::numeric_limits<size_t>::max() / 2), std::bad_alloc);
}

}  // namespace
}  // namespace akidb::embedding
