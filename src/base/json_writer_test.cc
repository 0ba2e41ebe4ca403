#include "base/json_writer.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace akidb {
namespace {

std::string JsonFloat(float value) {
  std::string out;
  AppendJsonFloat(value, out);
  return out;
}

std::string JsonDouble(double value) {
  std::string out;
  AppendJsonDouble(value, out);
  return out;
}

std::string JsonString(std::string_view value) {
  std::string out;
  AppendJsonString(value, out);
  return out;
}

TEST(JsonWriter, PutsCommasBetweenValuesAndNowhereElse) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("a");
  json.Int(-1);
  json.Key("b");
  json.BeginArray();
  json.Bool(true);
  json.Null();
  json.BeginObject();
  json.EndObject();
  json.BeginArray();
  json.EndArray();
  json.Raw("{\"x\":1}");
  json.EndArray();
  json.Key("c");
  json.Uint(std::numeric_limits<uint64_t>::max());
  json.Key("d");
  json.Floats(std::vector<float>{0.5F, 2.0F});
  json.EndObject();
  EXPECT_EQ(out,
            R"({"a":-1,"b":[true,null,{},[],{"x":1}],"c":18446744073709551615,"d":[0.5,2.0]})");
}

TEST(JsonWriter, EscapesWhereverABlockOfEightBytesHasTheCharacter) {
  // By the rule, one character after the other.
  const auto escaped = [](std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\x01') {
        out += "\\u0001";
      } else {
        out += c;
      }
    }
    return out + '"';
  };
  const std::string plain = "abc !#[]~\x7f/0123456789abcd";
  for (size_t length = 0; length <= plain.size(); ++length) {
    const std::string text = plain.substr(0, length);
    EXPECT_EQ(JsonString(text), escaped(text));
    for (size_t at = 0; at < length; ++at) {
      for (const std::string_view special :
           {"\"", "\\", "\x01", "\u00e9", "\u20ac", "\"\"", "\x01\x01"}) {
        std::string with = text;
        with.replace(at, 1, special);
        EXPECT_EQ(JsonString(with), escaped(with)) << at;
      }
    }
  }
}

TEST(JsonWriter, WritesTheShortestFloats) {
  EXPECT_EQ(JsonFloat(0.19F), "0.19");
  EXPECT_EQ(JsonFloat(1.0F), "1.0");
  EXPECT_EQ(JsonFloat(-0.0F), "-0.0");
  EXPECT_EQ(JsonFloat(1e20F), "1e+20");
  EXPECT_EQ(JsonFloat(16777216.0F), "16777216.0");
  EXPECT_EQ(JsonDouble(0.1), "0.1");
  EXPECT_EQ(JsonDouble(3), "3.0");
  EXPECT_EQ(JsonFloat(std::numeric_limits<float>::quiet_NaN()), "null");
  EXPECT_EQ(JsonFloat(-std::numeric_limits<float>::infinity()), "null");
  EXPECT_EQ(JsonDouble(std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonWriter, FloatsReadBackToTheSameBits) {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : 7;
  SCOPED_TRACE(testing::Message() << "AKIDB_TEST_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 100'000; ++round) {
    auto value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (!std::isfinite(value)) continue;
    std::string json = JsonFloat(value);
    float back = 0;
    ASSERT_EQ(std::from_chars(json.data(), json.data() + json.size(), back).ptr,
              json.data() + json.size());
    ASSERT_EQ(std::bit_cast<uint32_t>(back), std::bit_cast<uint32_t>(value)) << json;
  }
}

TEST(JsonWriter, EscapesWhatJsonDemands) {
  EXPECT_EQ(JsonString("say \"hi\" \\ \n\r\t\b\f"), R"("say \"hi\" \\ \n\r\t\b\f")");
  EXPECT_EQ(JsonString(std::string("\0\x1f", 2)), R"("\u0000\u001f")");
  EXPECT_EQ(JsonString("caf\u00E9 \U0001F600 /"), "\"caf\u00E9 \U0001F600 /\"");
}

TEST(JsonWriter, ReplacesInvalidUtf8) {
  EXPECT_EQ(JsonString("a\xFF"
                       "b\xE2\x82"),
            "\"a\uFFFDb\uFFFD\uFFFD\"");
}

}  // namespace
}  // namespace akidb
