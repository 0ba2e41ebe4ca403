// A collection on the real disk: writing, recovering its log, sealing, merging.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "base/mutex.h"
#include "engine/alarms.h"
#include "engine/collection.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 384;

struct World {
  World() { std::filesystem::create_directories(folder); }
  ~World() {
    collection.reset();
    optimizer.Stop();
    background.Stop();
    std::filesystem::remove_all(folder);
  }
  CollectionOptions Options() const {
    CollectionOptions options;
    options.directory = folder + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    return options;
  }
  CollectionEnvironment Parts() {
    return {.fs = *fs,
            .random = *random,
            .background = background,
            .log = *log,
            .reserve = nullptr,
            .optimizer = merges ? &optimizer : nullptr,
            .alarms = merges ? &alarms : nullptr,
            .indexer = nullptr};
  }
  void Create(uint32_t dim = kDim) {
    CollectionConfig config;
    config.vectors[""] = {.dim = dim, .metric = Metric::kCosine};
    collection = Collection::Create(Options(), config, Parts()).value();
  }
  void Open() { collection = Collection::Open(Options(), Parts()).value(); }

  const std::string folder = (std::filesystem::temp_directory_path() /
                              ("akidb_collection_bench_" + std::to_string(getpid())))
                                 .string();
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random = env::MakeSystemRandom();
  std::unique_ptr<Logger> log = MakeNullLogger();
  std::unique_ptr<env::Clock> clock = env::MakeSystemClock();
  Alarms alarms{*clock};
  Executor background{ExecutorOptions{.name = "background"}};
  Executor optimizer{ExecutorOptions{.name = "optimizer", .nice = 10}};
  bool merges = false;
  RequestContext context;
  std::shared_ptr<Collection> collection;
};

std::vector<Point> MakePoints(uint64_t first, size_t count, uint32_t dim = kDim) {
  std::mt19937 random(static_cast<uint32_t>(first));
  std::normal_distribution<float> normal;
  std::vector<Point> points(count);
  for (size_t i = 0; i < count; ++i) {
    DenseVector vector(dim);
    for (float& x : vector) x = normal(random);
    points[i].id = PointId(first + i);
    points[i].vectors = {{"", std::move(vector)}};
    points[i].payload = *ParsePayloadJson(R"({"title":"A passage","text":"some words of text"})");
  }
  return points;
}

// Closed-loop clients that upsert one point each time.
void BM_UpsertOnePoint(benchmark::State& state) {
  constexpr size_t kPointsOfEach = 500;
  World world;
  world.Create();
  const auto clients = static_cast<size_t>(state.range(0));
  std::vector<std::vector<Point>> points;
  for (size_t i = 0; i < clients; ++i)
    points.push_back(MakePoints(i * kPointsOfEach, kPointsOfEach));
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < clients; ++i) {
      threads.emplace_back([&, i] {
        for (Point& point : points[i]) {
          AKIDB_CHECK(world.collection->Upsert(world.context, {std::move(point)}).ok());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  state.SetItemsProcessed(static_cast<int64_t>(clients * kPointsOfEach));
}
BENCHMARK(BM_UpsertOnePoint)
    ->Arg(1)
    ->Arg(16)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

constexpr size_t kWriters = 4;
constexpr size_t kBatchesOfEach = 100;
constexpr size_t kPointsOfBatch = 100;

// `write` gets the number of the writer and of its batch.
template <typename Write>
void RunWriters(const Write& write) {
  std::vector<std::thread> threads;
  for (size_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&write, writer] {
      for (size_t batch = 0; batch < kBatchesOfEach; ++batch) write(writer, batch);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Durable upserts of batches by several threads, and beside it what a plain program takes that
// copies the same bytes into one buffer, which one thread writes and syncs.
void BM_DurableBatches(benchmark::State& state) {
  World world;
  world.Create();
  std::vector<std::vector<Point>> batches(kWriters * kBatchesOfEach);
  for (size_t i = 0; i < batches.size(); ++i) {
    batches[i] = MakePoints(i * kPointsOfBatch, kPointsOfBatch);
  }
  for (auto _ : state) {
    RunWriters([&](size_t writer, size_t batch) {
      std::vector<Point>& points = batches[writer * kBatchesOfEach + batch];
      AKIDB_CHECK(world.collection->Upsert(world.context, std::move(points)).ok());
    });
  }
  state.SetItemsProcessed(static_cast<int64_t>(batches.size() * kPointsOfBatch));
}
BENCHMARK(BM_DurableBatches)
    ->Iterations(1)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

void BM_PlainCommitter(benchmark::State& state) {
  World world;
  auto file = world.fs->Open(world.folder + "/plain", env::OpenMode::kCreate).value();
  const std::vector<std::byte> record(kPointsOfBatch * (kDim * sizeof(float) + 80));
  Mutex mutex;
  CondVar wanted;
  CondVar done;
  std::vector<std::byte> buffer;
  uint64_t asked = 0;
  uint64_t durable = 0;
  for (auto _ : state) {
    std::thread committer([&] {
      std::vector<std::byte> taken;
      uint64_t offset = 0;
      MutexLock lock(mutex);
      while (durable < kWriters * kBatchesOfEach) {
        while (asked == durable) wanted.Wait(mutex);
        taken.clear();
        taken.swap(buffer);
        const uint64_t upto = asked;
        mutex.unlock();
        AKIDB_CHECK(file->WriteAt(offset, taken).ok() && file->SyncData().ok());
        mutex.lock();
        offset += taken.size();
        durable = upto;
        done.NotifyAll();
      }
    });
    RunWriters([&](size_t, size_t) {
      MutexLock lock(mutex);
      buffer.insert(buffer.end(), record.begin(), record.end());
      const uint64_t mine = ++asked;
      wanted.NotifyOne();
      while (durable < mine) done.Wait(mutex);
    });
    committer.join();
  }
  state.SetItemsProcessed(static_cast<int64_t>(kWriters * kBatchesOfEach * kPointsOfBatch));
}
BENCHMARK(BM_PlainCommitter)
    ->Iterations(1)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

// The log of a head that is almost full: 16,000 points in batches of 100.
void BM_RecoverTheLog(benchmark::State& state) {
  World world;
  world.Create();
  for (uint64_t first = 0; first < 16'000; first += 100) {
    AKIDB_CHECK(world.collection->Upsert(world.context, MakePoints(first, 100)).ok());
  }
  uint64_t bytes = 0;
  world.collection.reset();
  for (const auto& file : std::filesystem::directory_iterator(world.folder + "/c/log")) {
    bytes += file.file_size();
  }
  for (auto _ : state) {
    world.Open();
    state.PauseTiming();
    AKIDB_CHECK(*world.collection->Count(world.context, nullptr) == 16'000);
    world.collection.reset();
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes * state.iterations()));
}
BENCHMARK(BM_RecoverTheLog)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_SealAHead(benchmark::State& state) {
  World world;
  world.Create();
  uint64_t first = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (int batch = 0; batch < 160; ++batch, first += 100) {
      AKIDB_CHECK(world.collection->Upsert(world.context, MakePoints(first, 100)).ok());
    }
    state.ResumeTiming();
    AKIDB_CHECK(world.collection->Seal().ok());
  }
}
BENCHMARK(BM_SealAHead)->Iterations(4)->UseRealTime()->Unit(benchmark::kMillisecond);

// A query every 5 ms, or as soon as the one before is answered, until `done`; the milliseconds from
// the time at which each was due to its answer, ascending.
std::vector<double> QueryUntil(const std::atomic<bool>& done, const World& world, uint32_t dim) {
  std::vector<Point> queries = MakePoints(1, 100, dim);
  std::vector<double> millis;
  Mutex mutex;
  CondVar never;
  auto due = std::chrono::steady_clock::now();
  while (!done) {
    {
      MutexLock lock(mutex);
      while (never.WaitUntil(mutex, due)) {
      }
    }
    SearchRequest request;
    request.query = queries[millis.size() % queries.size()].vectors[0].second;
    AKIDB_CHECK(world.collection->Search(world.context, request).ok());
    auto now = std::chrono::steady_clock::now();
    millis.push_back(std::chrono::duration<double, std::milli>(now - due).count());
    due = std::max(due + std::chrono::milliseconds(5), now);
  }
  std::sort(millis.begin(), millis.end());
  return millis;
}

// 200,000 rows of 128 floats in batches of 100, beside one thread of queries; arg 1: with merges.
// The time is that until the last batch is acknowledged, the counters are of the end of all merges.
void BM_IngestBesideQueries(benchmark::State& state) {
  constexpr uint64_t kRows = 200'000;
  constexpr uint64_t kBatch = 100;
  constexpr uint32_t kIngestDim = 128;
  std::vector<Point> points = MakePoints(0, kRows, kIngestDim);
  for (auto _ : state) {
    World world;
    world.merges = state.range(0) != 0;
    world.Create(kIngestDim);
    std::atomic<bool> done{false};
    std::vector<double> millis;
    std::thread queries([&] { millis = QueryUntil(done, world, kIngestDim); });
    auto begin = std::chrono::steady_clock::now();
    for (uint64_t first = 0; first < kRows; first += kBatch) {
      auto from = points.begin() + static_cast<ptrdiff_t>(first);
      std::vector<Point> batch(from, from + kBatch);
      AKIDB_CHECK(world.collection->Upsert(world.context, std::move(batch)).ok());
    }
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(seconds.count());
    done = true;
    queries.join();
    AKIDB_CHECK(world.collection->Seal().ok());
    AKIDB_CHECK(world.collection->Merge().ok());
    CollectionStats stats = world.collection->stats();
    state.counters["written_per_row"] =
        static_cast<double>(stats.sealed_rows + stats.merged_rows) / kRows;
    state.counters["segments"] = static_cast<double>(stats.segments);
    state.counters["queries"] = static_cast<double>(millis.size());
    state.counters["query_p50_ms"] = millis[millis.size() / 2];
    state.counters["query_p99_ms"] = millis[millis.size() * 99 / 100];
  }
  state.SetItemsProcessed(static_cast<int64_t>(kRows));
}
BENCHMARK(BM_IngestBesideQueries)
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// 200 requests for 100 of 100,000 sealed points each; arg 1: their payloads are changed, 0: the
// same points are written anew as a whole.
void BM_ChangeSealedPoints(benchmark::State& state) {
  constexpr uint64_t kRows = 100'000;
  constexpr uint64_t kBatch = 100;
  World world;
  world.Create();
  for (uint64_t first = 0; first < kRows; first += 1000) {
    AKIDB_CHECK(world.collection->Upsert(world.context, MakePoints(first, 1000)).ok());
  }
  AKIDB_CHECK(world.collection->Seal().ok());
  std::vector<Point> points = MakePoints(0, kBatch);
  const SetPayload set{*ParsePayloadJson(R"({"status":"seen"})"), std::nullopt};
  for (auto _ : state) {
    std::mt19937_64 random(1);
    for (int request = 0; request < 200; ++request) {
      PointSelector selector;
      for (Point& point : points) {
        point.id = PointId(random() % kRows);
        selector.ids.push_back(point.id);
      }
      if (state.range(0) != 0) {
        AKIDB_CHECK(world.collection->ChangePayloads(world.context, selector, set).ok());
      } else {
        AKIDB_CHECK(world.collection->Upsert(world.context, points).ok());
      }
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(200 * kBatch));
}
BENCHMARK(BM_ChangeSealedPoints)
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// All of 100,000 sealed points by a filter.
void BM_SetPayloadByFilter(benchmark::State& state) {
  constexpr uint64_t kRows = 100'000;
  World world;
  world.Create();
  for (uint64_t first = 0; first < kRows; first += 1000) {
    AKIDB_CHECK(world.collection->Upsert(world.context, MakePoints(first, 1000)).ok());
  }
  AKIDB_CHECK(world.collection->Seal().ok());
  auto all = std::make_shared<const Filter>();
  const SetPayload set{*ParsePayloadJson(R"({"status":"seen"})"), std::nullopt};
  for (auto _ : state) {
    AKIDB_CHECK(world.collection->ChangePayloads(world.context, {{}, all}, set).ok());
  }
  state.SetItemsProcessed(static_cast<int64_t>(kRows * state.iterations()));
}
BENCHMARK(BM_SetPayloadByFilter)
    ->Iterations(3)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_OpenAnEmptyCollection(benchmark::State& state) {
  World world;
  world.Create();
  for (auto _ : state) {
    world.collection.reset();
    world.Open();
  }
}
BENCHMARK(BM_OpenAnEmptyCollection)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace akidb::engine
