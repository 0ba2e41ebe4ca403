// A collection searched through codes and graphs: recall, damage, deletes and rest.
#include "engine/vector_index.h"

#include <cmath>
#include <random>
#include <set>

#include "engine/collection_merge_fixture.h"
#include "simd/kernels.h"
#include "storage/segment/section_file_format.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 32;
constexpr uint32_t kGraphRowsMin = 800;

class VectorIndexTest : public CollectionMergeFixture {
 protected:
  VectorIndexTest() {
    config_.vectors.clear();
    config_.vectors[""] = {.dim = kDim, .metric = Metric::kCosine};
    options_.head_rows_max = 300;
    indexer_ = vector_indexer_.get();
  }

  // Clusters, from a fixed seed: the bounds of recall hold for these.
  DenseVector VectorOf(uint64_t id) const {
    std::mt19937_64 random(id * 7919 + 1);
    std::normal_distribution<float> normal;
    std::mt19937_64 centre(id % 40);
    DenseVector vector(kDim);
    for (float& value : vector) value = normal(centre);
    const float length = std::exp(length_spread_ * normal(random));
    for (float& value : vector) value += common_ + cluster_width_ * normal(random);
    for (float& value : vector) value *= length;
    return vector;
  }
  float cluster_width_ = 0.8f;
  float common_ = 0;
  float length_spread_ = 0;
  void Store(uint64_t first, uint64_t count) {
    for (uint64_t begin = first; begin < first + count; begin += 100) {
      std::vector<Point> points;
      for (uint64_t id = begin; id < std::min(begin + 100, first + count); ++id) {
        Point point;
        point.id = PointId(id);
        point.vectors = {{"", VectorOf(id)}};
        point.payload = *ParsePayloadJson(R"({"third":)" + std::to_string(id % 3) + "}");
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
    }
  }
  // Points arrive no longer.
  void Settle() {
    ASSERT_TRUE(collection_->Seal().ok());
    clock_.Advance(std::chrono::seconds(20));
    ASSERT_TRUE(collection_->Merge().ok());
  }
  std::vector<Hit> Search(uint64_t query_seed, bool exact, size_t limit = 10,
                          std::shared_ptr<const Filter> filter = nullptr) {
    DenseVector query = VectorOf(1'000'000 + query_seed);
    simd::Normalize(query);
    SearchRequest request;
    request.query = query;
    request.exact = exact;
    request.limit = limit;
    request.filter = std::move(filter);
    Result<std::vector<Hit>> hits = collection_->Search(context_, request);
    EXPECT_TRUE(hits.ok()) << hits.status().ToString();
    return hits.ok() ? *hits : std::vector<Hit>();
  }
  // The share of the 10 nearest that are found. Whatever is found has its exact distance.
  double Recall(const std::shared_ptr<const Filter>& filter = nullptr) {
    size_t found = 0;
    size_t wanted = 0;
    for (uint64_t q = 0; q < 100; ++q) {
      std::map<uint64_t, float> exact;
      for (const Hit& hit : Search(q, true, 10, filter)) exact[hit.id.number()] = hit.distance;
      for (const Hit& hit : Search(q, false, 10, filter)) {
        auto same = exact.find(hit.id.number());
        if (same == exact.end()) continue;
        EXPECT_EQ(same->second, hit.distance);
        ++found;
      }
      wanted += exact.size();
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
  }

  std::unique_ptr<SegmentIndexer> vector_indexer_ =
      MakeVectorIndexer({.graph_rows_min = kGraphRowsMin}, *log_);
};

TEST_F(VectorIndexTest, FindsThroughTheGraphWhatAnExactSearchFinds) {
  Create();
  Store(0, 3000);
  Settle();
  EXPECT_GT(Recall(), 0.98);
  // And with a part in the head, which is compared exactly.
  Store(3000, 100);
  EXPECT_GT(Recall(), 0.98);
  Reopen();
  EXPECT_GT(Recall(), 0.98);
}

TEST_F(VectorIndexTest, EveryMetricIsServed) {
  for (Metric metric : {Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
    config_.vectors[""] = {.dim = kDim, .metric = metric};
    options_.directory = "/data/" + std::string(MetricName(metric));
    Create();
    Store(0, 1500);
    Settle();
    EXPECT_GT(Recall(), metric == Metric::kManhattan ? 0.9999 : 0.97) << MetricName(metric);
    collection_.reset();
  }
}

TEST_F(VectorIndexTest, DeadPointsAreNotFoundAndHideNoOthers) {
  options_.merge_policy.dead_percent_max = 60;
  Create();
  Store(0, 2000);
  Settle();
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < 2000; id += 2) ids.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  for (const Hit& hit : Search(1, false, 50)) EXPECT_EQ(hit.id.number() % 2, 1u);
  EXPECT_EQ(Search(1, false, 50).size(), 50u);
  EXPECT_GT(Recall(), 0.97);
}

// A whole cluster dies, and what lies behind it is found.
TEST_F(VectorIndexTest, ADeadClusterHidesNothing) {
  options_.merge_policy.dead_percent_max = 60;
  cluster_width_ = 0.3f;
  Create();
  Store(0, 4000);
  Settle();
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < 4000; id += 40) ids.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  for (uint64_t q : {0, 40, 80}) EXPECT_EQ(Search(q, false, 20).size(), 20u);
  EXPECT_GT(Recall(), 0.97);
}

// Closer together than codes can tell: more is compared.
TEST_F(VectorIndexTest, TightClustersAreToldApart) {
  cluster_width_ = 0.02f;
  for (Metric metric : {Metric::kCosine, Metric::kEuclid}) {
    config_.vectors[""] = {.dim = kDim, .metric = metric};
    options_.directory = "/data/" + std::string(MetricName(metric));
    Create();
    Store(0, 3000);
    Settle();
    EXPECT_GT(Recall(), 0.98) << MetricName(metric);
    collection_.reset();
  }
}

TEST_F(VectorIndexTest, WhatAllVectorsHaveInCommonDoesNotMatter) {
  common_ = 30;
  Create();
  Store(0, 3000);
  Settle();
  EXPECT_GT(Recall(), 0.98);
}

TEST_F(VectorIndexTest, RowsOfVeryDifferentLengthsAreFoundByTheirProducts) {
  length_spread_ = 1.5f;
  config_.vectors[""] = {.dim = kDim, .metric = Metric::kDot};
  Create();
  Store(0, 3000);
  Settle();
  EXPECT_GT(Recall(), 0.99);
}

TEST_F(VectorIndexTest, ARowOfHugeLengthIsFound) {
  config_.vectors[""] = {.dim = kDim, .metric = Metric::kDot};
  Create();
  Store(0, 2000);
  Point huge;
  huge.id = PointId(5000);
  huge.vectors = {{"", DenseVector(kDim, 1e20f)}};
  ASSERT_TRUE(collection_->Upsert(context_, {huge}).ok());
  Settle();
  const DenseVector query(kDim, 1);
  SearchRequest request;
  request.query = query;
  Result<std::vector<Hit>> hits = collection_->Search(context_, request);
  ASSERT_TRUE(hits.ok());
  EXPECT_EQ(hits->at(0).id, PointId(5000));
}

TEST_F(VectorIndexTest, AnyNumberOfCandidatesMayBeAskedFor) {
  Create();
  Store(0, 1500);
  Settle();
  DenseVector query = VectorOf(77);
  simd::Normalize(query);
  for (size_t ef : {size_t{1}, size_t{1500}, size_t{1} << 62, ~size_t{0}}) {
    SearchRequest request;
    request.query = query;
    request.ef = ef;
    Result<std::vector<Hit>> hits = collection_->Search(context_, request);
    ASSERT_TRUE(hits.ok());
    EXPECT_EQ(hits->at(0).id, PointId(77)) << ef;
    EXPECT_EQ(hits->size(), 10u) << ef;
  }
}

TEST_F(VectorIndexTest, AFilterLeavesTheNearestThatItAdmits) {
  Create();
  Store(0, 2000);
  Settle();
  auto filter = std::make_shared<Filter>();
  filter->must.push_back(FieldCondition{*PayloadPath::Parse("third"), MatchValue{int64_t{1}}});
  EXPECT_GT(Recall(filter), 0.98);
}

TEST_F(VectorIndexTest, MoreThanThereIsReturnsEverything) {
  Create();
  Store(0, 1000);
  Settle();
  EXPECT_EQ(Search(3, false, 5000).size(), 1000u);
}

// A collection that nobody writes to any more gets its graph without being asked.
TEST_F(VectorIndexTest, AtRestSegmentsAreMergedUntilTheyHaveAGraph) {
  options_.merge_policy.resting_max = 6;
  Create();
  Store(0, 1000);
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().segments, 2u);
  EXPECT_EQ(collection_->stats().graph_vectors, 0u);
  EXPECT_TRUE(collection_->stats().merge_due);
  clock_.Advance(options_.idle_after);
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_EQ(collection_->stats().segments, 1u);
  EXPECT_EQ(collection_->stats().graph_vectors, 1000u);
  EXPECT_GT(Recall(), 0.98);
}

// The middle of a section of the segment's file, as docs/format/segment.md lays it out.
uint64_t MiddleOf(std::string_view file, storage::SectionId id) {
  const auto bytes = std::as_bytes(std::span(file));
  auto trailer = storage::DecodeSectionFileTrailer(bytes.last(storage::kSectionFileTrailerBytes));
  auto footer = storage::DecodeSectionFileFooter(
      bytes.subspan(trailer->footer_offset, trailer->footer_bytes));
  for (const storage::SectionEntry& section : footer->sections) {
    if (section.key.id == id) return section.offset + section.bytes / 2;
  }
  ADD_FAILURE() << "no such section";
  return 0;
}

TEST_F(VectorIndexTest, ADamagedIndexIsLeftAloneAndBuiltAgain) {
  for (storage::SectionId damaged : {storage::SectionId::kCodes, storage::SectionId::kGraph}) {
    options_.directory = "/data/" + std::to_string(static_cast<int>(damaged));
    const std::string folder = options_.directory + "/seg";
    Create();
    Store(0, 5000);  // so that the sections fill blocks of their own
    Settle();
    const std::vector<std::string> files = *disk_->List(folder);
    collection_.reset();
    // The one with a graph; a few rows more or less stand in another one.
    std::string path;
    std::string bytes;
    for (const std::string& file : files) {
      std::string content = *env::ReadWholeFile(*disk_, folder + "/" + file, 16u << 20);
      if (content.size() < bytes.size()) continue;
      bytes = std::move(content);
      path = folder + "/" + file;
    }
    ASSERT_TRUE(disk_->FlipBit(path, MiddleOf(bytes, damaged) * 8 + 3).ok());
    Reopen();
    EXPECT_TRUE(collection_->stats().merge_due);
    EXPECT_EQ(Recall(), 1);
    ASSERT_TRUE(collection_->Merge().ok());
    EXPECT_NE(*disk_->List(folder), files);
    EXPECT_GT(Recall(), 0.98);
    collection_.reset();
  }
}

// Segments of a program that knew no indexes are written anew with them.
TEST_F(VectorIndexTest, SegmentsWithoutAnIndexGetOne) {
  indexer_ = nullptr;
  Create();
  Store(0, 1000);
  Settle();
  const std::vector<std::string> files = *disk_->List("/data/c/seg");
  indexer_ = vector_indexer_.get();
  Reopen();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_NE(*disk_->List("/data/c/seg"), files);
  EXPECT_GT(Recall(), 0.98);
}

}  // namespace
}  // namespace akidb::engine
