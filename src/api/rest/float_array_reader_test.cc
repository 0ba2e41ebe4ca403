#include "api/rest/float_array_reader.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace akidb::rest {
namespace {

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
}

// What is read when nothing stands behind the array, and when a lot does.
void ExpectFloats(const std::string& array, const std::vector<float>& expected) {
  for (const std::string& behind : {std::string(), std::string(100, '7')}) {
    const std::string text = array + behind;
    FloatArrayReader reader;
    const char* at = reader.Read(text.data(), text.data() + text.size());
    ASSERT_EQ(at, text.data() + array.size()) << array;
    ASSERT_EQ(reader.floats().size(), expected.size()) << array;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(std::bit_cast<uint32_t>(reader.floats()[i]), std::bit_cast<uint32_t>(expected[i]))
          << array << " [" << i << "]: " << reader.floats()[i] << ", not " << expected[i];
    }
  }
}

bool Reads(const std::string& array) {
  FloatArrayReader reader;
  return reader.Read(array.data(), array.data() + array.size()) != nullptr;
}

std::string Printed(const char* format, double number) {
  char text[400];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

TEST(FloatArrayReader, ReadsNumbersInEveryForm) {
  ExpectFloats("[0.1,-2, 3e1 ,\n4.5E-3\t]", {0.1f, -2, 30, 4.5e-3f});
  ExpectFloats("[0,-0,-0.0,0e5,-0e-7]", {0, 0, -0.0f, 0, -0.0f});
  ExpectFloats("[12345678,123456789,123456789012345678]",
               {12345678, 123456789.f, 123456789012345678.f});
  ExpectFloats("[1e38,3.4028234663852886e38,1e-45,1.17549435e-38]",
               {1e38f, 3.4028234663852886e38f, 1e-45f, 1.17549435e-38f});
  ExpectFloats("[0.12345678,0.1234567890123456,0.123456789012345678901234567890]",
               {0.12345678f, 0.1234567890123456f, 0.123456789012345678901234567890f});
  // Beyond a float, but not a double.
  const float infinity = static_cast<float>(1e300 * 1e10);
  ExpectFloats("[1e39,-1e300]", {infinity, -infinity});
}

TEST(FloatArrayReader, RoundsAsADoubleThatIsRoundedAgain) {
  // One and a half units of a float's last place, and what a double can't tell from it: both go to
  // the even neighbour, as the double does.
  ExpectFloats("[1.000000178813934326171875,1.0000001788139343261718749999]",
               {1.00000024f, 1.00000024f});
  ExpectFloats("[1.0000000596046447754,1.00000005960464477]", {1.0f, 1.0f});
}

TEST(FloatArrayReader, GivesUpOnEverythingElse) {
  for (const char* array : {"",
                            "[",
                            "[]",
                            "[ ]",
                            "[1",
                            "[1,",
                            "[1,]",
                            "[,1]",
                            "[1 2]",
                            "[01]",
                            "[-01]",
                            "[00.5]",
                            "[.5]",
                            "[1.]",
                            "[1.e5]",
                            "[+1]",
                            "[-]",
                            "[--1]",
                            "[1e]",
                            "[1e+]",
                            "[1e5.0]",
                            "[1.5.2]",
                            "[0x10]",
                            "[NaN]",
                            "[Infinity]",
                            "[null]",
                            "[true]",
                            "[\"1\"]",
                            "[[1]]",
                            "{}",
                            "[1}",
                            "[1e400]",
                            "[9223372036854775808]",
                            "[1234567890123456789]",
                            "[1\v]",
                            "[1,\xc2\xa0"
                            "2]"}) {
    EXPECT_FALSE(Reads(array)) << array;
    EXPECT_FALSE(Reads(array + std::string(100, ' '))) << array;
  }
}

TEST(FloatArrayReader, KeepsNothingOfTheArrayBefore) {
  const std::string text = "[1,2,3][4]";
  FloatArrayReader reader;
  const char* at = reader.Read(text.data(), text.data() + text.size());
  ASSERT_NE(at, nullptr);
  ASSERT_EQ(reader.Read(at, text.data() + text.size()), text.data() + text.size());
  ASSERT_EQ(reader.floats().size(), 1u);
  EXPECT_EQ(reader.floats()[0], 4);
}

TEST(FloatArrayReader, ReadsWhatTheLibraryReads) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int> format_of(0, 7);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int round = 0; round < 300; ++round) {
    std::string array = "[";
    std::vector<float> expected;
    for (int i = 0; i < 300; ++i) {
      double number = unit(random);
      // Doubles of any size, and such as lie in or near the middle between two floats.
      const uint64_t bits = random();
      if (i % 3 == 1) number = std::bit_cast<double>(bits);
      if (i % 3 == 2) {
        constexpr uint64_t kBelowFloat = (uint64_t{1} << 29) - 1;
        const uint64_t near = (uint64_t{1} << 28) + bits % 13 - 6;
        number = std::bit_cast<double>((std::bit_cast<uint64_t>(number) & ~kBelowFloat) | near);
      }
      if (!std::isfinite(number) || (number != 0 && std::abs(number) < 1e-300)) number = 0.25;
      static constexpr const char* kFormats[] = {"%.6f",  "%.17g", "%.9g", "%.3e",
                                                 "%.20g", "%.16f", "%.0f", "%.19e"};
      std::string text = Printed(kFormats[format_of(random)], number);
      // Integers of more digits are refused.
      if (text.size() > 18 && text.find_first_of(".e") == text.npos) text += ".0";
      array += (i == 0 ? "" : i % 2 == 0 ? "," : ", ") + text;
      const float value = static_cast<float>(std::strtod(text.c_str(), nullptr));
      const bool integer = text.find_first_of(".e") == text.npos;

      // Integers have no negative zero.
      expected.push_back(integer && value == 0 ? 0.0f : value);
    }
    ExpectFloats(array + "]", expected);
  }
}

}  // namespace
}  // namespace akidb::rest
