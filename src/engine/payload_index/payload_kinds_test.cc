// What each kind of index knows about each kind of condition; keywords and integers as such are in
// payload_index_test.cc.
#include <gtest/gtest.h>

#include "engine/payload_index/payload_index_fixture.h"
#include "types/datetime.h"

namespace akidb::engine {
namespace {

MatchValue Text(const char* text) { return {std::string(text)}; }

TEST(FloatIndex, HoldsAllNumbersAndDecidesRanges) {
  const TestSection section(TestPayloads({R"({"n": 1})", R"({"n": 1.0})", R"({"n": [-2.5, "x"]})",
                                          R"({"n": 18446744073709551615})", R"({"n": -0.0})",
                                          R"({"n": "1"})", R"({"n": null})"}),
                            {{"n", PayloadIndexKind::kFloat}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, TestRange(">=", 1), {0, 1, 3});
  ExpectFinds(index, TestRange("<", 0), {2});
  ExpectFinds(index, TestRange(">=", 0, "<", 1), {4});
  ExpectFinds(index, NumericRange{}, {0, 1, 2, 3, 4});
  // 1 equals 1, and 1.0 doesn't; the index has the same key for both.
  ExpectLeaves(index, MatchValue{int64_t{1}}, {{}, {0, 1}});
  ExpectFinds(index, MatchValue{int64_t{7}}, {});
  ExpectLeaves(index, Text("x"), {{}, {2, 5}});
  ExpectLeaves(index, MatchExcept{{int64_t{1}}}, {{2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}});
  ExpectLeaves(index, DatetimeRange{}, {{}, {2, 5}});
}

TEST(BoolIndex, HoldsBooleans) {
  const TestSection section(
      TestPayloads({R"({"b": true})", R"({"b": [false, true]})", R"({"b": "true"})", "{}"}),
      {{"b", PayloadIndexKind::kBool}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, MatchValue{true}, {0, 1});
  ExpectFinds(index, MatchValue{false}, {1});
  ExpectLeaves(index, Text("true"), {{}, {2}});
  ExpectLeaves(index, MatchPrefix{"t"}, {{}, {2}});
  ExpectFinds(index, TestRange(">", 0), {});
  EXPECT_EQ(RowsIn(index.Empty()), (Rows{3}));
}

TEST(DatetimeIndex, DecidesRangesWhateverElseTheFieldHolds) {
  const TestSection section(
      TestPayloads({R"({"d": "2024-01-01"})", R"({"d": "2024-01-01T00:00:00Z"})",
                    R"({"d": ["2023-12-31T23:59:59.999999Z", "never"]})", R"({"d": "never"})",
                    R"({"d": 1704067200})", R"({"d": null})"}),
      {{"d", PayloadIndexKind::kDatetime}});
  const PayloadIndexReader& index = Only(section);
  DatetimeRange range;
  range.gte = ParseDatetime("2024-01-01");
  ExpectFinds(index, range, {0, 1});
  range = {};
  range.lt = ParseDatetime("2024-01-01");
  ExpectFinds(index, range, {2});
  // Two spellings of one moment are two strings.
  ExpectLeaves(index, Text("2024-01-01"), {{}, {0, 1}});
  ExpectLeaves(index, Text("never"), {{}, {2, 3, 4}});
  ExpectLeaves(index, MatchPrefix{"20"}, {{}, {0, 1, 2, 3, 4}});
  ExpectLeaves(index, TestRange(">", 0), {{}, {4}});
}

TEST(UuidIndex, HoldsTheUsualSpelling) {
  const TestSection section(
      TestPayloads({R"({"u": "936da01f-9abd-4d9d-80c7-02af85c822a8"})",
                    R"({"u": "936DA01F-9ABD-4D9D-80C7-02AF85C822A8"})", R"({"u": "x"})"}),
      {{"u", PayloadIndexKind::kUuid}});
  const PayloadIndexReader& index = Only(section);
  ExpectFinds(index, Text("936da01f-9abd-4d9d-80c7-02af85c822a8"), {0});
  ExpectFinds(index, Text("936da01f-9abd-4d9d-80c7-02af85c822a9"), {});
  ExpectLeaves(index, Text("936DA01F-9ABD-4D9D-80C7-02AF85C822A8"), {{}, {1, 2}});
  ExpectFinds(index, MatchExcept{{std::string("936da01f-9abd-4d9d-80c7-02af85c822a8")}}, {1, 2});
}

TEST(KeywordIndex, FindsPrefixesAndSubstringsInItsValues) {
  const std::string large(kKeywordBytesMax + 1, 'a');
  const TestSection section(
      TestPayloads({R"({"k": "abc"})", R"({"k": ["xb", "ab"]})", R"({"k": "b"})", R"({"k": 7})",
                    R"({"k": ")" + large + R"("})"}),
      {{"k", PayloadIndexKind::kKeyword}});
  const PayloadIndexReader& index = Only(section);
  ExpectLeaves(index, MatchPrefix{"ab"}, {{0, 1}, {0, 1, 3, 4}});
  ExpectLeaves(index, MatchPrefix{""}, {{0, 1, 2}, {0, 1, 2, 3, 4}});
  ExpectLeaves(index, MatchPrefix{"abcd"}, {{}, {3, 4}});
  ExpectLeaves(index, MatchSubstring{"b"}, {{0, 1, 2}, {0, 1, 2, 3, 4}});
  ExpectLeaves(index, MatchSubstring{"bc"}, {{0}, {0, 3, 4}});
  ExpectLeaves(index, MatchText{MatchText::Mode::kAll, {"b"}}, {{}, {0, 1, 2, 3, 4}});
}

TEST(GeoIndex, LeavesOnlyPlacesNearTheEdge) {
  const TestSection section(
      TestPayloads({R"({"g": {"lat": 52.5, "lon": 13.4}})", R"({"g": {"lat": 0, "lon": 180}})",
                    R"({"g": [{"lat": 10, "lon": 10}, {"lat": 52.5, "lon": 13}]})",
                    R"({"g": {"lat": 95, "lon": 13}})", R"({"g": "here"})",
                    R"({"g": {"lat": 50, "lon": 13}})"}),
      {{"g", PayloadIndexKind::kGeo}});
  const PayloadIndexReader& index = Only(section);
  // Row 5 lies on the edge; rows 3 and 4 are none that the index holds.
  ExpectLeaves(index, GeoBox{{60, 5}, {50, 20}}, {{0, 2}, {0, 2, 3, 4, 5}});
  ExpectLeaves(index, GeoBox{{1, 170}, {-1, -170}}, {{1}, {1, 3, 4}});
  ExpectLeaves(index, GeoCircle{{52.5, 13.2}, 50'000}, {{0, 2}, {0, 2, 3, 4}});
  ExpectLeaves(index, GeoPolygon{{{9, 9}, {9, 11}, {11, 10}, {9, 9}}, {}}, {{2}, {2, 3, 4}});
  // A place is an object, and no scalar.
  ExpectLeaves(index, Text("here"), {{}, {3, 4}});
  ExpectLeaves(index, MatchExcept{{std::string("here")}}, {{0, 1, 2, 5}, {0, 1, 2, 3, 4, 5}});
}

}  // namespace
}  // namespace akidb::engine
