// Random operations on a collection whose segments have codes, graphs and payload indexes, against
// a naive model: 12,000 of them, 1,000,000 with AKIDB_DEEP=1.
#include <cstdlib>

#include "engine/collection_model_fixture.h"
#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

// Answers like the collection beneath it, but for one bug.
class FaultyCollection final : public Collection {
 public:
  enum class Fault {
    kNone,
    kForgetsADelete,
    kForgetsADeleteByFilter,
    kForgetsAChange,
    kKeepsADeletedVector,
    kKeepsTheOldVector,
    kLosesAPointOfABatch,
    kFilterLeaks,
    kFindsTheDead,
    kMissesTheNearest,
    kMissesOneExactly,
    kCountsTheDead,
    kScrollSkips,
  };

  FaultyCollection(std::shared_ptr<Collection> real, Fault fault)
      : real_(std::move(real)), fault_(fault) {}

  const Uuid& uuid() const override { return real_->uuid(); }
  const CollectionConfig& config() const override { return real_->config(); }
  std::shared_ptr<const CollectionConfig> current_config() const override {
    return real_->current_config();
  }
  CollectionDetails details() const override { return real_->details(); }
  Status ChangeOptions(const RequestContext& context, const OptionsChange& change) override {
    return real_->ChangeOptions(context, change);
  }
  Status Retire(const OptionsChange& change) override { return real_->Retire(change); }
  CollectionStats stats() const override { return real_->stats(); }

  Result<WriteResult> Upsert(const RequestContext& context, std::vector<Point> points) override {
    if (Strikes(Fault::kLosesAPointOfABatch) && points.size() > 1) points.pop_back();
    if (Strikes(Fault::kKeepsTheOldVector)) {
      RetrieveRequest request;
      request.ids = {points.back().id};
      request.with_vectors.mode = VectorSelector::Mode::kAll;
      AKIDB_ASSIGN_OR_RETURN(std::vector<PointRecord> old, real_->Retrieve(context, request));
      if (!old.empty()) points.back().vectors = *old[0].vectors;
    }
    return real_->Upsert(context, std::move(points));
  }
  Result<WriteResult> Delete(const RequestContext& context, std::span<const PointId> ids) override {
    if (Strikes(Fault::kForgetsADelete)) ids = ids.first(ids.size() - 1);
    return real_->Delete(context, ids);
  }
  Result<WriteResult> UpsertWhere(const RequestContext& context, std::vector<Point> points,
                                  const UpsertCondition& condition) override {
    return real_->UpsertWhere(context, std::move(points), condition);
  }
  Result<WriteResult> DeleteByFilter(const RequestContext& context, const Filter& filter) override {
    if (Strikes(Fault::kForgetsADeleteByFilter)) return WriteResult();
    return real_->DeleteByFilter(context, filter);
  }
  Result<EditResult> ChangePayloads(const RequestContext& context, const PointSelector& selector,
                                    const PayloadChange& change) override {
    if (Strikes(Fault::kForgetsAChange)) return EditResult();
    return real_->ChangePayloads(context, selector, change);
  }
  Result<EditResult> UpdateVectors(const RequestContext& context, std::vector<Point> points,
                                   const Filter* filter) override {
    return real_->UpdateVectors(context, std::move(points), filter);
  }
  Result<EditResult> DeleteVectors(const RequestContext& context, const PointSelector& selector,
                                   std::span<const std::string> names) override {
    if (Strikes(Fault::kKeepsADeletedVector)) return EditResult();
    return real_->DeleteVectors(context, selector, names);
  }
  Result<std::vector<PointRecord>> Retrieve(const RequestContext& context,
                                            const RetrieveRequest& request) const override {
    return real_->Retrieve(context, request);
  }
  Result<ScrollPage> Scroll(const RequestContext& context,
                            const ScrollRequest& request) const override {
    AKIDB_ASSIGN_OR_RETURN(ScrollPage page, real_->Scroll(context, request));
    if (Strikes(Fault::kScrollSkips) && !page.points.empty()) {
      page.points.erase(page.points.begin());
    }
    return page;
  }
  Result<std::vector<PointRecord>> Sample(const RequestContext& context,
                                          const SampleRequest& request) const override {
    return real_->Sample(context, request);
  }
  Result<std::vector<FacetHit>> Facet(const RequestContext& context,
                                      const FacetRequest& request) const override {
    return real_->Facet(context, request);
  }
  Result<uint64_t> Count(const RequestContext& context, const Filter* filter) const override {
    AKIDB_ASSIGN_OR_RETURN(uint64_t count, real_->Count(context, filter));
    if (Strikes(Fault::kCountsTheDead)) count += real_->stats().dead_rows > 0 ? 1 : 0;
    return count;
  }
  Result<std::vector<Hit>> Search(const RequestContext& context,
                                  const SearchRequest& request) const override {
    SearchRequest asked = request;
    if (Strikes(Fault::kFilterLeaks)) asked.filter = nullptr;
    const bool misses = (!request.exact && Strikes(Fault::kMissesTheNearest)) ||
                        (request.exact && Strikes(Fault::kMissesOneExactly));
    if (misses) asked.offset = 1;
    AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, real_->Search(context, asked));
    // One hit too few would be told by their number.
    if (misses && hits.size() < request.limit) return real_->Search(context, request);
    if (Strikes(Fault::kFindsTheDead) && !hits.empty()) hits.back().id = PointId(1u << 20);
    return hits;
  }
  Result<std::vector<Hit>> RankTexts(const RequestContext& context,
                                     const TextRankRequest& request) const override {
    return real_->RankTexts(context, request);
  }
  Result<std::vector<std::vector<Hit>>> SearchBatch(
      const RequestContext& context, std::span<const SearchRequest> requests) const override {
    return real_->SearchBatch(context, requests);
  }
  bool HasRoom(size_t points) const override { return real_->HasRoom(points); }
  std::unique_ptr<WriteGroup> BeginWrites() override { return real_->BeginWrites(); }
  std::unique_ptr<const CollectionReader> Pin() const override { return real_->Pin(); }
  Result<WriteResult> PutPayloadIndex(const RequestContext& context, const std::string& field,
                                      const PayloadFieldIndex& index) override {
    return real_->PutPayloadIndex(context, field, index);
  }
  Result<WriteResult> DropPayloadIndex(const RequestContext& context,
                                       const std::string& field) override {
    return real_->DropPayloadIndex(context, field);
  }
  PayloadFieldIndexes IndexedFields() const override { return real_->IndexedFields(); }
  std::optional<PayloadFieldIndex> IndexOn(const PayloadPath& path) const override {
    return real_->IndexOn(path);
  }
  Result<PayloadIndexInfos> PayloadIndexes(const RequestContext& context) const override {
    return real_->PayloadIndexes(context);
  }
  Status PermitPrefixes(const std::string& vector_name,
                        std::span<const uint32_t> prefixes) override {
    return real_->PermitPrefixes(vector_name, prefixes);
  }
  Status Seal() override { return real_->Seal(); }
  Status Merge() override { return real_->Merge(); }
  Result<storage::FileRef> WriteSnapshot(const RequestContext& context,
                                         const SnapshotOrder& order) override {
    return real_->WriteSnapshot(context, order);
  }
  void RefuseWrites(const std::string& reason) override { real_->RefuseWrites(reason); }
  void Drop() override { real_->Drop(); }

 private:
  // Every third time that the bug could show.
  bool Strikes(Fault fault) const { return fault == fault_ && ++chances_ % 3 == 0; }

  const std::shared_ptr<Collection> real_;
  const Fault fault_;
  mutable uint64_t chances_ = 0;
};

using Fault = FaultyCollection::Fault;

class CollectionModelTest : public IndexedCollectionFixture {
 protected:
  CollectionModelTest() : IndexedCollectionFixture(1) {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 4711;
    options_.head_rows_max = 300;
    options_.room_wait_max = std::chrono::minutes(5);
    indexer_ = small_graphs_.get();
  }
  std::string PayloadOf(uint64_t) const override { return "{}"; }

  // A collection of its own; the model's verdict over it.
  Status Run(Metric metric, uint64_t operations, Fault fault = Fault::kNone) {
    options_.directory = "/data/model" + std::to_string(++folders_);
    config_.vectors.clear();
    config_.vectors[""] = {.dim = kModelDim, .metric = metric};
    config_.vectors["b"] = {.dim = kModelDimB, .metric = metric};
    Create();
    const auto wrapped = [this, fault]() -> std::shared_ptr<Collection> {
      // The model alone holds it, so that letting go of it closes it.
      return std::make_shared<FaultyCollection>(std::move(collection_), fault);
    };
    CollectionModel model({.seed = seed_, .operations = operations, .metric = metric}, wrapped(),
                          {.reopen = [&]() -> Result<std::shared_ptr<Collection>> {
                             Reopen();
                             return wrapped();
                           },
                           .rest = [this] { clock_.Advance(std::chrono::seconds(20)); }});
    Status done = model.Run();
    recall_ = model.recall();
    walks_ = model.walks();
    points_ = model.points();
    return done;
  }

  uint64_t seed_;
  int folders_ = 0;
  double recall_ = 0;
  uint64_t walks_ = 0;
  size_t points_ = 0;
  std::unique_ptr<SegmentIndexer> small_graphs_ =
      MakeVectorIndexer({.graph_rows_min = 400, .graph_rows_min_in_haste = 400}, *log_);
};

// Measured without a bug: 0.9993 and more, with five seeds. Where the nearest is missed now and
// then it is below 0.99.
constexpr double kRecallMin = 0.998;

uint64_t OperationsOf(uint64_t thousandths) {
  const uint64_t all = std::getenv("AKIDB_DEEP") != nullptr ? 1'000'000 : 12'000;
  return all * thousandths / 1000;
}

class CollectionModelOfMetricTest : public CollectionModelTest,
                                    public testing::WithParamInterface<std::pair<Metric, int>> {};

TEST_P(CollectionModelOfMetricTest, AnswersAsTheModelDoes) {
  const auto [metric, thousandths] = GetParam();
  std::printf("AKIDB_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  const uint64_t operations = OperationsOf(static_cast<uint64_t>(thousandths));
  Status done = Run(metric, operations);
  EXPECT_TRUE(done.ok()) << done.ToString();
  std::printf("%llu operations, %zu points at last, %llu searches with a graph, recall %.4f\n",
              static_cast<unsigned long long>(operations), points_,
              static_cast<unsigned long long>(walks_), recall_);
  EXPECT_GT(recall_, kRecallMin);
  if (metric != Metric::kManhattan) EXPECT_GT(walks_, operations / 10);
}

INSTANTIATE_TEST_SUITE_P(EveryMetric, CollectionModelOfMetricTest,
                         testing::Values(std::pair(Metric::kCosine, 400),
                                         std::pair(Metric::kDot, 250),
                                         std::pair(Metric::kEuclid, 250),
                                         std::pair(Metric::kManhattan, 100)),
                         [](const auto& of) { return std::string(MetricName(of.param.first)); });

// The harness is blind to none of these.
TEST_F(CollectionModelTest, TellsEveryBug) {
  for (Fault fault :
       {Fault::kForgetsADelete, Fault::kForgetsADeleteByFilter, Fault::kForgetsAChange,
        Fault::kKeepsADeletedVector, Fault::kKeepsTheOldVector, Fault::kLosesAPointOfABatch,
        Fault::kFilterLeaks, Fault::kFindsTheDead, Fault::kMissesOneExactly, Fault::kCountsTheDead,
        Fault::kScrollSkips}) {
    EXPECT_FALSE(Run(Metric::kCosine, 6000, fault).ok()) << static_cast<int>(fault);
  }
}

TEST_F(CollectionModelTest, SeesRecallThatIsLost) {
  Status done = Run(Metric::kCosine, 3000, Fault::kMissesTheNearest);
  EXPECT_TRUE(done.ok()) << done.ToString();
  EXPECT_LT(recall_, kRecallMin);
}

}  // namespace
}  // namespace akidb::engine
