#include "types/payload_path.h"

#include <gtest/gtest.h>

#include "types/payload_json.h"

namespace akidb {
namespace {

std::string Reach(const char* json, const char* path) {
  Result<Payload> payload = ParsePayloadJson(json);
  Result<PayloadPath> parsed = PayloadPath::Parse(path);
  EXPECT_TRUE(payload.ok() && parsed.ok()) << path;
  std::string out;
  JsonWriter writer(out);
  writer.BeginArray();
  parsed->ForEach(payload->root(), [&](PayloadValue value) {
    value.WriteJson(writer);
    return true;
  });
  writer.EndArray();
  return out;
}

TEST(PayloadPath, ReachesMembersElementsAndEveryElement) {
  constexpr char kJson[] = R"({"a":{"b":1},"l":[{"x":1},{"x":2},3],"q.r":{"s":4},"p":[[1,2],[3]]})";
  EXPECT_EQ(Reach(kJson, "a.b"), "[1]");
  EXPECT_EQ(Reach(kJson, "l[].x"), "[1,2]");
  EXPECT_EQ(Reach(kJson, "l[1].x"), "[2]");
  EXPECT_EQ(Reach(kJson, "l[9].x"), "[]");
  EXPECT_EQ(Reach(kJson, "l.x"), "[]");
  EXPECT_EQ(Reach(kJson, "\"q.r\".s"), "[4]");
  EXPECT_EQ(Reach(kJson, "p[][]"), "[1,2,3]");
  EXPECT_EQ(Reach(kJson, "p[0][1]"), "[2]");
  EXPECT_EQ(Reach(kJson, "none.b"), "[]");
}

TEST(PayloadPath, RefusesWhatIsNoPath) {
  for (const char* path : {"", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[1", "\"a", "a\"b", "a[]b",
                           "a[-1]", "a[99999999999999999999]"}) {
    EXPECT_EQ(PayloadPath::Parse(path).status().code(), ErrorCode::kValidation) << path;
  }
}

}  // namespace
}  // namespace akidb
