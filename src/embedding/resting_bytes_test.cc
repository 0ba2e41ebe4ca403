#include "embedding/resting_bytes.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

TEST(RestingBytes, AreThoseBehindTheLastOfTheRunsThatGoOn) {
  const auto live = std::make_shared<std::atomic<uint64_t>>(100);
  RestingBytes bytes(live);
  EXPECT_EQ(bytes.value(), 100u);
  std::optional<RestingBytes::Running> one(bytes);
  *live += 1'000;
  std::optional<RestingBytes::Running> two(bytes);
  *live += 10'000;
  EXPECT_EQ(bytes.value(), 100u);
  *live -= 1'000;
  one.reset();
  EXPECT_EQ(bytes.value(), 100u);
  *live -= 9'993;
  two.reset();
  EXPECT_EQ(bytes.value(), 107u);
}

}  // namespace
}  // namespace akidb::embedding
