#include "types/payload_change.h"

#include <gtest/gtest.h>

#include "types/payload_json.h"

namespace akidb {
namespace {

std::string Json(const Payload& payload) {
  std::string text;
  JsonWriter writer(text);
  payload.root().WriteJson(writer);
  return text;
}

std::string Changed(std::string_view before, const PayloadChange& change) {
  Result<Payload> after = ChangedPayload(ParsePayloadJson(before)->root(), change);
  if (!after.ok()) return after.status().ToString();
  EXPECT_TRUE(ValidatePayload(after->encoded()).ok());
  return Json(*after);
}

std::string Set(std::string_view before, std::string_view values, const char* key = nullptr) {
  SetPayload set{*ParsePayloadJson(values), std::nullopt};
  if (key != nullptr) set.key = *PayloadPath::Parse(key);
  return Changed(before, set);
}

std::string Delete(std::string_view before, const std::vector<const char*>& keys) {
  DeletePayloadKeys remove;
  for (const char* key : keys) remove.keys.push_back(*PayloadPath::Parse(key));
  return Changed(before, remove);
}

TEST(PayloadChange, SettingMergesTheMembersOfTheTop) {
  EXPECT_EQ(Set(R"({"a":1,"b":{"c":2}})", R"({"b":{"d":3},"e":4})"),
            R"({"a":1,"b":{"d":3},"e":4})");
  EXPECT_EQ(Set("{}", R"({"x":[1,2]})"), R"({"x":[1,2]})");
  EXPECT_EQ(Set(R"({"a":1})", "{}"), R"({"a":1})");
}

TEST(PayloadChange, SettingNullRemoves) {
  EXPECT_EQ(Set(R"({"a":1,"b":2})", R"({"a":null,"z":null})"), R"({"b":2})");
  EXPECT_EQ(Set(R"({"a":{"b":1}})", R"({"b":null,"c":1})", "a"), R"({"a":{"c":1}})");
  // Only of the members themselves.
  EXPECT_EQ(Set("{}", R"({"a":{"b":null}})"), R"({"a":{"b":null}})");
}

TEST(PayloadChange, SettingByKeyMergesIntoWhatIsThere) {
  EXPECT_EQ(Set(R"({"a":{"b":{"x":1}},"z":0})", R"({"y":2})", "a.b"),
            R"({"a":{"b":{"x":1,"y":2}},"z":0})");
  EXPECT_EQ(Set("{}", R"({"y":2})", "a.b"), R"({"a":{"b":{"y":2}}})");
  EXPECT_EQ(Set(R"({"a":5})", R"({"y":2})", "a.b"), R"({"a":{"b":{"y":2}}})");
  EXPECT_EQ(Set(R"({"a":"text"})", R"({"y":2})", "a"), R"({"a":{"y":2}})");
}

TEST(PayloadChange, SettingByKeyChangesElementsAndAddsNone) {
  EXPECT_EQ(Set(R"({"a":[{"x":1},7]})", R"({"y":2})", "a[0]"), R"({"a":[{"x":1,"y":2},7]})");
  EXPECT_EQ(Set(R"({"a":[{"x":1},7]})", R"({"y":2})", "a[5]"), R"({"a":[{"x":1},7]})");
  EXPECT_EQ(Set(R"({"a":[{"x":1},7]})", R"({"y":2})", "a[]"), R"({"a":[{"x":1,"y":2},{"y":2}]})");
  EXPECT_EQ(Set(R"({"a":[[{"b":1}],{"b":2}]})", R"({"y":2})", "a[].b"),
            R"({"a":[{"b":{"y":2}},{"b":{"y":2}}]})");
  EXPECT_EQ(Set(R"({"a":{"x":1}})", R"({"y":2})", "a[0].b"), R"({"a":[]})");
  EXPECT_EQ(Set("{}", R"({"y":2})", "a[]"), R"({"a":[]})");
}

TEST(PayloadChange, RepeatedKeysBecomeOne) {
  EXPECT_EQ(Set(R"({"a":1,"b":2,"a":3})", R"({"c":4})"), R"({"a":3,"b":2,"c":4})");
  EXPECT_EQ(Set(R"({"a":{"x":1},"a":{"y":2}})", R"({"z":3})", "a"), R"({"a":{"y":2,"z":3}})");
}

TEST(PayloadChange, OverwritingAndClearingForgetWhatWas) {
  EXPECT_EQ(Changed(R"({"a":1})", OverwritePayload{*ParsePayloadJson(R"({"b":null})")}),
            R"({"b":null})");
  EXPECT_EQ(Changed(R"({"a":1})", ClearPayload{}), "{}");
  EXPECT_FALSE(DependsOnPayload(ClearPayload{}));
  EXPECT_TRUE(DependsOnPayload(SetPayload{}));
}

TEST(PayloadChange, DeletingRemovesWhatPathsReach) {
  const char* before = R"({"a":{"b":1,"c":2},"l":[{"x":1,"y":2},{"x":3}],"z":0})";
  EXPECT_EQ(Delete(before, {"a", "l"}), R"({"z":0})");
  EXPECT_EQ(Delete(before, {"a.b", "l[].x"}), R"({"a":{"c":2},"l":[{"y":2},{}],"z":0})");
  EXPECT_EQ(Delete(before, {"l[1].x"}), R"({"a":{"b":1,"c":2},"l":[{"x":1,"y":2},{}],"z":0})");
  EXPECT_EQ(Delete(before, {"l[]"}), R"({"a":{"b":1,"c":2},"l":[],"z":0})");
}

TEST(PayloadChange, DeletingWhatIsNotThereChangesNothing) {
  const char* before = R"({"a":{"b":1},"l":[1,2]})";
  EXPECT_EQ(Delete(before, {"x", "a.x", "a.b.c", "a[]", "l[0]", "l.x", "l[7].x", "l[].x"}), before);
  EXPECT_EQ(Delete(before, {}), before);
}

TEST(PayloadChange, WhatGrowsTooLargeOrTooDeepIsRefused) {
  std::string path = "a";
  for (int i = 0; i < 126; ++i) path += ".a";
  EXPECT_EQ(Set("{}", R"({"y":{}})", path.c_str()).find("invalid_argument"), 0u);
  EXPECT_EQ(Set("{}", R"({"y":1})", path.substr(0, path.size() - 2).c_str()).find('{'), 0u);
  for (int i = 0; i < 100'000; ++i) path += ".a";
  EXPECT_EQ(Set("{}", R"({"y":1})", path.c_str()).find("invalid_argument"), 0u);
  // A small change of many elements.
  std::string many = R"({"a":[0)";
  for (int i = 0; i < 100'000; ++i) many += ",0";
  const std::string values = R"({"v":")" + std::string(1000, 'x') + R"("})";
  EXPECT_EQ(Set(many + "]}", values, "a[]").find("invalid_argument"), 0u);
}

}  // namespace
}  // namespace akidb
