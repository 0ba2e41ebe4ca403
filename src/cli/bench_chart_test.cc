#include "cli/bench_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SweepPoint PointAt(double recall, double per_second, double per_cpu_second = 0) {
  SweepPoint point;
  point.recall = recall;
  point.per_second = per_second;
  point.per_cpu_second = per_cpu_second;
  return point;
}

size_t Count(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(DrawChart, EverySeriesHasALineMarkersAndALabel) {
  const std::string svg = DrawChart({{"akidb", {PointAt(0.9, 30'000), PointAt(0.99, 12'000)}},
                                     {"other", {PointAt(0.8, 9000), PointAt(0.98, 2000)}}},
                                    {"Title", "what was measured", 10});
  EXPECT_THAT(svg, HasSubstr(">akidb</text>"));
  EXPECT_THAT(svg, HasSubstr(">other</text>"));
  EXPECT_EQ(Count(svg, "class=\"l"), 2u);
  EXPECT_EQ(Count(svg, "<path transform"), 6u);  // a marker a point, and one in each label
  EXPECT_THAT(svg, HasSubstr(">10,000</text>"));
  EXPECT_THAT(svg, HasSubstr(">0.95</text>"));
  EXPECT_THAT(svg, HasSubstr("recall@10"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST(DrawChart, TheBetterPointLiesFurtherRightAndHigher) {
  const std::string svg =
      DrawChart({{"a", {PointAt(0.9, 1000), PointAt(0.99, 4000)}}}, {"t", "", 10});
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  const size_t at = svg.find("d=\"M", svg.find("class=\"l"));
  ASSERT_NE(at, std::string::npos);
  ASSERT_EQ(std::sscanf(svg.c_str() + at, "d=\"M%lf %lfL%lf %lf", &x0, &y0, &x1, &y1), 4);
  EXPECT_LT(x0, x1);
  EXPECT_GT(y0, y1);
}

TEST(DrawChart, NamesAreText) {
  const std::string svg = DrawChart({{"<script>&\"\x01", {PointAt(0.9, 10)}}}, {"a<b", "c&d", 10});
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&amp;&quot; "));
  EXPECT_THAT(svg, HasSubstr("a&lt;b"));
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
}

TEST(DrawChart, SpeedsByProcessorTimeAreDrawnWhereAllHaveThem) {
  const SweepPoint both = PointAt(0.9, 10, 20);
  EXPECT_THAT(DrawChart({{"a", {both}}}, {"t", "", 10}), HasSubstr("of processor time"));
  EXPECT_THAT(DrawChart({{"a", {both}}, {"b", {PointAt(0.9, 10)}}}, {"t", "", 10}),
              Not(HasSubstr("of processor time")));
}

TEST(DrawChart, LongNamesHaveRoom) {
  const std::string svg = DrawChart({{std::string(100, 'm'), {PointAt(0.9, 10)}}}, {"t", "", 10});
  double width = 0;
  ASSERT_EQ(std::sscanf(svg.c_str() + svg.find("width=\""), "width=\"%lf", &width), 1);
  EXPECT_GT(width, 1400);
}

TEST(DrawChart, AnythingCanBeDrawn) {
  for (double recall : {0.0, 0.3, 0.5, 0.999999, 1.0}) {
    for (double speed : {0.01, 1.0, 1e8}) {
      const std::string svg =
          DrawChart({{"a", {PointAt(recall, speed), PointAt(recall, speed)}}}, {"t", "", 1});
      EXPECT_THAT(svg, Not(HasSubstr("nan"))) << recall;
      EXPECT_THAT(svg, Not(HasSubstr("inf"))) << recall;
    }
  }
  std::vector<BenchSeries> many(30, {"name", {PointAt(0.9, 10)}});
  EXPECT_EQ(Count(DrawChart(many, {"t", "", 10}), ">name</text>"), 30u);
}

}  // namespace
}  // namespace akidb::cli
