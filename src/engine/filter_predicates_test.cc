// One predicate at a time over small payloads: docs/api/filters.md, line by line.
#include <gtest/gtest.h>

#include "engine/filter_evaluator.h"
#include "types/datetime.h"
#include "types/payload_json.h"
#include "types/text/words.h"

namespace akidb::engine {
namespace {

class TestPoint final : public FilterSubject {
 public:
  TestPoint(std::string_view json, PointId id) : payload_(*ParsePayloadJson(json)), id_(id) {}
  std::optional<PointId> id() override { return id_; }
  PayloadValue payload() override { return payload_.root(); }
  bool HasVector(std::string_view) override { return false; }

 private:
  Payload payload_;
  PointId id_;
};

PayloadPath Path(std::string_view text) { return *PayloadPath::Parse(text); }

bool Holds(Condition condition, std::string_view json, PointId id = PointId(1)) {
  Filter filter;
  filter.must.push_back(std::move(condition));
  TestPoint point(json, id);
  return Matches(filter, point);
}

template <typename Predicate>
bool HoldsOf(Predicate predicate, std::string_view value) {
  return Holds(FieldCondition{Path("a"), std::move(predicate)},
               R"({"a":)" + std::string(value) + "}");
}

TEST(FilterPredicates, DatetimeRangesCompareMomentsOfStrings) {
  DatetimeRange range;
  range.gte = *ParseDatetime("2024-01-01");
  range.lt = *ParseDatetime("2024-02-01");
  EXPECT_TRUE(HoldsOf(range, R"("2024-01-01")"));
  EXPECT_TRUE(HoldsOf(range, R"("2024-02-01T00:30:00+01:00")"));
  EXPECT_TRUE(HoldsOf(range, R"(["x", "2024-01-15 12:00"])"));
  EXPECT_FALSE(HoldsOf(range, R"("2024-02-01")"));
  EXPECT_FALSE(HoldsOf(range, R"("January")"));
  EXPECT_FALSE(HoldsOf(range, "1704067200"));
  EXPECT_TRUE(HoldsOf(DatetimeRange{}, R"("2024-02-01")"));
  EXPECT_FALSE(HoldsOf(DatetimeRange{}, R"("x")"));
  EXPECT_FALSE(HoldsOf(NumericRange{}, R"("2024-02-01")"));
}

TEST(FilterPredicates, ValuesAreCounted) {
  auto is = [](uint64_t count, std::string_view json, std::string_view key = "a") {
    return Holds(ValuesCountCondition{Path(key), {.lte = count, .gte = count}}, json);
  };
  EXPECT_TRUE(is(3, R"({"a":[1,null,[]]})"));
  EXPECT_TRUE(is(0, R"({"a":[]})"));
  EXPECT_TRUE(is(0, R"({"a":null})"));
  EXPECT_TRUE(is(0, "{}"));
  EXPECT_TRUE(is(1, R"({"a":{}})"));
  EXPECT_TRUE(is(1, R"({"a":"xyz"})"));
  EXPECT_FALSE(is(0, R"({"a":"xyz"})"));
  // Any value that the path reaches, each by itself.
  EXPECT_TRUE(is(2, R"({"a":[{"b":[1,2]},{"b":7}]})", "a[].b"));
  EXPECT_TRUE(is(1, R"({"a":[{"b":[1,2]},{"b":7}]})", "a[].b"));
  EXPECT_FALSE(is(3, R"({"a":[{"b":[1,2]},{"b":7}]})", "a[].b"));
  EXPECT_FALSE(Holds(ValuesCountCondition{Path("a[].b"), {.lt = 3, .gt = 2}},
                     R"({"a":[{"b":[1,2]},{"b":[1,2,3]}]})"));
  EXPECT_TRUE(is(0, R"({"a":[{"b":null},{}]})", "a[].b"));
}

// Many words are looked for by their hashes, a few one by one: the same words are found.
TEST(FilterPredicates, ManyWordsAreLookedForAsFewAre) {
  using Mode = MatchText::Mode;
  std::string held;
  for (int i = 0; i < 40; ++i) held += "w" + std::to_string(i) + " ";
  const std::string value = "\"" + held + "\"";
  const auto holds = [&](Mode mode, const std::string& query) {
    return HoldsOf(MatchText{mode, WordsOf(query)}, value);
  };
  EXPECT_TRUE(holds(Mode::kAll, held));
  EXPECT_TRUE(holds(Mode::kAll, held + held));
  EXPECT_FALSE(holds(Mode::kAll, held + "other"));
  EXPECT_FALSE(holds(Mode::kAll, held + "other other"));
  std::string others;
  for (int i = 0; i < 40; ++i) others += "o" + std::to_string(i) + " o1 ";
  EXPECT_FALSE(holds(Mode::kAny, others));
  EXPECT_FALSE(holds(Mode::kAll, others));
  EXPECT_TRUE(holds(Mode::kAny, others + "w39"));
}

TEST(FilterPredicates, TextsAreComparedByWords) {
  using Mode = MatchText::Mode;
  auto holds = [](Mode mode, std::string_view query, std::string_view value) {
    return HoldsOf(MatchText{mode, WordsOf(query)}, value);
  };
  const char* text = R"("Good, cheap Hardware; goodness!")";
  EXPECT_TRUE(holds(Mode::kAll, "cheap good", text));
  EXPECT_TRUE(holds(Mode::kAll, "HARDWARE", text));
  EXPECT_FALSE(holds(Mode::kAll, "good hard", text));
  EXPECT_TRUE(holds(Mode::kAny, "nothing hardware", text));
  EXPECT_FALSE(holds(Mode::kAny, "hard ware", text));
  EXPECT_TRUE(holds(Mode::kPhrase, "good cheap", text));
  EXPECT_FALSE(holds(Mode::kPhrase, "cheap good", text));
  EXPECT_FALSE(holds(Mode::kPhrase, "good hardware", text));
  for (Mode mode : {Mode::kAll, Mode::kAny, Mode::kPhrase}) {
    EXPECT_FALSE(holds(mode, "", text));
    EXPECT_FALSE(holds(mode, "7", "7"));
    EXPECT_TRUE(holds(mode, "b", R"(["a", "b"])"));
  }
  // The words stand in one value.
  EXPECT_FALSE(holds(Mode::kAll, "a b", R"(["a", "b"])"));
}

TEST(FilterPredicates, PrefixesAndSubstringsAreBytes) {
  EXPECT_TRUE(HoldsOf(MatchPrefix{"ab"}, R"("abc")"));
  EXPECT_FALSE(HoldsOf(MatchPrefix{"ab"}, R"("Abc")"));
  EXPECT_FALSE(HoldsOf(MatchPrefix{"ab"}, R"("xab")"));
  EXPECT_TRUE(HoldsOf(MatchPrefix{""}, R"("")"));
  EXPECT_FALSE(HoldsOf(MatchPrefix{""}, "1"));
  EXPECT_TRUE(HoldsOf(MatchSubstring{"bc"}, R"(["x", "abcd"])"));
  EXPECT_FALSE(HoldsOf(MatchSubstring{"BC"}, R"("abcd")"));
  EXPECT_FALSE(HoldsOf(MatchSubstring{"1"}, "1"));
}

TEST(FilterPredicates, PlacesAreObjectsWithTwoNumbers) {
  const GeoBox box{{60, 5}, {50, 20}};
  EXPECT_TRUE(HoldsOf(box, R"({"lat":52.5,"lon":13})"));
  EXPECT_TRUE(HoldsOf(box, R"([{"lat":0,"lon":0},{"lat":52,"lon":13,"alt":7}])"));
  EXPECT_FALSE(HoldsOf(box, R"({"lat":52})"));
  EXPECT_FALSE(HoldsOf(box, R"({"lat":"52","lon":13})"));
  EXPECT_FALSE(HoldsOf(box, R"({"lat":52,"lon":null})"));
  EXPECT_FALSE(HoldsOf(box, "[52, 13]"));
  EXPECT_TRUE(HoldsOf(GeoCircle{{52, 13}, 1000}, R"({"lat":52.005,"lon":13})"));
  EXPECT_FALSE(HoldsOf(GeoCircle{{52, 13}, 1000}, R"({"lat":52.01,"lon":13})"));
  const GeoRing triangle{{0, 0}, {0, 4}, {4, 0}, {0, 0}};
  EXPECT_TRUE(HoldsOf(GeoPolygon{triangle, {}}, R"({"lat":1,"lon":1})"));
  EXPECT_FALSE(HoldsOf(GeoPolygon{triangle, {}}, R"({"lat":3,"lon":3})"));
}

TEST(FilterPredicates, SlicesPartTheIds) {
  int found = 0;
  for (uint64_t index = 0; index < 7; ++index) {
    found += Holds(SliceCondition{7, index}, "{}", PointId(42));
  }
  EXPECT_EQ(found, 1);
}

TEST(FilterPredicates, ElementsOfNestedArraysHaveNoId) {
  auto nested = [](Condition condition) {
    auto filter = std::make_shared<Filter>();
    filter->must.push_back(std::move(condition));
    return NestedCondition{Path("a"), filter};
  };
  const char* json = R"({"a":[{"b":1}]})";
  EXPECT_TRUE(Holds(nested(FieldCondition{Path("b"), MatchValue{int64_t{1}}}), json, PointId(0)));
  EXPECT_FALSE(Holds(nested(HasIdCondition({PointId(0), PointId(1)})), json, PointId(0)));
  EXPECT_FALSE(Holds(nested(SliceCondition{1, 0}), json, PointId(0)));
}

}  // namespace
}  // namespace akidb::engine
