// Conversions between float32 and smaller components, in every table.
#include <bit>
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

// IEEE 754 binary16, by its definition.
double ValueOfHalf(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const double fraction = half & 1023;
  const double size = exponent == 31
                          ? (fraction == 0 ? std::numeric_limits<double>::infinity() : std::nan(""))
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(1024 + fraction, exponent - 25);
  return (half & 0x8000) != 0 ? -size : size;
}

TEST(Conversions, EveryHalfBecomesItsValueAndComesBack) {
  std::vector<uint16_t> halves;
  for (uint32_t half = 0; half < 65536; ++half) halves.push_back(static_cast<uint16_t>(half));
  for (const Kernels* table : AvailableKernels()) {
    SCOPED_TRACE(table->name);
    std::vector<float> floats(halves.size());
    table->convert.halves_to_floats(halves.data(), halves.size(), floats.data());
    std::vector<uint16_t> back(halves.size());
    table->convert.floats_to_halves(floats.data(), floats.size(), back.data());
    for (size_t i = 0; i < halves.size(); ++i) {
      const double value = ValueOfHalf(halves[i]);
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(floats[i])) << i;
        continue;
      }
      ASSERT_EQ(static_cast<double>(floats[i]), value) << i;
      ASSERT_EQ(back[i], halves[i]);
    }
  }
}

TEST(Conversions, FloatsGoToTheNearestHalfAndTiesToTheEvenOne) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<float> floats{0.0f,  -0.0f,    65519.996f, kHalfLimit,
                            1e30f, 0x1p-25f, 0x1.8p-24f, 1e-40f};
  for (uint16_t half : {uint16_t{1}, uint16_t{1022}, uint16_t{1023}, uint16_t{1024},
                        uint16_t{15360}, uint16_t{31742}}) {
    const double low = ValueOfHalf(half);
    const double high = ValueOfHalf(static_cast<uint16_t>(half + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    floats.insert(floats.end(),
                  {middle, -middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)});
  }
  for (int i = 0; i < 100'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isfinite(value)) floats.push_back(value);
    floats.push_back(std::ldexp(static_cast<float>(random() % 20000) - 10000.0f,
                                static_cast<int>(random() % 30) - 30));
  }
  for (const Kernels* table : AvailableKernels()) {
    SCOPED_TRACE(table->name);
    std::vector<uint16_t> halves(floats.size());
    table->convert.floats_to_halves(floats.data(), floats.size(), halves.data());
    for (size_t i = 0; i < floats.size(); ++i) {
      const double value = static_cast<double>(floats[i]);
      ASSERT_EQ((halves[i] & 0x8000) != 0, std::signbit(floats[i]));
      const auto size = static_cast<uint16_t>(halves[i] & 0x7fff);
      if (std::abs(value) >= static_cast<double>(kHalfLimit)) {
        ASSERT_EQ(size, 0x7c00);
        continue;
      }
      const double error = std::abs(ValueOfHalf(size) - std::abs(value));
      for (int step : {-1, 1}) {
        const int other = size + step;
        if (other < 0 || other > 0x7bff) continue;
        const double further =
            std::abs(ValueOfHalf(static_cast<uint16_t>(other)) - std::abs(value));
        ASSERT_LE(error, further) << value;
        if (error == further) ASSERT_EQ(size % 2, 0) << value;
      }
    }
  }
}

TEST(Conversions, TakeAnyNumberOfComponents) {
  for (const Kernels* table : AvailableKernels()) {
    SCOPED_TRACE(table->name);
    for (size_t count = 0; count <= 70; ++count) {
      std::vector<uint8_t> bytes(count);
      std::vector<uint16_t> halves(count);
      for (size_t i = 0; i < count; ++i) {
        bytes[i] = static_cast<uint8_t>(255 - 3 * i);
        halves[i] = static_cast<uint16_t>(15360 + i);
      }
      std::vector<float> floats(count + 1, -1);
      table->convert.bytes_to_floats(bytes.data(), count, floats.data());
      for (size_t i = 0; i < count; ++i) EXPECT_EQ(floats[i], static_cast<float>(bytes[i]));
      EXPECT_EQ(floats[count], -1);
      table->convert.halves_to_floats(halves.data(), count, floats.data());
      EXPECT_EQ(floats[count], -1);
      std::vector<uint16_t> back(count + 1, 7);
      table->convert.floats_to_halves(floats.data(), count, back.data());
      EXPECT_EQ(back[count], 7);
      back.pop_back();
      EXPECT_EQ(back, halves);
    }
  }
}

TEST(NormalizeToHalf, KeepsWhatItMadeItself) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  for (size_t dim : {1, 2, 3, 31, 384, 4096, 65536}) {
    for (int round = 0; round < 20; ++round) {
      std::vector<float> vector(dim);
      for (float& component : vector) component = 20 * normal(random);
      NormalizeToHalf(vector);
      double squared = 0;
      for (float component : vector) squared += static_cast<double>(component) * component;
      EXPECT_NEAR(std::sqrt(squared), 1, 6e-4);
      std::vector<float> again = vector;
      NormalizeToHalf(again);
      EXPECT_EQ(again, vector);
    }
  }
  std::vector<float> zero(5);
  NormalizeToHalf(zero);
  EXPECT_EQ(zero, std::vector<float>(5));
}

}  // namespace
}  // namespace akidb::simd
