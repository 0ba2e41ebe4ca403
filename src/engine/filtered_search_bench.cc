// Filtered searches and counts over one segment with codes and a graph: fields with an index, and
// the same values in fields without one.
#include <filesystem>
#include <random>
#include <set>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "engine/alarms.h"
#include "engine/collection.h"
#include "engine/vector_index.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 128;
constexpr uint64_t kRows = 300'000;
constexpr uint64_t kClusters = 200;
constexpr uint64_t kQueries = 100;
constexpr int kPermille = 1000;

DenseVector VectorOf(uint64_t id) {
  std::mt19937 centre(static_cast<uint32_t>(id % kClusters));
  std::mt19937 random(static_cast<uint32_t>(id) + 1'000'000);
  std::normal_distribution<float> normal;
  DenseVector vector(kDim);
  for (float& value : vector) value = normal(centre);
  for (float& value : vector) value += normal(random);
  return vector;
}

// Any value is as frequent near a query as elsewhere; clusters are not.
std::string PayloadOf(uint64_t id) {
  const std::string any = std::to_string(std::mt19937(static_cast<uint32_t>(id))() % kPermille);
  const std::string cluster = std::to_string(id % kClusters * (kPermille / kClusters));
  return R"({"any":)" + any + R"(,"plain_any":)" + any + R"(,"cluster":)" + cluster +
         R"(,"plain_cluster":)" + cluster + R"(,"text":")" + std::string(300, 'x') + "\"}";
}

// Made once, for it takes a minute.
class World {
 public:
  static World& Get() {
    static World world;
    return world;
  }
  ~World() {
    collection_.reset();
    optimizer_.Stop();
    background_.Stop();
    std::filesystem::remove_all(folder_);
  }
  const Collection& collection() const { return *collection_; }
  const RequestContext& context() const { return context_; }

 private:
  World() {
    std::filesystem::create_directories(folder_);
    CollectionConfig config;
    config.vectors[""] = {.dim = kDim, .metric = Metric::kEuclid};
    config.payload_indexes["any"] = {PayloadFieldKind::kInteger, ""};
    config.payload_indexes["cluster"] = {PayloadFieldKind::kInteger, ""};
    CollectionOptions options;
    options.directory = folder_ + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    // One head, and so one segment.
    options.head_rows_max = kRows;
    options.head_bytes_max = size_t{1} << 30;
    collection_ = Collection::Create(options, config,
                                     {.fs = *fs_,
                                      .random = *random_,
                                      .background = background_,
                                      .log = *log_,
                                      .reserve = nullptr,
                                      .optimizer = nullptr,
                                      .alarms = nullptr,
                                      .indexer = indexer_.get()})
                      .value();
    for (uint64_t first = 0; first < kRows; first += 1000) {
      std::vector<Point> points(1000);
      for (uint64_t i = 0; i < points.size(); ++i) {
        points[i].id = PointId(first + i);
        points[i].vectors = {{"", VectorOf(first + i)}};
        points[i].payload = *ParsePayloadJson(PayloadOf(first + i));
      }
      AKIDB_CHECK(collection_->Upsert(context_, std::move(points)).ok());
    }
    AKIDB_CHECK(collection_->Seal().ok());
  }

  const std::string folder_ =
      (std::filesystem::temp_directory_path() / ("akidb_filter_bench_" + std::to_string(getpid())))
          .string();
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<SegmentIndexer> indexer_ = MakeVectorIndexer({.threads = 2}, *log_);
  Executor background_{ExecutorOptions{.name = "background"}};
  Executor optimizer_{ExecutorOptions{.name = "optimizer"}};
  RequestContext context_;
  std::shared_ptr<Collection> collection_;
};

std::shared_ptr<const Filter> Below(const char* field, int64_t permille) {
  auto filter = std::make_shared<Filter>();
  NumericRange range;
  range.lt = static_cast<double>(permille);
  filter->must.push_back(FieldCondition{*PayloadPath::Parse(field), range});
  return filter;
}

std::vector<Hit> Search(uint64_t number, bool exact, std::shared_ptr<const Filter> filter) {
  // Queries come from all clusters in turn: some are admitted, some far from what is.
  const DenseVector query = VectorOf(kRows + number * 7);
  SearchRequest request;
  request.query = query;
  request.exact = exact;
  request.filter = std::move(filter);
  return World::Get().collection().Search(World::Get().context(), request).value();
}

void BM_Search(benchmark::State& state, const char* field) {
  const int64_t permille = state.range(0);
  const std::shared_ptr<const Filter> filter =
      permille < kPermille ? Below(field, permille) : nullptr;
  size_t found = 0;
  size_t wanted = 0;
  for (uint64_t number = 0; number < kQueries; ++number) {
    std::set<PointId> exact;
    for (const Hit& hit : Search(number, true, filter)) exact.insert(hit.id);
    for (const Hit& hit : Search(number, false, filter)) found += exact.count(hit.id);
    wanted += exact.size();
  }
  uint64_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(Search(number++ % kQueries, false, filter));
  state.counters["recall"] = static_cast<double>(found) / static_cast<double>(wanted);
}
#define AKIDB_SHARES                                                                \
  Arg(1)->Arg(10)->Arg(50)->Arg(100)->Arg(190)->Arg(210)->Arg(400)->Arg(800)->Unit( \
      benchmark::kMicrosecond)
BENCHMARK_CAPTURE(BM_Search, unfiltered, "")->Arg(kPermille)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Search, any, "any")->AKIDB_SHARES;
BENCHMARK_CAPTURE(BM_Search, any_without_index, "plain_any")->AKIDB_SHARES;
BENCHMARK_CAPTURE(BM_Search, cluster, "cluster")->AKIDB_SHARES;
BENCHMARK_CAPTURE(BM_Search, cluster_without_index, "plain_cluster")->AKIDB_SHARES;
#undef AKIDB_SHARES

void BM_Count(benchmark::State& state, const char* field) {
  const std::shared_ptr<const Filter> filter = Below(field, state.range(0));
  World& world = World::Get();
  for (auto _ : state) {
    benchmark::DoNotOptimize(world.collection().Count(world.context(), filter.get()).value());
  }
}
BENCHMARK_CAPTURE(BM_Count, any, "any")->Arg(10)->Arg(400)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Count, any_without_index, "plain_any")->Arg(10)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace akidb::engine
