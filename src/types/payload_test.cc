#include "types/payload.h"

#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "types/payload_json.h"

namespace akidb {
namespace {

std::string ToJson(PayloadValue value) {
  std::string out;
  JsonWriter json(out);
  value.WriteJson(json);
  return out;
}

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 4711;
}

std::string RandomJson(std::mt19937_64& random, int depth) {
  auto pick = [&](uint64_t n) { return random() % n; };
  switch (pick(depth > 0 ? 10 : 7)) {
    case 0:
      return "null";
    case 1:
      return pick(2) ? "true" : "false";
    case 2:
      return std::to_string(static_cast<int64_t>(random()));
    case 3:
      return std::to_string(random() | (uint64_t{1} << 63));
    case 4: {
      std::string text;
      AppendJsonDouble(static_cast<double>(static_cast<int64_t>(random())) / 1024, text);
      return text;
    }
    case 5:
    case 6: {
      std::string bytes;
      for (uint64_t i = pick(6); i > 0; --i)
        bytes += pick(4) ? "k\"\\\n" : "\xC3\xA9\xF0\x9F\xA4\x96";
      std::string text;
      AppendJsonString(bytes, text);
      return text;
    }
    case 7: {
      std::string text = "[";
      for (uint64_t i = pick(4); i > 0; --i) {
        text += RandomJson(random, depth - 1);
        if (i > 1) text += ",";
      }
      return text + "]";
    }
    default: {
      std::string text = "{";
      for (uint64_t i = pick(4); i > 0; --i) {
        text += "\"" + std::string(1, static_cast<char>('a' + pick(3))) + "\":";
        text += RandomJson(random, depth - 1);
        if (i > 1) text += ",";
      }
      return text + "}";
    }
  }
}

TEST(Payload, GivesTheSameJsonBack) {
  for (const char* json :
       {R"({})", R"({"b":1,"a":2,"b":3})", R"({"x":1.0,"y":1,"z":-0.5,"w":1e+300})",
        R"({"big":18446744073709551615,"small":-9223372036854775808})",
        R"({"e":[],"o":{},"n":null,"t":true,"f":false})",
        R"({"deep":[[[{"a":[1,[2,{"b":"c"}]]}]]],"":"empty key"})",
        R"({"text":"é 🤖 \u0001 \"q\" \\ \n"})"}) {
    Result<Payload> payload = ParsePayloadJson(json);
    ASSERT_TRUE(payload.ok()) << json;
    EXPECT_TRUE(ValidatePayload(payload->encoded()).ok());
    EXPECT_EQ(ToJson(payload->root()), json);
  }
}

TEST(Payload, RandomDocumentsComeBackAndAreValid) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 3000; ++i) {
    std::string json = "{\"r\":" + RandomJson(random, 4) + "}";
    Result<Payload> payload = ParsePayloadJson(json);
    ASSERT_TRUE(payload.ok()) << json;
    ASSERT_TRUE(ValidatePayload(payload->encoded()).ok()) << json;
    ASSERT_EQ(ToJson(payload->root()), json);
  }
}

TEST(Payload, EveryTruncationAndEveryFlippedByteIsSafe) {
  Result<Payload> payload =
      ParsePayloadJson(R"({"a":[1,"two",{"three":3.5}],"b":{"c":null,"d":[true,[]]},"e":"text"})");
  ASSERT_TRUE(payload.ok());
  std::vector<std::byte> bytes(payload->encoded().begin(), payload->encoded().end());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ValidatePayload(std::span(bytes).first(length)).ok()) << length;
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> damaged = bytes;
      damaged[i] ^= static_cast<std::byte>(1 << bit);
      // What passes the check must be readable from end to end.
      if (ValidatePayload(damaged).ok()) EXPECT_FALSE(ToJson(PayloadValue(damaged)).empty());
    }
  }
}

std::string Again(const char* json) {
  Result<Payload> payload = ParsePayloadJson(json);
  return payload.ok() ? ToJson(payload->root()) : payload.status().ToString();
}

TEST(Payload, KeepsNumbersBeyondTheIntegersAsDoubles) {
  EXPECT_EQ(Again(R"({"n":18446744073709551616})"), R"({"n":18446744073709551616.0})");
  EXPECT_EQ(Again(R"({"n":-9223372036854775809})"), R"({"n":-9223372036854775808.0})");
  EXPECT_EQ(Again(R"({"a":[1,100000000000000000000000000000,"100000000000000000000000000000"]})"),
            R"({"a":[1,1e+29,"100000000000000000000000000000"]})");
  EXPECT_EQ(Again(R"({"\"123456789012345678901":123456789012345678901})"),
            R"({"\"123456789012345678901":123456789012345683968.0})");
  EXPECT_EQ(Again(R"({"n":9223372036854775807,"m":9223372036854775808,"k":0.1})"),
            R"({"n":9223372036854775807,"m":9223372036854775808,"k":0.1})");
  EXPECT_EQ(ParsePayloadJson(R"({"n":1e400})").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(ParsePayloadJson(R"({"n":01234567890123456789012})").status().code(),
            ErrorCode::kMalformed);
  EXPECT_EQ(ParsePayloadJson(R"({"n":1e400,"s":"\)").status().code(), ErrorCode::kMalformed);
}

// Reads everything, by every accessor.
size_t Touch(PayloadValue value) {
  size_t sum = value.size() + static_cast<size_t>(value.kind());
  if (value.kind() == PayloadValue::Kind::kString) sum += value.AsString().size();
  value.ForEachMember([&](std::string_view key, PayloadValue member) {
    sum += key.size() + Touch(member) + value.Member(key)->size();
    return true;
  });
  value.ForEachElement([&](PayloadValue element) {
    sum += Touch(element) + value.Element(value.size() - 1)->size();
    return true;
  });
  return sum;
}

TEST(Payload, HostileBytesAreRefusedOrSafeToRead) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t accepted = 0;
  size_t refused = 0;
  for (int i = 0; i < 400; ++i) {
    Result<Payload> payload = ParsePayloadJson("{\"r\":" + RandomJson(random, 4) + "}");
    ASSERT_TRUE(payload.ok());
    for (int j = 0; j < 50; ++j) {
      std::vector<std::byte> bytes(payload->encoded().begin(), payload->encoded().end());
      for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
        // Small numbers are likely lengths, counts and tags.
        bytes[random() % bytes.size()] = static_cast<std::byte>(random() % (j % 2 ? 256 : 16));
      }
      if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 4));
      if (ValidatePayload(bytes).ok()) {
        ++accepted;
        EXPECT_FALSE(ToJson(PayloadValue(bytes)).empty());
        EXPECT_GT(Touch(PayloadValue(bytes)), 0u);
      } else {
        ++refused;
      }
    }
  }
  EXPECT_GT(accepted, 100u);
  EXPECT_GT(refused, 1000u);
}

TEST(Payload, RefusesWhatIsNoObjectAndWhatIsTooDeep) {
  EXPECT_EQ(ParsePayloadJson("[1]").status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ParsePayloadJson("{\"a\":").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(ParsePayloadJson("{\"a\":NaN}").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(ParsePayloadJson("{\"a\":\"\xFF\"}").status().code(), ErrorCode::kMalformed);
  auto nested = [](int depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(ParsePayloadJson(nested(kPayloadDepthMax - 1)).ok());
  EXPECT_TRUE(ValidatePayload(ParsePayloadJson(nested(kPayloadDepthMax - 1))->encoded()).ok());
  EXPECT_FALSE(ParsePayloadJson(nested(kPayloadDepthMax + 1)).ok());
}

TEST(Payload, ReachesFieldsDirectly) {
  Result<Payload> payload = ParsePayloadJson(R"({"a":1,"b":[10,20],"a":2})");
  ASSERT_TRUE(payload.ok());
  EXPECT_EQ(payload->root().Member("a")->AsInt(), 2);
  EXPECT_EQ(payload->root().Member("b")->Element(1)->AsInt(), 20);
  EXPECT_FALSE(payload->root().Member("b")->Element(2));
  EXPECT_FALSE(payload->root().Member("c"));
}

}  // namespace
}  // namespace akidb
