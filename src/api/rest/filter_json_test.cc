// How conditions on fields are read; the clauses of filters are in decode_test.cc.
#include "api/rest/filter_json.h"

#include <gtest/gtest.h>

#include "types/datetime.h"

namespace akidb::rest {
namespace {

// A filter that demands one condition.
Result<std::shared_ptr<const Filter>> Must(std::string_view condition) {
  JsonBody body;
  AKIDB_RETURN_IF_ERROR(body.Parse(R"({"must":)" + std::string(condition) + "}"));
  std::shared_ptr<const Filter> filter;
  const FieldPath root;
  AKIDB_RETURN_IF_ERROR(ReadFilter(body.root(), root, filter));
  return filter;
}

// The only predicate of {"key": "a", …}.
template <typename Predicate>
Predicate Read(std::string_view members) {
  auto filter = Must(R"({"key":"a",)" + std::string(members) + "}");
  EXPECT_TRUE(filter.ok()) << filter.status().ToString();
  if (!filter.ok()) return {};
  return std::get<Predicate>(std::get<FieldCondition>((*filter)->must.at(0)).predicate);
}

Status Refused(std::string_view members) {
  return Must(R"({"key":"a",)" + std::string(members) + "}").status();
}

TEST(ReadFieldCondition, ReadsMatchesOfTexts) {
  using Mode = MatchText::Mode;
  EXPECT_EQ(Read<MatchText>(R"("match":{"text":"Hello, World"})").words,
            (std::vector<std::string>{"hello", "world"}));
  EXPECT_EQ(Read<MatchText>(R"("match":{"text":""})").mode, Mode::kAll);
  EXPECT_EQ(Read<MatchText>(R"("match":{"text_any":"x"})").mode, Mode::kAny);
  EXPECT_EQ(Read<MatchText>(R"("match":{"phrase":"x"})").mode, Mode::kPhrase);
  EXPECT_EQ(Read<MatchPrefix>(R"("match":{"prefix":"Ab"})").prefix, "Ab");
  EXPECT_EQ(Read<MatchSubstring>(R"("match":{"substring":"Ab"})").part, "Ab");
  for (const char* match :
       {R"({"text":1})", R"({"prefix":null})", R"({"phrase":["x"]})", R"({"text":"a","any":[]})",
        "{}", R"({"regex":"x"})", R"({"substring":false})"}) {
    EXPECT_EQ(Refused(R"("match":)" + std::string(match)).code(), ErrorCode::kMalformed) << match;
  }
}

TEST(ReadFieldCondition, AStringBoundMakesARangeOneOfDatetimes) {
  const auto range = Read<DatetimeRange>(R"("range":{"gte":"2024-01-01","lt":null})");
  EXPECT_EQ(range.gte, ParseDatetime("2024-01-01T00:00:00Z"));
  EXPECT_FALSE(range.lt);
  EXPECT_EQ(Read<NumericRange>(R"("range":{"gte":1})").gte, 1);
  EXPECT_FALSE(Read<NumericRange>(R"("range":{})").gte);
  EXPECT_EQ(Refused(R"("range":{"gte":"2024-01-01","lt":7})").message(),
            "must.range.lt: numbers and datetimes can't be mixed in one range");
  EXPECT_EQ(Refused(R"("range":{"gt":"tomorrow"})").message(),
            "must.range.gt: 'tomorrow' is not in a supported date/time format, please use "
            "RFC 3339");
  for (const char* range_text :
       {R"({"gt":"2024-02-30"})", R"({"gt":[]})", R"({"gt":true})", R"({"above":"2024-01-01"})"}) {
    EXPECT_EQ(Refused(R"("range":)" + std::string(range_text)).code(), ErrorCode::kMalformed)
        << range_text;
  }
}

TEST(ReadFieldCondition, ReadsRegions) {
  const auto box = Read<GeoBox>(
      R"("geo_bounding_box":{"top_left":{"lat":2,"lon":-3},"bottom_right":{"lon":4.5,"lat":1}})");
  EXPECT_EQ(box.top_left, (GeoPoint{2, -3}));
  EXPECT_EQ(box.bottom_right, (GeoPoint{1, 4.5}));
  const auto circle =
      Read<GeoCircle>(R"("geo_radius":{"center":{"lat":2,"lon":-3},"radius":1000})");
  EXPECT_EQ(circle.center, (GeoPoint{2, -3}));
  EXPECT_EQ(circle.radius_m, 1000);
  const std::string ring =
      R"({"points":[{"lat":0,"lon":0},{"lat":0,"lon":9},{"lat":9,"lon":0},{"lat":0,"lon":0}]})";
  const auto polygon = Read<GeoPolygon>(R"("geo_polygon":{"exterior":)" + ring +
                                        R"(,"interiors":[)" + ring + "," + ring + "]}");
  EXPECT_EQ(polygon.exterior.size(), 4u);
  EXPECT_EQ(polygon.interiors.size(), 2u);
  EXPECT_TRUE(Read<GeoPolygon>(R"("geo_polygon":{"exterior":)" + ring + R"(,"interiors":null})")
                  .interiors.empty());
}

TEST(ReadFieldCondition, RefusesRegionsThatAreNone) {
  for (
      const char* region :
      {R"("geo_radius":{})", R"("geo_radius":{"center":{"lat":1,"lon":2}})",
       R"("geo_radius":{"center":{"lat":1},"radius":1})",
       R"("geo_radius":{"center":{"lat":"1","lon":2},"radius":1})",
       R"("geo_radius":{"center":{"lat":91,"lon":2},"radius":1})",
       R"("geo_radius":{"center":{"lat":1,"lon":-181},"radius":1})",
       R"("geo_radius":{"center":{"lat":1,"lon":1},"radius":"1"})",
       R"("geo_radius":{"center":[1,2],"radius":1})",
       R"("geo_bounding_box":{"top_left":{"lat":1,"lon":1}})",
       R"("geo_bounding_box":{"top_left":{"lat":1,"lon":1},"bottom_right":{"lat":1,"lon":1},"x":1})",
       R"("geo_polygon":{})", R"("geo_polygon":{"exterior":{}})",
       R"("geo_polygon":{"exterior":{"points":{}}})"}) {
    EXPECT_EQ(Refused(region).code(), ErrorCode::kMalformed) << region;
  }
  EXPECT_EQ(Refused(R"("geo_radius":{"center":{"lat":91,"lon":2},"radius":1})").message(),
            "must.geo_radius.center: Wrong format of GeoPoint payload: expected `lat` = "
            "91 within [-90;90] and `lon` = 2 within [-180;180]");
  EXPECT_EQ(Refused(R"("geo_polygon":{"exterior":{"points":[{"lat":0,"lon":0}]}})").message(),
            "must.geo_polygon.exterior: polygon invalid, the size must be at least 4, got 1");
  EXPECT_EQ(Refused(R"("geo_polygon":{"exterior":{"points":[{"lat":0,"lon":0},{"lat":0,"lon":1},)"
                    R"({"lat":1,"lon":0},{"lat":1,"lon":1}]}})")
                .message(),
            "must.geo_polygon.exterior: polygon invalid, the first and the last points "
            "should be the same to form a closed line");
}

TEST(ReadFieldCondition, CountsOfValuesTakePrecedence) {
  auto filter = Must(
      R"({"key":"a","match":{"value":1},"is_null":true,"values_count":{"gt":1,"lte":3,"lt":null}})");
  ASSERT_TRUE(filter.ok()) << filter.status().ToString();
  const auto& count = std::get<ValuesCountCondition>((*filter)->must.at(0));
  EXPECT_EQ(count.count.gt, 1u);
  EXPECT_EQ(count.count.lte, 3u);
  EXPECT_FALSE(count.count.lt);
  for (const char* bounds :
       {R"({"gt":-1})", R"({"gt":1.5})", R"({"gt":"1"})", R"({"min":1})", "7"}) {
    EXPECT_EQ(Refused(R"("values_count":)" + std::string(bounds)).code(), ErrorCode::kMalformed)
        << bounds;
  }
}

TEST(ReadFieldCondition, SeveralPredicatesAreOred) {
  auto filter = Must(R"({"key":"a","match":{"value":1},"range":{"gt":5},"geo_radius":null})");
  ASSERT_TRUE(filter.ok()) << filter.status().ToString();
  EXPECT_EQ(std::get<std::shared_ptr<const Filter>>((*filter)->must.at(0))->should.size(), 2u);
  EXPECT_EQ(Refused(R"("match":null)").code(), ErrorCode::kValidation);
}

TEST(ReadFilter, ReadsSlices) {
  auto filter = Must(R"({"slice":{"total":4,"index":3}})");
  ASSERT_TRUE(filter.ok()) << filter.status().ToString();
  EXPECT_EQ(std::get<SliceCondition>((*filter)->must.at(0)).index, 3u);
  EXPECT_EQ(Must(R"({"slice":{"total":0,"index":0}})").status().message(),
            "[must.slice.total: Slice total must be >= 1, got 0]");
  EXPECT_EQ(Must(R"({"slice":{"total":4,"index":4}})").status().message(),
            "[must.slice.index: Slice index must be in [0;3], got 4]");
  EXPECT_EQ(Must(R"({"slice":{"total":4}})").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(Must(R"({"slice":{"total":4,"index":-1}})").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(Must(R"({"slice":{"total":4,"index":1,"x":1}})").status().code(),
            ErrorCode::kMalformed);
}

TEST(ReadFilter, ANestedKeyMayNameItsElements) {
  for (const char* key : {"a", "a[]"}) {
    auto filter = Must(R"({"nested":{"key":")" + std::string(key) + R"(","filter":{}}})");
    ASSERT_TRUE(filter.ok()) << filter.status().ToString();
    EXPECT_EQ(std::get<NestedCondition>((*filter)->must.at(0)).key.text(), "a");
  }
}

TEST(ReadFilter, MinShouldAsksForOneAtLeast) {
  JsonBody body;
  ASSERT_TRUE(body.Parse(R"({"min_should":{"conditions":[],"min_count":0}})").ok());
  std::shared_ptr<const Filter> filter;
  EXPECT_EQ(ReadFilter(body.root(), FieldPath{}, filter).message(),
            "[min_should.min_count: value 0 invalid, must be 1 or larger]");
}

}  // namespace
}  // namespace akidb::rest
