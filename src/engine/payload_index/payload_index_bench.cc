// Indexes over 300,000 rows: keywords of 10, 1,000 and 100,000 values, tags (three of 1,000 each),
// integers that are uniform in 0..999,999, the same as floats and as datetimes, and places that are
// uniform in latitude and longitude. `bytes/row` is the size of the whole index.
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>

#include <benchmark/benchmark.h>

#include "engine/payload_index/filter_plan.h"
#include "engine/payload_index/payload_index_builder.h"
#include "engine/payload_index/payload_index_section.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kRows = 300'000;
constexpr int64_t kIntegers = 1'000'000;

PayloadPath Path(std::string_view text) { return std::move(PayloadPath::Parse(text)).value(); }

NumericRange Between(double from, double to) {
  NumericRange range;
  range.gte = from;
  range.lt = to;
  return range;
}

std::string Word(uint64_t number) { return "value-" + std::to_string(number); }

const std::vector<Payload>& Payloads() {
  static const std::vector<Payload> payloads = [] {
    std::mt19937_64 random(1);
    std::vector<Payload> made;
    made.reserve(kRows);
    for (uint32_t row = 0; row < kRows; ++row) {
      PayloadBuilder builder;
      builder.BeginObject();
      for (uint64_t values : {10, 1'000, 100'000}) {
        builder.Key("k" + std::to_string(values));
        builder.String(Word(random() % values));
      }
      builder.Key("tags");
      builder.BeginArray();
      for (int i = 0; i < 3; ++i) builder.String(Word(random() % 1'000));
      builder.EndArray();
      builder.Key("n");
      builder.Int(static_cast<int64_t>(random() % kIntegers));
      builder.Key("f");
      builder.Double(static_cast<double>(random() % kIntegers) + 0.5);
      builder.Key("d");
      builder.String("2024-01-" + std::to_string(10 + random() % 20) + "T0" +
                     std::to_string(random() % 10) + ":00:00Z");
      builder.Key("g");
      builder.BeginObject();
      builder.Key("lat");
      builder.Double(static_cast<double>(random() % 180'000) / 1000 - 90);
      builder.Key("lon");
      builder.Double(static_cast<double>(random() % 360'000) / 1000 - 180);
      builder.EndObject();
      builder.EndObject();
      made.push_back(builder.Finish());
    }
    return made;
  }();
  return payloads;
}

struct Indexed {
  std::vector<std::byte> bytes;
  std::unique_ptr<PayloadIndexSection> section;
};

std::vector<std::byte> Build(const std::string& path) {
  const auto kind = path == "n"   ? PayloadIndexKind::kInteger
                    : path == "f" ? PayloadIndexKind::kFloat
                    : path == "d" ? PayloadIndexKind::kDatetime
                    : path == "g" ? PayloadIndexKind::kGeo
                                  : PayloadIndexKind::kKeyword;
  PayloadIndexBuilder builder({Path(path), kind}, size_t{1} << 30);
  for (const Payload& payload : Payloads()) {
    if (!builder.AddRow(payload.root()).ok()) std::abort();
  }
  return std::move(builder).Finish();
}

const Indexed& IndexOn(const std::string& path) {
  static std::map<std::string, Indexed> all;
  Indexed& indexed = all[path];
  if (!indexed.section) {
    const std::vector<std::byte> index = Build(path);
    indexed.bytes = WritePayloadIndexes(kRows, std::span(&index, 1));
    indexed.section = std::make_unique<PayloadIndexSection>(
        std::move(PayloadIndexSection::Open(indexed.bytes, kRows)).value());
  }
  return indexed;
}

void Answer(benchmark::State& state, const std::string& path, const FieldPredicate& predicate) {
  const Indexed& indexed = IndexOn(path);
  Filter filter;
  filter.must = {FieldCondition{Path(path), predicate}};
  const FilterPlan plan(filter, FilterScope{*indexed.section});
  for (auto unused : state) benchmark::DoNotOptimize(plan.Rows());
  state.counters["matches"] = static_cast<double>(plan.Rows().possible().count());
  state.counters["bytes/row"] = static_cast<double>(indexed.bytes.size()) / kRows;
}

void MatchOne(benchmark::State& state, const std::string& path) {
  Answer(state, path, MatchValue{Word(7)});
}
// Of 100 values.
void MatchMany(benchmark::State& state, const std::string& path) {
  MatchAny any;
  for (uint64_t i = 0; i < 100; ++i) any.values.emplace_back(Word(i));
  Answer(state, path, any);
}
void ExceptOne(benchmark::State& state, const std::string& path) {
  Answer(state, path, MatchExcept{{Word(7)}});
}
void ExceptTwo(benchmark::State& state, const std::string& path) {
  Answer(state, path, MatchExcept{{Word(7), Word(8)}});
}
// Percent of the integers.
void Range(benchmark::State& state, double percent) {
  Answer(state, "n", Between(0, percent / 100 * kIntegers));
}

void FloatRange(benchmark::State& state, double percent) {
  Answer(state, "f", Between(0, percent / 100 * kIntegers));
}
// So many of 20 days.
void DatetimeRangeOf(benchmark::State& state, int days) {
  constexpr int64_t kTenth = 1'704'844'800'000'000;  // the first day that there is
  DatetimeRange range;
  range.gte = kTenth;
  range.lt = kTenth + days * int64_t{86'400'000'000};
  Answer(state, "d", range);
}
void WithinMeters(benchmark::State& state, double radius) {
  Answer(state, "g", GeoCircle{{20, 30}, radius});
}
void WithinBox(benchmark::State& state, double degrees) {
  Answer(state, "g", GeoBox{{20 + degrees, 30}, {20, 30 + degrees}});
}
void WithinTriangle(benchmark::State& state, double degrees) {
  Answer(state, "g", GeoPolygon{{{20, 30}, {20, 30 + degrees}, {20 + degrees, 30}, {20, 30}}, {}});
}
void Prefix(benchmark::State& state, const std::string& path) {
  Answer(state, path, MatchPrefix{"value-77"});
}
void Substring(benchmark::State& state, const std::string& path) {
  Answer(state, path, MatchSubstring{"77"});
}

void EstimateRange(benchmark::State& state) {
  const Indexed& indexed = IndexOn("n");
  Filter filter;
  filter.must = {FieldCondition{Path("n"), Between(10, 1000)}};
  for (auto unused : state) {
    benchmark::DoNotOptimize(FilterPlan(filter, FilterScope{*indexed.section}).Estimate());
  }
}

// must: a keyword of 10 and a range of 10 %; must_not: a tag. All indexed.
void ThreeConditions(benchmark::State& state) {
  static const std::vector<std::byte> bytes =
      WritePayloadIndexes(kRows, std::vector{Build("k10"), Build("tags"), Build("n")});
  const PayloadIndexSection section = std::move(PayloadIndexSection::Open(bytes, kRows)).value();
  Filter filter;
  filter.must = {FieldCondition{Path("k10"), MatchValue{Word(7)}},
                 FieldCondition{Path("n"), Between(0, kIntegers / 10.0)}};
  filter.must_not = {FieldCondition{Path("tags"), MatchValue{Word(7)}}};
  for (auto unused : state) {
    benchmark::DoNotOptimize(FilterPlan(filter, FilterScope{section}).Rows());
  }
}

void Opening(benchmark::State& state, const std::string& path) {
  const Indexed& indexed = IndexOn(path);
  for (auto unused : state) {
    benchmark::DoNotOptimize(PayloadIndexSection::Open(indexed.bytes, kRows));
  }
}

void Building(benchmark::State& state, const std::string& path) {
  Payloads();
  for (auto unused : state) benchmark::DoNotOptimize(Build(path));
}

#define AKIDB_ON_KEYWORDS(function)                \
  BENCHMARK_CAPTURE(function, k10, "k10");         \
  BENCHMARK_CAPTURE(function, k1000, "k1000");     \
  BENCHMARK_CAPTURE(function, k100000, "k100000"); \
  BENCHMARK_CAPTURE(function, tags, "tags")

AKIDB_ON_KEYWORDS(MatchOne);
AKIDB_ON_KEYWORDS(MatchMany);
AKIDB_ON_KEYWORDS(ExceptOne);
AKIDB_ON_KEYWORDS(ExceptTwo);
AKIDB_ON_KEYWORDS(Opening);
AKIDB_ON_KEYWORDS(Building)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Range, percent_0_1, 0.1);
BENCHMARK_CAPTURE(Range, percent_1, 1.0);
BENCHMARK_CAPTURE(Range, percent_10, 10.0);
BENCHMARK_CAPTURE(Range, percent_50, 50.0);
BENCHMARK_CAPTURE(Range, percent_90, 90.0);
BENCHMARK(EstimateRange);
BENCHMARK(ThreeConditions);
BENCHMARK_CAPTURE(Opening, n, "n");
BENCHMARK_CAPTURE(Building, n, "n")->Unit(benchmark::kMillisecond);
AKIDB_ON_KEYWORDS(Prefix);
AKIDB_ON_KEYWORDS(Substring);
BENCHMARK_CAPTURE(FloatRange, percent_1, 1.0);
BENCHMARK_CAPTURE(FloatRange, percent_10, 10.0);
BENCHMARK_CAPTURE(DatetimeRangeOf, percent_5, 1);
BENCHMARK_CAPTURE(DatetimeRangeOf, percent_50, 10);
BENCHMARK_CAPTURE(WithinMeters, km_10, 1e4);
BENCHMARK_CAPTURE(WithinMeters, km_1000, 1e6);
BENCHMARK_CAPTURE(WithinMeters, km_5000, 5e6);
BENCHMARK_CAPTURE(WithinBox, degrees_1, 1.0);
BENCHMARK_CAPTURE(WithinBox, degrees_50, 50.0);
BENCHMARK_CAPTURE(WithinTriangle, degrees_50, 50.0);
BENCHMARK_CAPTURE(Opening, g, "g");
BENCHMARK_CAPTURE(Building, f, "f")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Building, d, "d")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Building, g, "g")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace akidb::engine
