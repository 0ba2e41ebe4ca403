// What `akidb bench` found, as a table, as JSON and back. Functions are thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/bench_sweep.h"

namespace akidb::cli {

struct BenchReport {
  std::string data;  // the file, or the collection and where it is
  uint64_t points = 0;
  uint32_t dim = 0;
  std::string metric;
  size_t queries = 0;
  uint64_t seed = 0;
  SweepOptions options;
  std::vector<BenchSeries> series;
};

// "glosses.f32: 116,659 points of 384 dimensions, Cosine, 1,000 queries, k 10, 1 thread, 5 rounds"
std::string ReportTitle(const BenchReport& report);
// A table a series.
std::string ReportText(const BenchReport& report);
// Queries a second at equal recall, and in brackets the first series' over each one's.
std::string ComparisonText(const std::vector<BenchSeries>& series);
std::string ReportJson(const BenchReport& report);

// The member "series" of what ReportJson writes, or of a file that another program wrote so; other
// members are left alone. kInvalidArgument says what is missing.
Result<std::vector<BenchSeries>> ReadSeries(std::string_view json);

// Whether every series tells its queries per second of processor time: then these are compared,
// because other programs that share the machine don't change them.
bool AllHaveCpuSpeeds(const std::vector<BenchSeries>& series);

// 1234567.8 -> "1,234,568".
std::string Grouped(double value);

}  // namespace akidb::cli
