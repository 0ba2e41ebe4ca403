// Group commit on a disk whose sync takes 2 ms, appends on the real disk, and replay.
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/mutex.h"
#include "env/simulated_file_system.h"
#include "storage/wal/log.h"

namespace akidb::storage {
namespace {

struct World {
  explicit World(env::FileSystem& files) : fs(files) {}
  std::unique_ptr<Log> Open(const std::string& folder, uint64_t* replayed = nullptr) {
    LogOptions options;
    options.directory = folder;
    auto log = Log::Open(
        {fs, *random, *logger}, options,
        [&](const LogRecord& record) {
          if (replayed != nullptr) *replayed += record.body.size();
          return OkStatus();
        },
        nullptr);
    AKIDB_CHECK(log.ok());
    return std::move(log).value();
  }
  env::FileSystem& fs;
  std::unique_ptr<env::Random> random = env::MakeSystemRandom();
  std::unique_ptr<Logger> logger = MakeNullLogger();
};

// `clients` write one record after the other and wait for each.
void RunClients(Log& log, int clients, int records) {
  const std::vector<std::byte> body(1000);
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < records; ++n) {
        auto seq = log.Enqueue(1, body);
        AKIDB_CHECK(seq.ok() && log.Wait(*seq).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void Report(benchmark::State& state, const LogStats& stats) {
  state.counters["records/sync"] =
      static_cast<double>(stats.records) / static_cast<double>(stats.syncs);
  state.counters["sync_us"] =
      static_cast<double>(stats.sync_micros_sum) / static_cast<double>(stats.syncs);
  state.SetItemsProcessed(static_cast<int64_t>(stats.records));
}

// How long a sync of the slow disk takes.
void TakeTwoMilliseconds() {
  Mutex mutex;
  CondVar never;
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  MutexLock lock(mutex);
  while (never.WaitUntil(mutex, deadline)) {
  }
}

void BM_GroupCommitOnASlowDisk(benchmark::State& state) {
  const int clients = static_cast<int>(state.range(0));
  env::SimulatedFileSystem fs(1);
  fs.SetSyncDelay(TakeTwoMilliseconds);
  AKIDB_CHECK(fs.CreateDirectories("/log").ok());
  World world(fs);
  auto log = world.Open("/log");
  for (auto _ : state) RunClients(*log, clients, 300);
  Report(state, log->stats());
}
BENCHMARK(BM_GroupCommitOnASlowDisk)
    ->Arg(1)
    ->Arg(4)
    ->Arg(16)
    ->Arg(64)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

std::string Folder(const char* name) {
  return (std::filesystem::temp_directory_path() /
          (std::string("akidb_log_bench_") + name + std::to_string(getpid())))
      .string();
}

void BM_AppendOnTheRealDisk(benchmark::State& state) {
  const std::string folder = Folder("append");
  auto fs = env::MakePosixFileSystem();
  World world(*fs);
  auto log = world.Open(folder);
  for (auto _ : state) RunClients(*log, static_cast<int>(state.range(0)), 1000);
  Report(state, log->stats());
  log.reset();
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_AppendOnTheRealDisk)
    ->Arg(1)
    ->Arg(16)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// 256 MB of records of this length.
void WriteRecords(World& world, const std::string& folder, size_t bytes) {
  auto log = world.Open(folder);
  const std::vector<std::byte> body(bytes);
  uint64_t last = 0;
  for (uint64_t done = 0; done < (uint64_t{256} << 20); done += body.size()) {
    auto seq = log->Enqueue(1, body);
    AKIDB_CHECK(seq.ok());
    last = *seq;
    if (last % 1024 == 0) AKIDB_CHECK(log->Wait(last).ok());
  }
  AKIDB_CHECK(log->Wait(last).ok());
}

// Read from the page cache.
void BM_Replay(benchmark::State& state) {
  const std::string folder = Folder("replay");
  auto fs = env::MakePosixFileSystem();
  World world(*fs);
  WriteRecords(world, folder, static_cast<size_t>(state.range(0)));
  uint64_t replayed = 0;
  for (auto _ : state) world.Open(folder, &replayed);
  state.SetBytesProcessed(static_cast<int64_t>(replayed));
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_Replay)->Arg(200)->Arg(2000)->Arg(100'000)->UseRealTime()->Unit(
    benchmark::kMillisecond);

// What a replay can't be faster than: the same files, read in turn, and one checksum over them.
void BM_ReadAndChecksum(benchmark::State& state) {
  const std::string folder = Folder("read");
  auto fs = env::MakePosixFileSystem();
  World world(*fs);
  WriteRecords(world, folder, static_cast<size_t>(state.range(0)));
  const std::vector<std::string> names = fs->List(folder).value();
  std::vector<std::byte> buffer(size_t{1} << 20);
  uint64_t bytes = 0;
  uint32_t checksum = 0;
  for (auto _ : state) {
    for (const std::string& name : names) {
      auto file = fs->Open(env::JoinPath(folder, name), env::OpenMode::kRead).value();
      for (uint64_t offset = 0;;) {
        const size_t got = file->ReadAt(offset, buffer).value();
        if (got == 0) break;
        checksum = ExtendCrc32c(checksum, std::span(buffer).first(got));
        offset += got;
        bytes += got;
      }
    }
  }
  benchmark::DoNotOptimize(checksum);
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_ReadAndChecksum)->Arg(2000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace akidb::storage
