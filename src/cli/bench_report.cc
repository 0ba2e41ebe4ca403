#include "cli/bench_report.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "base/json_writer.h"

namespace akidb::cli {
namespace {

constexpr double kRecalls[] = {0.90, 0.95, 0.98, 0.99, 0.995};

std::string Counted(uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", Grouped(static_cast<double>(count)), singular,
                     count == 1 ? "" : "s");
}

std::string_view SpeedTitle(bool by_cpu) {
  return by_cpu ? "queries per second of processor time" : "queries per second";
}

bool HaveCosts(const BenchSeries& series) {
  return std::any_of(series.points.begin(), series.points.end(),
                     [](const SweepPoint& point) { return point.rows > 0; });
}

}  // namespace

std::string Grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string ReportTitle(const BenchReport& report) {
  std::string title = fmt::format(
      "{}: {} of {}, {}, {}, k {}, {}, {}", report.data, Counted(report.points, "point"),
      Counted(report.dim, "dimension"), report.metric,
      report.queries == 1 ? "1 query" : Grouped(static_cast<double>(report.queries)) + " queries",
      report.options.k, Counted(report.options.threads, "thread"),
      Counted(report.options.rounds, "round"));
  return title;
}

std::string ReportText(const BenchReport& report) {
  std::string out = ReportTitle(report) + "\n";
  for (const BenchSeries& series : report.series) {
    const bool cpu = AllHaveCpuSpeeds({series});
    out += fmt::format("\n{}\n{:>6}  {:>10}  {:>10}", series.name, "ef",
                       fmt::format("recall@{}", report.options.k), "queries/s");
    out += fmt::format("{}  {:>9}  {:>9}", cpu ? "  per CPU s" : "", "p50 us", "p99 us");
    const bool costs = HaveCosts(series);
    out += costs ? fmt::format("  {:>10}  {:>11}\n", "rows/query", "bytes/query") : "\n";
    for (const SweepPoint& point : series.points) {
      out += fmt::format("{:>6}  {:>10.4f}  {:>10}", point.ef, point.recall,
                         Grouped(point.per_second));
      if (cpu) out += fmt::format("  {:>9}", Grouped(point.per_cpu_second));
      out += fmt::format("  {:>9.1f}  {:>9.1f}", point.p50_us, point.p99_us);
      if (costs) out += fmt::format("  {:>10}  {:>11}", Grouped(point.rows), Grouped(point.bytes));
      out += "\n";
    }
  }
  return out;
}

std::string ComparisonText(const std::vector<BenchSeries>& series) {
  const bool by_cpu = AllHaveCpuSpeeds(series);
  const auto speed = by_cpu ? &SweepPoint::per_cpu_second : &SweepPoint::per_second;
  size_t width = 6;
  for (const BenchSeries& one : series) width = std::max(width, one.name.size());
  std::string out =
      fmt::format("{}, at equal recall; in brackets: how many times as many {} answers\n{:<{}}",
                  SpeedTitle(by_cpu), series.front().name, "recall", width);
  for (double recall : kRecalls) out += fmt::format("  {:>16}", recall);
  out += "\n";
  for (const BenchSeries& one : series) {
    out += fmt::format("{:<{}}", one.name, width);
    for (double recall : kRecalls) {
      const std::optional<double> own = SpeedAt(one, recall, speed);
      const std::optional<double> first = SpeedAt(series.front(), recall, speed);
      std::string cell = own ? Grouped(*own) : "-";
      if (own && first) cell += fmt::format(" ({:.2f})", *first / *own);
      out += fmt::format("  {:>16}", cell);
    }
    out += "\n";
  }
  return out;
}

std::string ReportJson(const BenchReport& report) {
  std::string out;
  JsonWriter json(out);
  const auto number = [&](std::string_view key, uint64_t value) {
    json.Key(key);
    json.Uint(value);
  };
  const auto real = [&](std::string_view key, double value) {
    json.Key(key);
    json.Double(value);
  };
  json.BeginObject();
  json.Key("data");
  json.String(report.data);
  number("points", report.points);
  number("dim", report.dim);
  json.Key("metric");
  json.String(report.metric);
  number("queries", report.queries);
  number("k", report.options.k);
  number("threads", report.options.threads);
  number("rounds", report.options.rounds);
  number("seed", report.seed);
  json.Key("series");
  json.BeginArray();
  for (const BenchSeries& series : report.series) {
    json.BeginObject();
    json.Key("name");
    json.String(series.name);
    json.Key("points");
    json.BeginArray();
    for (const SweepPoint& point : series.points) {
      json.BeginObject();
      number("ef", point.ef);
      real("recall", point.recall);
      real("queries_per_s", point.per_second);
      if (point.per_cpu_second > 0) real("queries_per_cpu_s", point.per_cpu_second);
      real("p50_us", point.p50_us);
      real("p99_us", point.p99_us);
      if (point.rows > 0) {
        real("rows_per_query", point.rows);
        real("bytes_per_query", point.bytes);
      }
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return out + "\n";
}

bool AllHaveCpuSpeeds(const std::vector<BenchSeries>& series) {
  return std::all_of(series.begin(), series.end(), [](const BenchSeries& one) {
    return !one.points.empty() &&
           std::all_of(one.points.begin(), one.points.end(),
                       [](const SweepPoint& point) { return point.per_cpu_second > 0; });
  });
}

}  // namespace akidb::cli
