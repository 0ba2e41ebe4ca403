#include <gtest/gtest.h>

#include "types/payload.h"
#include "types/payload_json.h"

namespace akidb {
namespace {

std::string Select(const char* json, PayloadSelector::Mode mode, std::vector<std::string> paths) {
  Result<Payload> payload = ParsePayloadJson(json);
  EXPECT_TRUE(payload.ok());
  Payload selected = SelectPayload(payload->root(), {mode, std::move(paths)});
  EXPECT_TRUE(ValidatePayload(selected.encoded()).ok());
  std::string out;
  JsonWriter writer(out);
  selected.root().WriteJson(writer);
  return out;
}

constexpr auto kInclude = PayloadSelector::Mode::kInclude;
constexpr auto kExclude = PayloadSelector::Mode::kExclude;
constexpr char kJson[] = R"({"a":1,"b":{"c":2,"d":3},"e":[{"f":4,"g":5},6]})";

TEST(PayloadSelector, IncludesFieldsAndParts) {
  EXPECT_EQ(Select(kJson, kInclude, {"a"}), R"({"a":1})");
  EXPECT_EQ(Select(kJson, kInclude, {"b.d"}), R"({"b":{"d":3}})");
  EXPECT_EQ(Select(kJson, kInclude, {"e[].f"}), R"({"e":[{"f":4},6]})");
  EXPECT_EQ(Select(kJson, kInclude, {"none"}), "{}");
  EXPECT_EQ(Select(kJson, kInclude, {}), "{}");
}

TEST(PayloadSelector, KeepsTheValuesOnTheWayToWhatIsIncluded) {
  EXPECT_EQ(Select(kJson, kInclude, {"a.x", "e[][].x"}), R"({"a":1,"e":[{},6]})");
  EXPECT_EQ(Select(kJson, kInclude, {"e.f", "b[]"}), R"({"b":{},"e":[]})");
  EXPECT_EQ(Select(R"({"n":[[{"x":1,"y":2}],3]})", kInclude, {"n[][].x"}),
            R"({"n":[[{"x":1}],3]})");
}

TEST(PayloadSelector, DoesNotTellElementsApart) {
  EXPECT_EQ(Select(kJson, kInclude, {"e[0]"}), R"({"e":[]})");
  EXPECT_EQ(Select(kJson, kExclude, {"e[0]", "e[0].f", "e.f", "a", "b"}),
            R"({"e":[{"f":4,"g":5},6]})");
  EXPECT_EQ(Select(kJson, kExclude, {"e[]", "a", "b"}), R"({"e":[]})");
}

TEST(PayloadSelector, ExcludesFieldsAndParts) {
  EXPECT_EQ(Select(kJson, kExclude, {"a", "e"}), R"({"b":{"c":2,"d":3}})");
  EXPECT_EQ(Select(kJson, kExclude, {"b.c"}), R"({"a":1,"b":{"d":3},"e":[{"f":4,"g":5},6]})");
  EXPECT_EQ(Select(kJson, kExclude, {"e[].g"}), R"({"a":1,"b":{"c":2,"d":3},"e":[{"f":4},6]})");
  EXPECT_EQ(Select(kJson, kExclude, {}), kJson);
}

}  // namespace
}  // namespace akidb
