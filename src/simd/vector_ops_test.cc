#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simd/kernels.h"

namespace akidb::simd {
namespace {

uint64_t TestSeed() {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

double Length(std::span<const float> vector) {
  double sum = 0;
  for (float component : vector) sum += static_cast<double>(component) * component;
  return std::sqrt(sum);
}

TEST(AllFinite, FindsOneBadComponentAnywhere) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float bad[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
                       -std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::signaling_NaN()};
  for (size_t size = 1; size <= 70; ++size) {
    std::vector<float> vector(size, std::numeric_limits<float>::max());
    EXPECT_TRUE(AllFinite(vector));
    for (size_t i = 0; i < size; ++i) {
      for (float value : bad) {
        vector[i] = value;
        EXPECT_FALSE(AllFinite(vector)) << "component " << i << " of " << size;
      }
      vector[i] = -std::numeric_limits<float>::max();
    }
  }
}

TEST(AllFinite, AcceptsZerosDenormalsAndNothing) {
  EXPECT_TRUE(AllFinite({}));
  const float small[] = {0.0f, -0.0f, 1e-45f, -1e-40f};
  EXPECT_TRUE(AllFinite(small));
}

TEST(Normalize, GivesUnitLengthAndKeepsTheDirection) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  for (size_t dim : {1, 2, 3, 7, 8, 9, 100, 384, 1024, 65536}) {
    for (float scale : {1e-42f, 1e-30f, 1e-3f, 1.0f, 17.0f, 1e18f, 1e37f}) {
      std::vector<float> vector(dim);
      for (float& component : vector) component = normal(random) * scale;
      vector[0] = scale;
      std::vector<float> before = vector;
      double length = Length(before);
      Normalize(vector);
      EXPECT_NEAR(Length(vector), 1, 1e-6) << "dim " << dim << " scale " << scale;
      for (size_t i = 0; i < dim; ++i) {
        ASSERT_NEAR(vector[i], before[i] / length, 2e-6) << "component " << i;
      }
    }
  }
}

TEST(Normalize, LeavesZeroVectorsZero) {
  std::vector<float> zeros(10, 0.0f);
  Normalize(zeros);
  EXPECT_EQ(zeros, std::vector<float>(10, 0.0f));
  Normalize({});
}

TEST(Normalize, KeepsTheBitsOfWhatIsNormalAlready) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 1000; ++round) {
    std::vector<float> vector(1 + round % 500);
    for (float& component : vector) component = normal(random);
    Normalize(vector);
    std::vector<float> once = vector;
    Normalize(vector);
    EXPECT_EQ(vector, once);
  }
}

}  // namespace
}  // namespace akidb::simd
