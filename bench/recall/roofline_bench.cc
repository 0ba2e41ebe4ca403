// How near searches come to what memory allows, and how much two threads do that one doesn't.
//
//   roofline_bench FILE DIM [key=value…]
//
// A search reads rows of three kinds at random: codes, lists of links, and vectors that are
// compared exactly. The roofline is the time that these reads alone take, each kind on an array of
// the index's size, by the fastest of three ways of reading; eta is its share of the time of a
// search, both of processor time. Two threads: queries a second of both, each of its own processor
// time, against one, and by the wall clock, which on a machine that others use measures them, too.
// Keys: those of recall_data.h and indexed_rows.h, and k (10), ef (0: 20, 56 and 112), rounds (5),
// graph (a file that keeps it between runs).
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include "indexed_rows.h"

namespace akidb::bench {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kReads = size_t{1} << 17;

// So that reading is not left out as without effect.
std::atomic<uint64_t> read_sum;

struct RandomRows {
  const std::byte* base = nullptr;
  size_t stride = 0;
  size_t bytes = 0;  // read of each
  size_t count = 0;
};

uint64_t ReadRow(const RandomRows& rows, uint32_t row) {
  uint64_t sum = 0;
  const std::byte* const at = rows.base + row * rows.stride;
  for (size_t i = 0; i + sizeof(uint64_t) <= rows.bytes; i += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, at + i, sizeof(word));
    sum += word;
  }
  return sum;
}

// kLevel: of the cache that rows are asked into ahead; 0 asks for nothing.
template <int kLevel>
uint64_t ReadAll(const RandomRows& rows, const std::vector<uint32_t>& order, size_t ahead) {
  uint64_t sum = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if constexpr (kLevel > 0) {
      if (i + ahead < order.size()) {
        const std::byte* const next = rows.base + order[i + ahead] * rows.stride;
        for (size_t at = 0; at < rows.bytes; at += kLine) {
          __builtin_prefetch(next + at, 0, kLevel == 1 ? 3 : 2);
        }
      }
    }
    sum += ReadRow(rows, order[i]);
  }
  return sum;
}

// Of reading one row, by the fastest way.
double SecondsPerRow(const RandomRows& rows, size_t rounds) {
  std::mt19937_64 random(1);
  std::vector<uint32_t> order(kReads);
  double best = std::numeric_limits<double>::infinity();
  for (size_t round = 0; round < rounds; ++round) {
    for (int way = 0; way < 3; ++way) {
      for (uint32_t& row : order) row = static_cast<uint32_t>(random() % rows.count);
      const double start = CpuSeconds();
      const uint64_t sum = way == 0   ? ReadAll<0>(rows, order, 0)
                           : way == 1 ? ReadAll<1>(rows, order, 8)
                                      : ReadAll<2>(rows, order, 32);
      read_sum.store(sum, std::memory_order_relaxed);
      best = std::min(best, (CpuSeconds() - start) / static_cast<double>(kReads));
    }
  }
  return best;
}

void PrintRows(const char* name, const RandomRows& rows, double seconds) {
  std::printf("%-8s %5zu bytes of %4.0f MB: %5.1f ns a row, %4.1f GB/s\n", name, rows.bytes,
              static_cast<double>(rows.count * rows.stride) / 1e6, 1e9 * seconds,
              1e-9 * static_cast<double>(rows.bytes) / seconds);
}

// Seconds of processor time a query.
double SearchAll(const Data& data, RowSearch& search, size_t ef, size_t k) {
  std::vector<uint32_t> found;
  const double start = CpuSeconds();
  for (size_t q = 0; q < data.queries; ++q) search.Search(q, ef, k, found);
  return (CpuSeconds() - start) / data.queries;
}

struct TwoThreads {
  double by_cpu = 0;
  double by_wall = 0;
};

// Each of both threads asks all queries.
TwoThreads MeasureTwoThreads(const Data& data, const IndexedRows& rows, size_t ef, size_t k) {
  RowSearch first(data, rows);
  RowSearch second(data, rows);
  double wall = WallSeconds();
  const double alone = SearchAll(data, first, ef, k);
  const double alone_wall = WallSeconds() - wall;
  std::array<double, 2> seconds{};
  wall = WallSeconds();
  std::thread other([&] { seconds[1] = SearchAll(data, second, ef, k); });
  seconds[0] = SearchAll(data, first, ef, k);
  other.join();
  return {alone / seconds[0] + alone / seconds[1], 2 * alone_wall / (WallSeconds() - wall)};
}

int Run(const Arguments& arguments) {
  const Settings& settings = arguments.settings;
  const auto k = static_cast<size_t>(settings.Number("k", 10));
  const auto rounds = static_cast<size_t>(settings.Number("rounds", 5));
  Data data = LoadData(arguments);
  FindTruth(data, k);
  IndexedRows rows(data.metric, data.stored, data.dim);
  rows.BuildOrRead(settings, settings.Text("graph", ""));
  std::printf("%u rows, %u components, %.0f bytes a row, built in %.0f s\n", data.rows, data.dim,
              rows.bytes_per_row(), rows.build_s());
  const size_t code_bytes = rows.space().row_bytes();
  const RandomRows codes{rows.codes().row(0), code_bytes, code_bytes, data.rows};
  const size_t link_bytes = rows.graph().degree * sizeof(uint32_t);
  const RandomRows links{reinterpret_cast<const std::byte*>(rows.graph().links.data()), link_bytes,
                         link_bytes, data.rows};
  const size_t vector_bytes = data.dim * sizeof(float);
  const RandomRows vectors{reinterpret_cast<const std::byte*>(data.stored.data()), vector_bytes,
                           vector_bytes, data.rows};
  const double code_s = SecondsPerRow(codes, rounds);
  const double link_s = SecondsPerRow(links, rounds);
  const double vector_s = SecondsPerRow(vectors, rounds);
  PrintRows("codes", codes, code_s);
  PrintRows("links", links, link_s);
  PrintRows("vectors", vectors, vector_s);
  std::vector<size_t> efs = {20, 56, 112};
  if (settings.Number("ef", 0) > 0) efs = {static_cast<size_t>(settings.Number("ef", 0))};
  RowSearch search(data, rows);
  for (size_t ef : efs) {
    std::vector<double> times;
    std::vector<double> by_cpu;
    std::vector<double> by_wall;
    Point point;
    for (size_t round = 0; round < rounds; ++round) {
      point = Measure(data, search, ef, k);
      times.push_back(1 / point.per_second);
      const TwoThreads two = MeasureTwoThreads(data, rows, ef, k);
      by_cpu.push_back(two.by_cpu);
      by_wall.push_back(two.by_wall);
    }
    const double asked = static_cast<double>(rounds) * data.queries;
    const double expansions = search.TakeExpansions() / asked;
    const double compared = search.TakeCompared() / asked;
    const double roofline = point.visits * code_s + expansions * link_s + compared * vector_s;
    const double bytes = point.visits * static_cast<double>(code_bytes) +
                         expansions * static_cast<double>(link_bytes) +
                         compared * static_cast<double>(vector_bytes);
    std::printf(
        "ef %3zu  recall %.4f  %5.0f codes, %4.0f links, %3.0f vectors, %4.0f kB  "
        "%5.1f us, roofline %5.1f us, eta %.2f  two threads %.2f (wall clock %.2f)\n",
        ef, point.recall, point.visits, expansions, compared, bytes / 1e3, 1e6 * Median(times),
        1e6 * roofline, roofline / Median(times), Median(by_cpu), Median(by_wall));
  }
  return 0;
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
  return akidb::bench::Run(akidb::bench::ParseArguments(argc, argv));
}
