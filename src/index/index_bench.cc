// The exact scan against the streaming limit of the same machine, array and run. 512,000 x 384 and
// 192,000 x 1024 float32 are 786 MB: far beyond any cache. k = 10, one thread.
//
// The scan and the limit alternate within one benchmark, because a shared machine's bandwidth
// drifts by more than the difference between them. `share` is limit time / scan time.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>

#include <benchmark/benchmark.h>

#include "index/exact_scan.h"

namespace akidb::index {
namespace {

constexpr size_t kFloats = 192u * 1024 * 1024;
constexpr size_t kPage = 2u << 20;

struct FreeDeleter {
  void operator()(float* memory) const { std::free(memory); }
};
using Floats = std::unique_ptr<float[], FreeDeleter>;

const float* SharedArray() {
  static const Floats array = [] {
    Floats memory(static_cast<float*>(std::aligned_alloc(kPage, kFloats * sizeof(float))));
    // Random enough for a scan, and a hundred times faster to make than a distribution.
    uint32_t state = 1;
    for (size_t i = 0; i < kFloats; ++i) {
      state = state * 1664525u + 1013904223u;
      memory[i] = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31f;
    }
    return memory;
  }();
  return array.get();
}

// Reads everything and does next to nothing.
uint64_t ReadAll(const float* array) {
  const auto* words = reinterpret_cast<const uint64_t*>(array);
  uint64_t sums[8] = {};
  for (size_t i = 0; i < kFloats / 2; i += 8) {
    for (size_t k = 0; k < 8; ++k) sums[k] ^= words[i + k];
  }
  for (size_t k = 1; k < 8; ++k) sums[0] ^= sums[k];
  return sums[0];
}

class OpenGate final : public RowGate {
 public:
  PointId id(uint32_t row) override { return PointId(row); }
  bool Admits(uint32_t) override { return true; }
};

template <typename Function>
double Seconds(Function function) {
  const auto begin = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void Scan(benchmark::State& state, Metric metric) {
  const size_t dim = static_cast<size_t>(state.range(0));
  const size_t queries_count = static_cast<size_t>(state.range(1));
  const float* array = SharedArray();
  const size_t count = kFloats / dim;
  const RequestContext context;
  OpenGate gate;
  double scan_seconds = 0;
  double limit_seconds = 0;
  for (auto unused : state) {
    limit_seconds += Seconds([&] { benchmark::DoNotOptimize(ReadAll(array)); });
    std::vector<TopK> tops(queries_count, TopK(10));
    std::vector<ScanQuery> queries;
    for (size_t q = 0; q < queries_count; ++q) {
      queries.push_back({{array + q * 7 * dim + 1, dim}, gate, tops[q]});
    }
    const double seconds = Seconds([&] {
      ExactScan scan(context, metric);
      if (!scan.Rows({array, count, dim, 0, 0}, queries).ok()) state.SkipWithError("cancelled");
    });
    scan_seconds += seconds;
    state.SetIterationTime(seconds);
  }
  const double bytes = static_cast<double>(kFloats * sizeof(float) * state.iterations());
  state.counters["limit_GB/s"] = bytes / limit_seconds / 1e9;
  state.counters["scan_GB/s"] = bytes / scan_seconds / 1e9;
  state.counters["share"] = limit_seconds / scan_seconds;
  state.counters["Mrows*queries/s"] = bytes / sizeof(float) / static_cast<double>(dim) *
                                      static_cast<double>(queries_count) / scan_seconds / 1e6;
}

void Arguments(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"dim", "queries"})->UseManualTime()->Unit(benchmark::kMillisecond);
  for (int dim : {384, 1024}) {
    for (int queries : {1, 4, 16}) bench->Args({dim, queries});
  }
}

BENCHMARK_CAPTURE(Scan, dot, Metric::kDot)->Apply(Arguments);
BENCHMARK_CAPTURE(Scan, euclid, Metric::kEuclid)->Apply(Arguments);
BENCHMARK_CAPTURE(Scan, manhattan, Metric::kManhattan)->Apply(Arguments);

}  // namespace
}  // namespace akidb::index
