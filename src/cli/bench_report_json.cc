// Reading what bench_report.cc writes.
#include <simdjson.h>

#include "cli/bench_report.h"

namespace akidb::cli {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

Status Missing(std::string_view what) {
  return InvalidArgumentError("it has no " + std::string(what) +
                              "; expected what akidb bench --json writes");
}

// What is missing stays as it is.
void ReadReal(element object, const char* key, double& value) {
  double read = 0;
  if (!object[key].get(read)) value = read;
}

Result<SweepPoint> ReadPoint(element value) {
  SweepPoint point;
  if (value["recall"].get(point.recall)) return Missing("series[].points[].recall");
  if (!(point.recall >= 0 && point.recall <= 1)) {
    return InvalidArgumentError("series[].points[].recall is not within 0 and 1");
  }
  ReadReal(value, "queries_per_s", point.per_second);
  ReadReal(value, "queries_per_cpu_s", point.per_cpu_second);
  if (!(point.per_second > 0 || point.per_cpu_second > 0)) {
    return Missing("series[].points[].queries_per_s above 0");
  }
  uint64_t ef = 0;
  if (!value["ef"].get(ef)) point.ef = ef;
  ReadReal(value, "p50_us", point.p50_us);
  ReadReal(value, "p99_us", point.p99_us);
  ReadReal(value, "rows_per_query", point.rows);
  ReadReal(value, "bytes_per_query", point.bytes);
  return point;
}

}  // namespace

Result<std::vector<BenchSeries>> ReadSeries(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(json.data(), json.size()).get(root)) {
    return InvalidArgumentError("it is not JSON");
  }
  array all;
  if (root["series"].get(all)) return Missing("array `series`");
  std::vector<BenchSeries> series;
  for (element one : all) {
    BenchSeries& read = series.emplace_back();
    std::string_view name;
    array points;
    if (one["name"].get(name)) return Missing("series[].name");
    if (one["points"].get(points)) return Missing("series[].points");
    read.name = name;
    for (element point : points) {
      AKIDB_ASSIGN_OR_RETURN(read.points.emplace_back(), ReadPoint(point));
    }
    if (read.points.empty()) return Missing("points in series " + read.name);
  }
  if (series.empty()) return Missing("series");
  return series;
}

}  // namespace akidb::cli
