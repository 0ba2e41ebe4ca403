#include "api/rest/schema/json_schema.h"

#include <gtest/gtest.h>

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/filter_shapes.h"

namespace akidb::rest {
namespace {

std::string SchemaOf(const Shape& shape) {
  std::string text;
  JsonWriter json(text);
  NamedShapes().Write(shape, json);
  return text;
}

TEST(NamedShapes, WritesBoundsChoicesAndWhatNullIs) {
  static constexpr Shape kLimit = {.kind = Shape::Kind::kUint, .min = 1, .max = 9};
  static constexpr Shape kWord = {.kind = Shape::Kind::kChoice, .choices = "a|b"};
  static constexpr Field kFields[] = {{"limit", &kLimit, true}, {"word", &kWord, false, "Which."}};
  static constexpr Shape kObject = {
      .kind = Shape::Kind::kObject, .fields = kFields, .closed = true};
  EXPECT_EQ(SchemaOf(kObject),
            R"({"type":"object","properties":{)"
            R"("limit":{"type":"integer","format":"uint64","minimum":1,"maximum":9},)"
            R"("word":{"description":"Which.","allOf":[{"type":["string","null"],)"
            R"("enum":["a","b",null]}]}},"required":["limit"],"additionalProperties":false})");
}

TEST(NamedShapes, DescribesWhatContainsItselfOnce) {
  std::string text;
  JsonWriter json(text);
  NamedShapes shapes;
  shapes.Write(kFilter, json);
  EXPECT_EQ(text, R"({"$ref":"#/components/schemas/Filter"})");
  std::string all;
  JsonWriter components(all);
  shapes.WriteAll(components);
  EXPECT_EQ(all.find("\"Filter\":{"), all.rfind("\"Filter\":{"));
  EXPECT_NE(all.find("\"Condition\":{"), all.npos);
  EXPECT_NE(all.find("\"PointId\":{"), all.npos);
}

TEST(Fields, OfSeveralTablesKeepTheirOrder) {
  static constexpr std::array<Field, 1> kFirst = {{{"a", &kFlag}}};
  static constexpr std::array<Field, 2> kSecond = {{{"b", &kFlag}, {"c", &kText, true}}};
  constexpr auto kAll = JoinFields(kFirst, kSecond);
  ASSERT_EQ(kAll.size(), 3u);
  EXPECT_EQ(kAll[2].name, "c");
  EXPECT_TRUE(kAll[2].required);
  EXPECT_EQ(FindField(kAll, "b"), &kAll[1]);
  EXPECT_EQ(FindField(kAll, "d"), nullptr);
}

}  // namespace
}  // namespace akidb::rest
