// Batches of searches that read a segment whole, its vectors or its codes, against the same
// searches one by one. Both alternate within one benchmark, on one thread and by its processor
// time, so that whatever else the machine does meanwhile counts for both. k = 10.
#include <ctime>
#include <filesystem>
#include <map>
#include <random>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "engine/collection.h"
#include "engine/vector_index.h"

namespace akidb::engine {
namespace {

struct Shape {
  uint32_t dim;
  uint64_t rows;
};
constexpr Shape kShapes[] = {{384, 100'000}, {1024, 60'000}};

DenseVector RandomVector(std::mt19937_64& random, uint32_t dim) {
  DenseVector vector(dim);
  for (float& value : vector) value = static_cast<float>(static_cast<int32_t>(random())) * 0x1p-31f;
  return vector;
}

// One segment with codes and without a graph.
class World {
 public:
  explicit World(const Shape& shape)
      : folder_(
            (std::filesystem::temp_directory_path() /
             ("akidb_batch_bench_" + std::to_string(shape.dim) + "_" + std::to_string(getpid())))
                .string()) {
    std::filesystem::create_directories(folder_);
    CollectionConfig config;
    config.vectors[""] = {.dim = shape.dim, .metric = Metric::kCosine};
    CollectionOptions options;
    options.directory = folder_ + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    options.head_rows_max = shape.rows;
    options.head_bytes_max = size_t{1} << 30;
    collection_ = Collection::Create(options, config,
                                     {.fs = *fs_,
                                      .random = *uuids_,
                                      .background = background_,
                                      .log = *log_,
                                      .reserve = nullptr,
                                      .optimizer = nullptr,
                                      .alarms = nullptr,
                                      .indexer = indexer_.get()})
                      .value();
    std::mt19937_64 random(1);
    for (uint64_t first = 0; first < shape.rows; first += 1000) {
      std::vector<Point> points(1000);
      for (uint64_t i = 0; i < points.size(); ++i) {
        points[i].id = PointId(first + i);
        points[i].vectors = {{"", RandomVector(random, shape.dim)}};
      }
      AKIDB_CHECK(collection_->Upsert(context_, std::move(points)).ok());
    }
    AKIDB_CHECK(collection_->Seal().ok());
  }
  ~World() {
    collection_.reset();
    background_.Stop();
    std::filesystem::remove_all(folder_);
  }

  static World& Of(const Shape& shape) {
    static std::map<uint32_t, std::unique_ptr<World>> worlds;
    std::unique_ptr<World>& world = worlds[shape.dim];
    if (!world) world = std::make_unique<World>(shape);
    return *world;
  }
  const Collection& collection() const { return *collection_; }
  const RequestContext& context() const { return context_; }

 private:
  const std::string folder_;
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> uuids_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<SegmentIndexer> indexer_ = MakeVectorIndexer({.graph_rows_min = 1u << 30}, *log_);
  Executor background_{ExecutorOptions{.name = "background"}};
  RequestContext context_;
  std::shared_ptr<Collection> collection_;
};

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <typename Function>
double Seconds(Function function) {
  const double start = CpuSeconds();
  function();
  return CpuSeconds() - start;
}

void BM_Batch(benchmark::State& state, bool exact) {
  const Shape& shape = kShapes[state.range(0)];
  const auto count = static_cast<size_t>(state.range(1));
  const World& world = World::Of(shape);
  std::mt19937_64 random(7);
  std::vector<DenseVector> queries;
  for (size_t i = 0; i < count; ++i) queries.push_back(RandomVector(random, shape.dim));
  std::vector<SearchRequest> requests(count);
  for (size_t i = 0; i < count; ++i) {
    requests[i].query = queries[i];
    requests[i].exact = exact;
  }
  double alone = 0;
  double together = 0;
  for (auto unused : state) {
    alone += Seconds([&] {
      for (const SearchRequest& request : requests) {
        benchmark::DoNotOptimize(world.collection().Search(world.context(), request).value());
      }
    });
    const double seconds = Seconds([&] {
      benchmark::DoNotOptimize(world.collection().SearchBatch(world.context(), requests).value());
    });
    together += seconds;
    state.SetIterationTime(seconds);
  }
  const auto asked = static_cast<double>(count * state.iterations());
  state.counters["dim"] = shape.dim;
  state.counters["alone/s"] = asked / alone;
  state.counters["together/s"] = asked / together;
  state.counters["ratio"] = alone / together;
}

void Arguments(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"shape", "queries"})->UseManualTime()->Unit(benchmark::kMillisecond);
  for (int shape : {0, 1}) {
    for (int queries : {1, 4, 8, 16, 32, 64}) bench->Args({shape, queries});
  }
}

BENCHMARK_CAPTURE(BM_Batch, vectors, true)->Apply(Arguments);
BENCHMARK_CAPTURE(BM_Batch, codes, false)->Apply(Arguments);

}  // namespace
}  // namespace akidb::engine
