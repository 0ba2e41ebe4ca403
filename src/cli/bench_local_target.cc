#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "cli/bench_target.h"
#include "cli/local_database.h"
#include "types/payload_json.h"

namespace akidb::cli {
namespace {

constexpr size_t kIdPage = 10'000;

class LocalTarget final : public BenchTarget {
 public:
  static Result<std::unique_ptr<BenchTarget>> Open(const TargetName& name,
                                                   LocalTargetOptions options) {
    std::unique_ptr<LocalTarget> target(new LocalTarget(name, std::move(options.read_filter)));
    engine::DatabaseOptions database;
    database.directory = name.place;
    database.index_threads = std::max(1u, std::thread::hardware_concurrency());
    AKIDB_ASSIGN_OR_RETURN(target->database_,
                           OpenDatabase(database, {*target->fs_, *target->random_, *target->log_},
                                        options.create_folder));
    if (target->database_->CollectionExists(name.collection)) {
      AKIDB_RETURN_IF_ERROR(target->Find());
    }
    return std::unique_ptr<BenchTarget>(std::move(target));
  }

  const std::string& place() const override { return name_.place; }

  Status Create(uint32_t dim, Metric metric) override {
    CollectionConfig config;
    config.vectors[name_.vector] = {.dim = dim, .metric = metric};
    AKIDB_RETURN_IF_ERROR(database_->CreateCollection(name_.collection, config));
    AKIDB_RETURN_IF_ERROR(Find());
    return collection_
        ->PutPayloadIndex(context_, kShareField,
                          {.kind = PayloadFieldKind::kInteger, .params_json = ""})
        .status();
  }

  Status Upsert(std::span<const SharedPoint> points) override {
    std::vector<Point> batch;
    batch.reserve(points.size());
    for (const SharedPoint& shared : points) {
      Point point;
      point.id = PointId(shared.id);
      point.vectors = {{name_.vector, DenseVector(shared.vector.begin(), shared.vector.end())}};
      AKIDB_ASSIGN_OR_RETURN(
          point.payload, ParsePayloadJson(fmt::format("{{\"{}\":{}}}", kShareField, shared.share)));
      batch.push_back(std::move(point));
    }
    return collection_->Upsert(context_, std::move(batch)).status();
  }

  Result<bool> IsAtRest() override {
    if (collection_->stats().head_rows > 0) AKIDB_RETURN_IF_ERROR(collection_->Seal());
    const engine::CollectionStats stats = collection_->stats();
    if (!stats.merge_failure.empty()) return InternalError(stats.merge_failure);
    return !stats.merge_due && !stats.merging;
  }

  Status Drop() override {
    collection_.reset();
    return database_->DeleteCollection(name_.collection).status();
  }

  Result<TargetFacts> Facts() override {
    if (!collection_) {
      return NotFoundError(fmt::format("no collection {} in {}", name_.collection, name_.place));
    }
    const auto& vectors = collection_->config().vectors;
    auto vector = vectors.find(name_.vector);
    if (vector == vectors.end()) {
      std::string known;
      for (const auto& [name, config] : vectors) known += (known.empty() ? "" : ", ") + name;
      return NotFoundError(fmt::format("{} has no vector '{}'; choose with --vector from: {}",
                                       name_.collection, name_.vector, known));
    }
    return TargetFacts{vector->second.dim, vector->second.metric, collection_->stats().points};
  }

  Result<IdPage> Ids(const std::optional<PointId>& from) override {
    ScrollRequest request;
    request.offset = from;
    request.limit = kIdPage;
    request.with_payload = PayloadSelector::None();
    AKIDB_ASSIGN_OR_RETURN(engine::ScrollPage scrolled, collection_->Scroll(context_, request));
    IdPage page;
    page.next = scrolled.next;
    for (const PointRecord& record : scrolled.points) page.ids.push_back(record.id);
    return page;
  }

  Result<std::vector<std::pair<PointId, DenseVector>>> Vectors(
      std::span<const PointId> ids) override {
    RetrieveRequest request;
    request.ids.assign(ids.begin(), ids.end());
    request.with_payload = PayloadSelector::None();
    request.with_vectors = {VectorSelector::Mode::kNamed, {name_.vector}};
    AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> records,
                           collection_->Retrieve(context_, request));
    std::vector<std::pair<PointId, DenseVector>> vectors;
    for (PointRecord& record : records) {
      if (!record.vectors || record.vectors->empty()) continue;
      vectors.emplace_back(record.id, std::move(record.vectors->front().second));
    }
    return vectors;
  }

  Status UseFilter(const std::string& json) override {
    filter_.reset();
    if (json.empty()) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(filter_, read_filter_(json));
    return OkStatus();
  }

  Result<uint64_t> Count() override { return collection_->Count(context_, filter_.get()); }

  Result<std::vector<Neighbour>> Search(const TargetQuery& query) override {
    engine::SearchRequest request;
    request.vector_name = name_.vector;
    request.query = query.vector;
    request.filter = filter_;
    request.limit = query.limit;
    request.ef = query.ef;
    request.exact = query.exact;
    SearchPlan plan;
    if (query.cost != nullptr) request.plan = &plan;
    AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, collection_->Search(context_, request));
    if (query.cost != nullptr) {
      for (const SourcePlan& source : plan.sources) {
        query.cost->rows += source.estimated + source.compared;
        query.cost->bytes += source.bytes;
      }
    }
    std::vector<Neighbour> neighbours;
    neighbours.reserve(hits.size());
    for (const Hit& hit : hits) neighbours.push_back({hit.id, hit.distance});
    return neighbours;
  }

 private:
  LocalTarget(TargetName name, FilterReader read_filter)
      : name_(std::move(name)), read_filter_(std::move(read_filter)) {}

  Status Find() {
    AKIDB_ASSIGN_OR_RETURN(collection_, database_->FindCollection(name_.collection));
    return OkStatus();
  }

  const TargetName name_;
  const FilterReader read_filter_;
  RequestContext context_;  // of every request: they have no deadline
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeStderrLogger(LogLevel::kError);
  std::unique_ptr<engine::Database> database_;
  // Shared because the database hands collections out so; null while there is none.
  std::shared_ptr<engine::Collection> collection_;
  // Shared because engine requests share their filters.
  std::shared_ptr<const Filter> filter_;
};

}  // namespace

Result<std::unique_ptr<BenchTarget>> OpenLocalTarget(const TargetName& name,
                                                     LocalTargetOptions options) {
  return LocalTarget::Open(name, std::move(options));
}

}  // namespace akidb::cli
