// Code kernels, and float kernels beside them, against the speed at which this machine reads
// memory: a stream, and rows of the same size at random. One array, at least four times the
// last-level cache (512 MB beside 32 MB), once on huge pages and once on pages of 4 KB.
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include "simd/code_kernels.h"
#include "simd/kernels.h"

namespace akidb::simd {
namespace {

constexpr size_t kBytes = 512u << 20;
constexpr size_t kHugePage = 2u << 20;
constexpr size_t kLine = 64;
constexpr size_t kTrailer = kCodeTrailerBytes;
constexpr size_t kPicks = 4u << 20;

struct FreeDeleter {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using Bytes = std::unique_ptr<std::byte[], FreeDeleter>;

// Every byte is a code, every four of them a float from 0.5 to 1.
Bytes MakeArray(int advice) {
  Bytes memory(static_cast<std::byte*>(std::aligned_alloc(kHugePage, kBytes)));
  madvise(memory.get(), kBytes, advice);
  std::mt19937_64 random(7);
  for (size_t i = 0; i < kBytes; i += sizeof(uint64_t)) {
    const uint64_t word = (random() & 0x007f7f7f007f7f7full) | 0x3f0000003f000000ull;
    __builtin_memcpy(memory.get() + i, &word, sizeof(word));
  }
  return memory;
}

const std::byte* SharedArray(bool huge_pages) {
  if (huge_pages) {
    static const Bytes huge = MakeArray(MADV_HUGEPAGE);
    return huge.get();
  }
  static const Bytes small = MakeArray(MADV_NOHUGEPAGE);
  return small.get();
}

const int8_t* SharedQuery() {
  static const std::vector<int8_t> query = [] {
    std::mt19937 random(9);
    std::uniform_int_distribution<int> uniform(-127, 127);
    std::vector<int8_t> made(kCodeDimMax);
    for (int8_t& value : made) value = static_cast<int8_t>(uniform(random));
    return made;
  }();
  return query.data();
}

// Rows in random order, as a graph or a filter names them; more than the caches remember.
class Picks {
 public:
  explicit Picks(size_t rows) : rows_(kPicks) {
    std::mt19937_64 random(8);
    for (uint32_t& row : rows_) row = static_cast<uint32_t>(random() % rows);
  }
  const uint32_t* Next(size_t count) {
    if (at_ + count > rows_.size()) at_ = 0;
    at_ += count;
    return rows_.data() + at_ - count;
  }

 private:
  std::vector<uint32_t> rows_;
  size_t at_ = 0;
};

void SetRates(benchmark::State& state, size_t rows, size_t row_bytes) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * rows));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * rows * row_bytes));
}

// A load from every line that bytes [from, from + bytes) lie in: what memory alone allows.
uint64_t TouchLines(const std::byte* from, size_t bytes) {
  uint64_t sum = 0;
  for (size_t at = 0; at < bytes; at += kLine) sum += static_cast<uint64_t>(from[at]);
  return sum + static_cast<uint64_t>(from[bytes - 1]);
}

// The limit of blocks. The range is the distance of the prefetch in bytes; the fastest counts.
void CodeStreamingRead(benchmark::State& state) {
  const std::byte* array = SharedArray(true);
  const size_t ahead = static_cast<size_t>(state.range(0));
  constexpr size_t kPiece = 4096;
  for (auto unused : state) {
    uint64_t sum = 0;
    for (size_t i = 0; i < kBytes; i += kPiece) {
      for (size_t at = 0; ahead != 0 && at < kPiece; at += kLine) {
        __builtin_prefetch(array + i + ahead + at);
      }
      sum += TouchLines(array + i, kPiece);
    }
    benchmark::DoNotOptimize(sum);
  }
  SetRates(state, 1, kBytes);
}
BENCHMARK(CodeStreamingRead)->Arg(0)->Arg(4096)->Arg(8192)->Unit(benchmark::kMillisecond);

// The limit of lists. The ranges are the size of a row, the rows that are asked for ahead, the
// level of cache that they are asked into and whether pages are huge; the fastest of the same size
// counts.
void CodeRandomRows(benchmark::State& state) {
  const size_t row_bytes = static_cast<size_t>(state.range(0));
  const size_t ahead = static_cast<size_t>(state.range(1));
  const bool into_first_level = state.range(2) == 1;
  const std::byte* array = SharedArray(state.range(3) != 0);
  Picks picks(kBytes / row_bytes);
  constexpr size_t kCount = 4096;
  for (auto unused : state) {
    const uint32_t* rows = picks.Next(kCount);
    uint64_t sum = 0;
    for (size_t i = 0; i < kCount; ++i) {
      if (i + ahead < kCount) {
        const std::byte* next = array + rows[i + ahead] * row_bytes;
        for (size_t at = 0; at < row_bytes; at += kLine) {
          if (into_first_level) {
            __builtin_prefetch(next + at, 0, 3);
          } else {
            __builtin_prefetch(next + at, 0, 2);
          }
        }
      }
      sum += TouchLines(array + rows[i] * row_bytes, row_bytes);
    }
    benchmark::DoNotOptimize(sum);
  }
  SetRates(state, kCount, row_bytes);
}
BENCHMARK(CodeRandomRows)
    ->ArgNames({"row", "ahead", "level", "huge"})
    ->ArgsProduct({{56, 104, 136, 200, 392, 520, 776, 1032}, {8, 32}, {1, 2}, {0, 1}})
    ->Unit(benchmark::kMicrosecond);

struct Kind {
  const char* name;
  CodeDot CodeKernels::*dot;
  size_t codes_in_byte;
};
constexpr Kind kKinds[] = {
    {"u4", &CodeKernels::u4, 2}, {"u7", &CodeKernels::u7, 1}, {"u1", &CodeKernels::u1, 8}};

CodeRows RowsOf(const Kind& kind, size_t dim, bool huge_pages) {
  return {SharedArray(huge_pages), dim / kind.codes_in_byte + kTrailer, dim};
}

void Block(benchmark::State& state, const CodeKernels* table, const Kind& kind) {
  const CodeRows rows = RowsOf(kind, static_cast<size_t>(state.range(0)), true);
  const size_t count = kBytes / rows.stride;
  std::vector<int32_t> out(1024);
  for (auto unused : state) {
    for (size_t first = 0; first + out.size() <= count; first += out.size()) {
      (table->*kind.dot).block(SharedQuery(), rows, {first, out.size()}, out.data());
      benchmark::DoNotOptimize(out.data());
    }
  }
  SetRates(state, count / out.size() * out.size(), rows.stride);
}

// A batch of queries in one pass; items are distances.
void Many(benchmark::State& state, const CodeKernels* table, const Kind& kind) {
  const CodeRows rows = RowsOf(kind, static_cast<size_t>(state.range(0)), true);
  const std::vector<const int8_t*> queries(static_cast<size_t>(state.range(1)), SharedQuery());
  const size_t count = kBytes / rows.stride;
  constexpr size_t kTogether = 128;
  std::vector<int32_t> out(queries.size() * kTogether);
  for (auto unused : state) {
    for (size_t first = 0; first + kTogether <= count; first += kTogether) {
      (table->*kind.dot)
          .many({queries.data(), queries.size()}, rows, {first, kTogether}, out.data());
      benchmark::DoNotOptimize(out.data());
    }
  }
  SetRates(state, count / kTogether * kTogether * queries.size(), rows.stride);
}

// The exact scan of the vectors themselves, on the same array: `queries` of them in one pass.
void FloatScan(benchmark::State& state, const Kernels* table) {
  const size_t dim = static_cast<size_t>(state.range(0));
  const auto* rows = reinterpret_cast<const float*>(SharedArray(true));
  const std::vector<const float*> queries(static_cast<size_t>(state.range(1)), rows + 1);
  const size_t count = kBytes / sizeof(float) / dim;
  constexpr size_t kTogether = 64;
  std::vector<float> out(queries.size() * kTogether);
  for (auto unused : state) {
    for (size_t first = 0; first + kTogether <= count; first += kTogether) {
      table->dot.many({queries.data(), queries.size()}, {rows + first * dim, kTogether, dim, dim},
                      out.data());
      benchmark::DoNotOptimize(out.data());
    }
  }
  SetRates(state, count / kTogether * kTogether * queries.size(), dim * sizeof(float));
}

// Calls of `count` rows each, one after the other.
void List(benchmark::State& state, const CodeKernels* table, const Kind& kind) {
  const CodeRows rows = RowsOf(kind, static_cast<size_t>(state.range(0)), state.range(2) != 0);
  const size_t count = static_cast<size_t>(state.range(1));
  Picks picks(kBytes / rows.stride);
  std::vector<int32_t> out(count);
  for (auto unused : state) {
    (table->*kind.dot).list(SharedQuery(), rows, {picks.Next(count), count}, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  SetRates(state, count, rows.stride);
}

// 32 rows that the caches hold: what the arithmetic alone takes.
void Cached(benchmark::State& state, const CodeKernels* table, const Kind& kind) {
  const CodeRows rows = RowsOf(kind, static_cast<size_t>(state.range(0)), true);
  uint32_t list[32];
  for (uint32_t i = 0; i < 32; ++i) list[i] = i * 5 % 32;
  int32_t out[32];
  for (auto unused : state) {
    (table->*kind.dot).list(SharedQuery(), rows, {list, 32}, out);
    benchmark::DoNotOptimize(out);
  }
  SetRates(state, 32, rows.stride);
}

bool RegisterAll() {
  for (const Kernels* table : AvailableKernels()) {
    benchmark::RegisterBenchmark((std::string("CodeFloatScan/") + table->name).c_str(), FloatScan,
                                 table)
        ->ArgNames({"dim", "queries"})
        ->ArgsProduct({{384, 768, 1024}, {1, 4, 16}})
        ->Unit(benchmark::kMillisecond);
  }
  for (const CodeKernels* table : AvailableCodeKernels()) {
    for (const Kind& kind : kKinds) {
      auto add = [&](const char* form, auto function) {
        const std::string name = std::string("Code") + form + "/" + table->name + "/" + kind.name;
        return benchmark::RegisterBenchmark(name.c_str(), function, table, kind);
      };
      add("Block", Block)->Arg(384)->Arg(768)->Arg(1024)->Unit(benchmark::kMillisecond);
      add("List", List)
          ->ArgNames({"dim", "count", "huge"})
          ->ArgsProduct({{384, 768, 1024}, {8, 32}, {0, 1}});
      add("Many", Many)
          ->ArgNames({"dim", "queries"})
          ->ArgsProduct({{384, 768, 1024}, {4, 16}})
          ->Unit(benchmark::kMillisecond);
      add("Cached", Cached)->Arg(384)->Arg(768)->Arg(1024);
    }
  }
  return true;
}

[[maybe_unused]] const bool kRegistered = RegisterAll();

}  // namespace
}  // namespace akidb::simd
