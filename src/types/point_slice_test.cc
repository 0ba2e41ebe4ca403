#include "types/point_slice.h"

#include <gtest/gtest.h>

namespace akidb {
namespace {

// Of the reference implementation with a key of zeros.
TEST(PointSlice, HashesAreThoseOfSipHash24) {
  EXPECT_EQ(PointSliceHash(PointId(uint64_t{0u})), 0xe849e8bb6ffe2567u);
  EXPECT_EQ(PointSliceHash(PointId(uint64_t{1u})), 0x8004c5a694105f5eu);
  EXPECT_EQ(PointSliceHash(PointId(uint64_t{9223372036854775813u})), 0x89f5f39bfbc92e1cu);
  EXPECT_EQ(PointSliceHash(PointId(*Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8"))),
            0x05123f460d3a9715u);
}

TEST(PointSlice, SlicesAreAboutEquallyLarge) {
  uint64_t counts[5] = {};
  for (uint64_t id = 0; id < 10'000; ++id) ++counts[PointSliceHash(PointId(id)) % 5];
  for (uint64_t count : counts) {
    EXPECT_GT(count, 1800u);
    EXPECT_LT(count, 2200u);
  }
}

}  // namespace
}  // namespace akidb
