// A collection on the real disk: writing, recovering its log, sealing.
#include <filesystem>
#include <random>
#include <thread>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "engine/collection.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 384;

struct World {
  World() { std::filesystem::create_directories(folder); }
  ~World() {
    collection.reset();
    background.Stop();
    std::filesystem::remove_all(folder);
  }
  CollectionOptions Options() const {
    CollectionOptions options;
    options.directory = folder + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    return options;
  }
  void Create() {
    CollectionConfig config;
    config.vectors[""] = {.dim = kDim, .metric = Metric::kCosine};
    collection = Collection::Create(Options(), config, {*fs, *random, background, *log}).value();
  }
  void Open() {
    collection = Collection::Open(Options(), {*fs, *random, background, *log}).value();
  }

  const std::string folder = (std::filesystem::temp_directory_path() /
                              ("akidb_collection_bench_" + std::to_string(getpid())))
                                 .string();
  std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random = env::MakeSystemRandom();
  std::unique_ptr<Logger> log = MakeNullLogger();
  Executor background{ExecutorOptions{.name = "background"}};
  RequestContext context;
  std::shared_ptr<Collection> collection;
};

std::vector<Point> MakePoints(uint64_t first, size_t count) {
  std::mt19937 random(static_cast<uint32_t>(first));
  std::normal_distribution<float> normal;
  std::vector<Point> points(count);
  for (size_t i = 0; i < count; ++i) {
    DenseVector vector(kDim);
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
