#include "embedding/onnx_allocator.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
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

TEST(OnnxAllocator, CountsBlocksThatLive) {
  const auto one = std::make_shared<OnnxAllocator::LiveBytes>(0);
  auto two = std::make_shared<OnnxAllocator::LiveBytes>(0);
  void* first = nullptr;
  void* second = nullptr;
  {
    const OnnxAllocator::Counting counting(one);
    first = OnnxAllocator::Allocate(100);
    {
      const OnnxAllocator::Counting inner(two);
      second = OnnxAllocator::Allocate(1'000);
    }
    OnnxAllocator::Free(OnnxAllocator::Allocate(10'000));
  }
  void* const third = OnnxAllocator::Allocate(7);
  EXPECT_EQ(*one, 100u);
  EXPECT_EQ(*two, 1'000u);
  two.reset();  // the block outlives its owner
  OnnxAllocator::Free(second);
  OnnxAllocator::Free(first);
  OnnxAllocator::Free(third);
  EXPECT_EQ(*one, 0u);
}

TEST(OnnxAllocator, NothingIsNoBlockAndTooMuchIsTold) {
  EXPECT_EQ(OnnxAllocator::Allocate(0), nullptr);
  OnnxAllocator::Free(nullptr);
  EXPECT_THROW(OnnxAllocator::Allocate(std::numeric_limits<size_t>::max()), std::bad_alloc);
  EXPECT_THROW(OnnxAllocator::Allocate(std::numeric_limits<size_t>::max() / 2), std::bad_alloc);
}

}  // namespace
}  // namespace akidb::embedding
