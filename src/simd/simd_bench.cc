// Kernels against the speed at which this machine reads memory: both in one run, on one array. The
// array is at least four times the last-level cache (128 MB beside 32 MB), so caches don't flatter.
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "simd/kernels.h"

namespace akidb::simd {
namespace {

constexpr size_t kFloats = 32u << 20;  // 128 MB
constexpr size_t kPage = 2u << 20;

struct FreeDeleter {
  void operator()(float* memory) const { std::free(memory); }
};
using Floats = std::unique_ptr<float[], FreeDeleter>;

// Aligned to huge pages, so that the limit and the kernels meet the same pages.
const float* SharedArray() {
  static const Floats array = [] {
    Floats memory(static_cast<float*>(std::aligned_alloc(kPage, kFloats * sizeof(float))));
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (size_t i = 0; i < kFloats; ++i) memory[i] = uniform(random);
    return memory;
  }();
  return array.get();
}

void SetBytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
}

// The limit: reads everything and does next to nothing. The distance of the prefetch, in bytes, is
// the range; the fastest one is the limit.
void StreamingRead(benchmark::State& state) {
  const auto* words = reinterpret_cast<const uint64_t*>(SharedArray());
  const size_t ahead = static_cast<size_t>(state.range(0)) / sizeof(uint64_t);
  for (auto unused : state) {
    uint64_t sums[8] = {};
    for (size_t i = 0; i < kFloats / 2; i += 8) {
      __builtin_prefetch(words + i + ahead);
      for (size_t k = 0; k < 8; ++k) sums[k] ^= words[i + k];
    }
    benchmark::DoNotOptimize(sums);
  }
  SetBytes(state, kFloats * sizeof(float));
}
BENCHMARK(StreamingRead)
    ->Arg(0)
    ->RangeMultiplier(2)
    ->Range(512, 8192)
    ->Unit(benchmark::kMillisecond);

using MeasureOf = FloatKernels Kernels::*;

void Block(benchmark::State& state, const Kernels* table, MeasureOf measure) {
  const size_t dim = static_cast<size_t>(state.range(0));
  const float* rows = SharedArray();
  const size_t count = kFloats / dim;
  std::vector<float> out(256);
  for (auto unused : state) {
    for (size_t i = 0; i + out.size() <= count; i += out.size()) {
      (table->*measure).block(rows, {rows + i * dim, out.size(), dim, dim}, out.data());
      benchmark::DoNotOptimize(out.data());
    }
  }
  const size_t read = count / out.size() * out.size();
  SetBytes(state, read * dim * sizeof(float));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * read));
}

// The same over rows of halves or bytes, which are converted some at a time, so that what was
// converted is still in the second-level cache when it is compared.
template <typename Component>
void ConvertedBlock(benchmark::State& state, const Kernels* table, MeasureOf measure) {
  constexpr size_t kConvertedFloats = size_t{32} << 10;
  const size_t dim = static_cast<size_t>(state.range(0));
  const auto* rows = reinterpret_cast<const Component*>(SharedArray());
  const size_t at_once = kConvertedFloats / dim;
  const size_t count = kFloats * sizeof(float) / sizeof(Component) / dim;
  std::vector<float> converted(at_once * dim);
  std::vector<float> out(at_once);
  for (auto unused : state) {
    for (size_t i = 0; i + at_once <= count; i += at_once) {
      if constexpr (sizeof(Component) == 1) {
        table->convert.bytes_to_floats(rows + i * dim, converted.size(), converted.data());
      } else {
        table->convert.halves_to_floats(rows + i * dim, converted.size(), converted.data());
      }
      (table->*measure).block(SharedArray(), {converted.data(), at_once, dim, dim}, out.data());
      benchmark::DoNotOptimize(out.data());
    }
  }
  const size_t read = count / at_once * at_once;
  SetBytes(state, read * dim * sizeof(Component));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * read));
}

// Rows in random order, as a graph or a filter names them.
void List(benchmark::State& state, const Kernels* table, MeasureOf measure) {
  const size_t dim = static_cast<size_t>(state.range(0));
  const float* rows = SharedArray();
  std::mt19937 random(8);
  std::uniform_int_distribution<uint32_t> pick(0, static_cast<uint32_t>(kFloats / dim - 1));
  std::vector<uint32_t> order(4096);
  std::vector<float> out(order.size());
  for (uint32_t& row : order) row = pick(random);
  for (auto unused : state) {
    (table->*measure).list(rows, {rows, order.data(), order.size(), dim, dim}, out.data());
    benchmark::DoNotOptimize(out.data());
    state.PauseTiming();
    for (uint32_t& row : order) row = pick(random);
    state.ResumeTiming();
  }
  SetBytes(state, order.size() * dim * sizeof(float));
}

// One pair that lies in the first-level cache: the arithmetic limit.
void Pair(benchmark::State& state, const Kernels* table, MeasureOf measure) {
  const size_t dim = static_cast<size_t>(state.range(0));
  const float* rows = SharedArray();
  for (auto unused : state) {
    benchmark::DoNotOptimize((table->*measure).pair(rows, rows + dim, dim));
  }
  SetBytes(state, 2 * dim * sizeof(float));
}

// Sixteen queries on 32 rows in the second-level cache; flops count a multiplication and an
// addition.
void Many(benchmark::State& state, const Kernels* table, MeasureOf measure) {
  const size_t dim = static_cast<size_t>(state.range(0));
  constexpr size_t kQueries = 16;
  constexpr size_t kRows = 32;
  const float* rows = SharedArray();
  std::vector<const float*> queries;
  for (size_t q = 0; q < kQueries; ++q) queries.push_back(rows + (kRows + q) * dim);
  std::vector<float> out(kQueries * kRows);
  for (auto unused : state) {
    (table->*measure).many({queries.data(), kQueries}, {rows, kRows, dim, dim}, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["flops"] = benchmark::Counter(2.0 * kQueries * kRows * static_cast<double>(dim),
                                               benchmark::Counter::kIsIterationInvariantRate,
                                               benchmark::Counter::kIs1000);
}

bool RegisterAll() {
  struct Named {
    const char* name;
    MeasureOf measure;
  };
  const Named measures[] = {
      {"dot", &Kernels::dot}, {"squared_l2", &Kernels::squared_l2}, {"l1", &Kernels::l1}};
  for (const Kernels* table : AvailableKernels()) {
    for (const Named& named : measures) {
      std::string suffix = std::string("/") + table->name + "/" + named.name;
      auto add = [&](const std::string& form, auto function) {
        return benchmark::RegisterBenchmark((form + suffix).c_str(), function, table,
                                            named.measure);
      };
      add("Block", Block)->Arg(384)->Arg(1024)->Unit(benchmark::kMillisecond);
      add("HalvesBlock", ConvertedBlock<uint16_t>)->Arg(1024)->Unit(benchmark::kMillisecond);
      add("BytesBlock", ConvertedBlock<uint8_t>)->Arg(1024)->Unit(benchmark::kMillisecond);
      add("List", List)->Arg(384)->Arg(1024)->Unit(benchmark::kMicrosecond);
      add("Pair", Pair)->Arg(384)->Arg(1024);
      add("Many", Many)->Arg(384)->Arg(1024)->Unit(benchmark::kMicrosecond);
    }
  }
  return true;
}

[[maybe_unused]] const bool kRegistered = RegisterAll();

}  // namespace
}  // namespace akidb::simd
