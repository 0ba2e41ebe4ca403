// Bytes per second of CRC32C, by length: a log fragment's header, a record, a frame, a large block.
#include <vector>

#include <benchmark/benchmark.h>

#include "base/crc32c.h"

namespace akidb {
namespace {

void BM_Crc32c(benchmark::State& state) {
  std::vector<std::byte> data(static_cast<size_t>(state.range(0)), std::byte{0x5A});
  for (auto _ : state) benchmark::DoNotOptimize(Crc32c(data));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Crc32c)->Arg(28)->Arg(1600)->Arg(32 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace akidb
