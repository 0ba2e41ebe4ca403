#include "cli/bench_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

BenchReport Example() {
  BenchReport report;
  report.data = "glosses.f32";
  report.points = 116'659;
  report.dim = 384;
  report.metric = "Cosine";
  report.queries = 1000;
  report.seed = 7;
  report.options.efs = {10, 100};
  report.series = {{"akidb",
                    {{10, 0.9, 30'000.5, 31'000, 30.5, 60, 300.5, 65'000},
                     {100, 0.99, 10'000, 11'000, 90, 200, 1'234.4, 271'000}}}};
  return report;
}

TEST(BenchReport, TheTableSaysWhatWasMeasured) {
  const std::string text = ReportText(Example());
  EXPECT_THAT(text, HasSubstr("glosses.f32: 116,659 points of 384 dimensions, Cosine, "
                              "1,000 queries, k 10, 1 thread, 5 rounds\n"));
  EXPECT_THAT(text, HasSubstr("recall@10   queries/s  per CPU s"));
  EXPECT_THAT(text, HasSubstr("p99 us  rows/query  bytes/query\n"));
  EXPECT_THAT(text, HasSubstr("   100      0.9900      10,000     11,000       90.0      200.0"
                              "       1,234      271,000\n"));
  BenchReport remote = Example();
  for (SweepPoint& point : remote.series[0].points) {
    point.per_cpu_second = 0;
    point.rows = 0;
  }
  EXPECT_THAT(ReportText(remote), Not(HasSubstr("CPU")));
  EXPECT_THAT(ReportText(remote), HasSubstr("p99 us\n"));
}

TEST(BenchReport, JsonReadsBack) {
  const BenchReport report = Example();
  Result<std::vector<BenchSeries>> series = ReadSeries(ReportJson(report));
  ASSERT_TRUE(series.ok()) << series.status().ToString();
  ASSERT_EQ(series->size(), 1u);
  EXPECT_EQ(series->at(0).name, "akidb");
  ASSERT_EQ(series->at(0).points.size(), 2u);
  const SweepPoint& point = series->at(0).points[0];
  EXPECT_EQ(point.ef, 10u);
  EXPECT_EQ(point.recall, 0.9);
  EXPECT_EQ(point.per_second, 30'000.5);
  EXPECT_EQ(point.per_cpu_second, 31'000);
  EXPECT_EQ(point.p50_us, 30.5);
  EXPECT_EQ(point.p99_us, 60);
  EXPECT_EQ(point.rows, 300.5);
  EXPECT_EQ(point.bytes, 65'000);
}

TEST(BenchReport, WhatCannotBeComparedIsRefused) {
  const auto error = [](std::string_view json) {
    Result<std::vector<BenchSeries>> series = ReadSeries(json);
    return series.ok() ? "read" : std::string(series.status().message());
  };
  EXPECT_THAT(error("nonsense"), HasSubstr("not JSON"));
  EXPECT_THAT(error("{}"), HasSubstr("`series`"));
  EXPECT_THAT(error(R"({"series":[]})"), HasSubstr("no series"));
  EXPECT_THAT(error(R"({"series":[{"points":[]}]})"), HasSubstr("name"));
  EXPECT_THAT(error(R"({"series":[{"name":"a","points":[]}]})"), HasSubstr("points in series a"));
  EXPECT_THAT(error(R"({"series":[{"name":"a","points":[{"recall":0.5}]}]})"),
              HasSubstr("queries_per_s"));
  EXPECT_THAT(error(R"({"series":[{"name":"a","points":[{"recall":2,"queries_per_s":1}]}]})"),
              HasSubstr("within 0 and 1"));
  EXPECT_EQ(error(R"({"series":[{"name":"a","points":[{"recall":1,"queries_per_s":1}]}],"x":0})"),
            "read");
}

TEST(BenchReport, SpeedsAreComparedAtEqualRecall) {
  std::vector<BenchSeries> series = Example().series;
  series.push_back(
      {"peer", {{10, 0.5, 9000, 9000, 0, 0, 0, 0}, {20, 0.95, 5000, 5000, 0, 0, 0, 0}}});
  const std::string text = ComparisonText(series);
  EXPECT_THAT(text, HasSubstr("processor time"));
  EXPECT_THAT(text, HasSubstr("\nakidb      31,000 (1.00)"));
  // Of 0.99 the peer is short.
  EXPECT_THAT(text, HasSubstr("5,000 (3.49)                 -"));
}

TEST(Grouped, PutsCommasBetweenThousands) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999.6), "1,000");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
  EXPECT_EQ(Grouped(-123), "-123");
}

}  // namespace
}  // namespace akidb::cli
