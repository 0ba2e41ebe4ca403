#include "embedding/pooling.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace akidb::embedding {
namespace {

// Two items of three tokens and two components; the second item has one token and padding.
class PoolingTest : public testing::Test {
 protected:
  std::vector<float> Of(Pooling pooling, size_t item) {
    HiddenStates states{values_, 2, 3, 2};
    std::vector<float> out(2);
    Pool({states, lengths_, pooling}, item, out);
    return out;
  }
  const std::vector<float> values_ = {1, 2, 3, 4, 5, 9, 7, 8, 100, 100, 100, 100};
  const std::vector<uint32_t> lengths_ = {3, 1};
};

TEST_F(PoolingTest, MeanLeavesPaddingOut) {
  EXPECT_EQ(Of(Pooling::kMean, 0), (std::vector<float>{3, 5}));
  EXPECT_EQ(Of(Pooling::kMean, 1), (std::vector<float>{7, 8}));
}

TEST_F(PoolingTest, ClsTakesTheFirstToken) {
  EXPECT_EQ(Of(Pooling::kCls, 0), (std::vector<float>{1, 2}));
}

TEST_F(PoolingTest, LastTakesTheLastTokenBeforeThePadding) {
  EXPECT_EQ(Of(Pooling::kLast, 0), (std::vector<float>{5, 9}));
  EXPECT_EQ(Of(Pooling::kLast, 1), (std::vector<float>{7, 8}));
}

TEST(PoolingInGraph, CopiesTheRow) {
  const std::vector<float> values = {1, 2, 3, 4};
  const std::vector<uint32_t> lengths = {5, 6};
  std::vector<float> out(2);
  Pool({HiddenStates{values, 2, 1, 2}, lengths, Pooling::kNone}, 1, out);
  EXPECT_EQ(out, (std::vector<float>{3, 4}));
}

TEST(Normalize, GivesUnitLength) {
  std::vector<float> vector = {3, 4};
  ASSERT_TRUE(Normalize(vector).ok());
  EXPECT_FLOAT_EQ(vector[0], 0.6f);
  EXPECT_FLOAT_EQ(vector[1], 0.8f);
}

TEST(Normalize, RefusesVectorsWithoutDirection) {
  std::vector<float> zero = {0, 0};
  EXPECT_EQ(Normalize(zero).code(), ErrorCode::kInternal);
  std::vector<float> nan = {1, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(Normalize(nan).code(), ErrorCode::kInternal);
  std::vector<float> infinite = {1, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(Normalize(infinite).code(), ErrorCode::kInternal);
}

}  // namespace
}  // namespace akidb::embedding
