#include "engine/payload_index/index_key.h"

#include <limits>

#include <gtest/gtest.h>

#include "types/payload_json.h"

namespace akidb::engine {
namespace {

template <typename F>
auto KeyOf(F key_of, PayloadIndexKind kind, std::string_view json) {
  const Payload payload = *ParsePayloadJson(R"({"a":)" + std::string(json) + "}");
  return key_of(kind, *payload.root().Member("a"));
}

std::optional<std::string> StringKey(PayloadIndexKind kind, std::string_view json) {
  return KeyOf([](auto k, PayloadValue value) { return StringKeyOf(k, value); }, kind, json);
}
std::optional<int64_t> NumberKey(PayloadIndexKind kind, std::string_view json) {
  return KeyOf([](auto k, PayloadValue value) { return NumberKeyOf(k, value); }, kind, json);
}

TEST(IndexKey, BitsOfFloatsAreInTheirOrder) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kOrdered[] = {-kInfinity, -1e300, -2.5, -1,    -1e-310,  0,
                                 1e-310,     1,      1.5,  1e300, kInfinity};
  for (size_t i = 0; i < std::size(kOrdered); ++i) {
    EXPECT_EQ(FromOrderedBits(OrderedBits(kOrdered[i])), kOrdered[i]);
    if (i > 0) EXPECT_LT(OrderedBits(kOrdered[i - 1]), OrderedBits(kOrdered[i])) << kOrdered[i];
  }
  EXPECT_EQ(OrderedBits(-0.0), OrderedBits(0.0));
}

TEST(IndexKey, EachKindHoldsItsValues) {
  using Kind = PayloadIndexKind;
  EXPECT_EQ(StringKey(Kind::kKeyword, R"("x")"), "x");
  EXPECT_EQ(StringKey(Kind::kKeyword, "1"), std::nullopt);
  EXPECT_EQ(StringKey(Kind::kBool, "true"), "\1");
  EXPECT_EQ(StringKey(Kind::kBool, "false"), std::string(1, '\0'));
  EXPECT_EQ(StringKey(Kind::kBool, R"("true")"), std::nullopt);
  const char* uuid = R"("936da01f-9abd-4d9d-80c7-02af85c822a8")";
  EXPECT_EQ(StringKey(Kind::kUuid, uuid)->size(), 16u);
  // Another spelling is another string.
  EXPECT_EQ(StringKey(Kind::kUuid, R"("936DA01F-9ABD-4D9D-80C7-02AF85C822A8")"), std::nullopt);
  EXPECT_EQ(StringKey(Kind::kUuid, R"("936da01f9abd4d9d80c702af85c822a8")"), std::nullopt);
  EXPECT_EQ(NumberKey(Kind::kInteger, "7"), 7);
  EXPECT_EQ(NumberKey(Kind::kInteger, "7.0"), std::nullopt);
  EXPECT_EQ(NumberKey(Kind::kFloat, "7"), OrderedBits(7));
  EXPECT_EQ(NumberKey(Kind::kFloat, "18446744073709551615"), OrderedBits(0x1p64));
  EXPECT_EQ(NumberKey(Kind::kFloat, R"("7")"), std::nullopt);
  EXPECT_EQ(NumberKey(Kind::kDatetime, R"("1970-01-01T00:00:01Z")"), 1'000'000);
  EXPECT_EQ(NumberKey(Kind::kDatetime, R"("then")"), std::nullopt);
  EXPECT_TRUE(NumberKey(Kind::kGeo, R"({"lat":1,"lon":2})"));
  EXPECT_FALSE(NumberKey(Kind::kGeo, R"({"lat":91,"lon":2})"));
  EXPECT_FALSE(NumberKey(Kind::kGeo, "[1,2]"));
}

TEST(IndexKey, ScalarsHaveTheKeyOfTheValuesThatEqualThem) {
  using Kind = PayloadIndexKind;
  EXPECT_EQ(NumberKeyOf(Kind::kFloat, MatchScalar(int64_t{3})), OrderedBits(3));
  EXPECT_EQ(NumberKeyOf(Kind::kFloat, MatchScalar(std::string("3"))), std::nullopt);
  EXPECT_EQ(NumberKeyOf(Kind::kDatetime, MatchScalar(std::string("1970-01-01"))), 0);
  EXPECT_EQ(NumberKeyOf(Kind::kGeo, MatchScalar(int64_t{3})), std::nullopt);
  EXPECT_EQ(StringKeyOf(Kind::kBool, MatchScalar(true)), "\1");
  EXPECT_EQ(StringKeyOf(Kind::kKeyword, MatchScalar(true)), std::nullopt);
}

}  // namespace
}  // namespace akidb::engine
