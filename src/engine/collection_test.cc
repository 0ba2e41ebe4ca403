#include "engine/collection.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "types/payload_json.h"

namespace akidb::engine {
namespace {

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 31337;
}

class CollectionTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "akidb_collection_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
              std::to_string(getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    collection_.reset();
    background_->Stop();
    std::filesystem::remove_all(folder_);
  }

  CollectionEnvironment Parts() { return {*fs_, *random_, *background_, *log_}; }
  CollectionOptions Options() {
    CollectionOptions options;
    options.directory = folder_ + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    options.head_rows_max = head_rows_max_;
    return options;
  }
  void Create(const CollectionConfig& config) {
    auto made = Collection::Create(Options(), config, Parts());
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    collection_ = *made;
  }
  void Reopen() {
    collection_.reset();
    auto opened = Collection::Open(Options(), Parts());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    collection_ = *opened;
  }

  static CollectionConfig OneVector(uint32_t dim, Metric metric) {
    CollectionConfig config;
    config.vectors[""] = {.dim = dim, .metric = metric};
    return config;
  }
  static Point MakePoint(uint64_t id, DenseVector vector, const std::string& json = "{}") {
    Point point;
    point.id = PointId(id);
    if (!vector.empty()) point.vectors = {{"", std::move(vector)}};
    point.payload = *ParsePayloadJson(json);
    return point;
  }
  Status Upsert(std::vector<Point> points) {
    return collection_->Upsert(context_, std::move(points)).status();
  }
  std::vector<uint64_t> SearchIds(DenseVector query, size_t limit,
                                  std::shared_ptr<const Filter> filter = nullptr) {
    SearchRequest request;
    request.query = query;
    request.limit = limit;
    request.filter = std::move(filter);
    auto hits = collection_->Search(context_, request);
    EXPECT_TRUE(hits.ok()) << hits.status().ToString();
    std::vector<uint64_t> ids;
    for (const Hit& hit : *hits) ids.push_back(hit.id.number());
    return ids;
  }
  uint64_t Count() { return *collection_->Count(context_, nullptr); }

  static std::shared_ptr<const Filter> Where(const char* key, int64_t value) {
    auto filter = std::make_shared<Filter>();
    filter->must.push_back(FieldCondition{*PayloadPath::Parse(key), MatchValue{value}});
    return filter;
  }

  size_t head_rows_max_ = 16384;
  std::string folder_;
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(1);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<Executor> background_ =
      std::make_unique<Executor>(ExecutorOptions{.name = "background"});
  RequestContext context_;
  std::shared_ptr<Collection> collection_;
};

TEST_F(CollectionTest, OpeningMayGiveWayAtAnyMoment) {
  head_rows_max_ = 4;
  Create(OneVector(2, Metric::kDot));
  for (uint64_t id = 1; id <= 11; ++id) ASSERT_TRUE(Upsert({MakePoint(id, {1, 0})}).ok());
  collection_.reset();
  size_t asked = 0;
  for (bool opened = false; !opened; ++asked) {
    size_t left = asked;
    auto found = Collection::Open(Options(), Parts(), [&] { return left-- == 0; });
    opened = found.ok();
    if (opened)
      collection_ = *found;
    else
      ASSERT_EQ(found.status().code(), ErrorCode::kCancelled) << found.status().ToString();
  }
  EXPECT_GE(asked, 5u);
  EXPECT_EQ(Count(), 11u);
  ASSERT_TRUE(Upsert({MakePoint(12, {1, 0})}).ok());
  Reopen();
  EXPECT_EQ(Count(), 12u);
}

TEST_F(CollectionTest, KeepsPointsOverARestart) {
  Create(OneVector(2, Metric::kDot));
  ASSERT_TRUE(
      Upsert({MakePoint(1, {1, 0}, R"({"n":1})"), MakePoint(2, {0, 1}, R"({"n":2})")}).ok());
  ASSERT_TRUE(Upsert({MakePoint(1, {3, 0}, R"({"n":3})")}).ok());
  std::vector<PointId> ids = {PointId(2)};
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Count(), 1u);
    RetrieveRequest request;
    request.ids = {PointId(2), PointId(1)};
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    auto records = collection_->Retrieve(context_, request);
    ASSERT_TRUE(records.ok());
    ASSERT_EQ(records->size(), 1u);
    EXPECT_EQ((*records)[0].payload->root().Member("n")->AsInt(), 3);
    EXPECT_EQ((*records)[0].vectors->at(0).second, (DenseVector{3, 0}));
    if (round == 1) ASSERT_TRUE(collection_->Seal().ok());
    Reopen();
  }
}

TEST_F(CollectionTest, AnIdThatAFilterNamesTwiceIsFoundOnce) {
  Create(OneVector(2, Metric::kDot));
  ASSERT_TRUE(Upsert({MakePoint(1, {1, 0}), MakePoint(2, {0, 1}), MakePoint(3, {1, 1})}).ok());
  auto filter = std::make_shared<Filter>();
  filter->must.push_back(HasIdCondition({PointId(2), PointId(1), PointId(2)}));
  for (bool sealed : {false, true}) {
    if (sealed) ASSERT_TRUE(collection_->Seal().ok());
    const DenseVector query = {1, 2};
    SearchRequest request;
    request.query = query;
    request.filter = filter;
    auto hits = collection_->Search(context_, request);
    ASSERT_TRUE(hits.ok());
    ASSERT_EQ(hits->size(), 2u) << sealed;
    EXPECT_EQ(hits->at(0).id, PointId(2));
    EXPECT_EQ(hits->at(1).id, PointId(1));
  }
}

TEST_F(CollectionTest, RefusesBadVectorsAndStoresNothing) {
  Create(OneVector(2, Metric::kCosine));
  float nan = std::nanf("");
  for (DenseVector vector :
       {DenseVector{1}, DenseVector{1, 2, 3}, DenseVector{1, nan}, DenseVector{INFINITY, 0}}) {
    Status status = Upsert({MakePoint(1, {1, 1}), MakePoint(2, vector)});
    EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  }
  Point named = MakePoint(1, {});
  named.vectors = {{"other", {1, 2}}};
  EXPECT_EQ(Upsert({named}).message(), "Not existing vector name error: other");
  named.vectors = {{"", {}}};
  EXPECT_EQ(Upsert({named}).message(), "Vector dimension error: expected dim: 2, got 0");
  EXPECT_EQ(Count(), 0u);
  EXPECT_EQ(collection_->stats().last_seq, 0u);
}

TEST_F(CollectionTest, CosineVectorsAreStoredAtUnitLengthAndZeroStaysZero) {
  Create(OneVector(2, Metric::kCosine));
  ASSERT_TRUE(Upsert({MakePoint(1, {3, 4}), MakePoint(2, {0, 0})}).ok());
  RetrieveRequest request;
  request.ids = {PointId(1), PointId(2)};
  request.with_vectors.mode = VectorSelector::Mode::kAll;
  auto records = collection_->Retrieve(context_, request);
  ASSERT_TRUE(records.ok());
  EXPECT_FLOAT_EQ((*records)[0].vectors->at(0).second[0], 0.6f);
  EXPECT_EQ((*records)[1].vectors->at(0).second, (DenseVector{0, 0}));
}

TEST_F(CollectionTest, DeletesByFilterAndScrollsInPages) {
  Create(OneVector(1, Metric::kEuclid));
  std::vector<Point> points;
  for (uint64_t id = 0; id < 100; ++id) {
    points.push_back(
        MakePoint(id, {static_cast<float>(id)}, R"({"even":)" + std::to_string(id % 2 == 0) + "}"));
  }
  ASSERT_TRUE(Upsert(std::move(points)).ok());
  ASSERT_TRUE(collection_->DeleteByFilter(context_, *Where("even", 1)).ok());
  EXPECT_EQ(Count(), 50u);
  ScrollRequest request;
  request.limit = 20;
  std::vector<uint64_t> ids;
  for (;;) {
    auto page = collection_->Scroll(context_, request);
    ASSERT_TRUE(page.ok());
    for (const PointRecord& record : page->points) ids.push_back(record.id.number());
    if (!page->next) break;
    request.offset = page->next;
  }
  ASSERT_EQ(ids.size(), 50u);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], 2 * i + 1);
}

TEST_F(CollectionTest, HugeLimitsAndOffsetsCostNothing) {
  Create(OneVector(1, Metric::kDot));
  ASSERT_TRUE(Upsert({MakePoint(1, {1}), MakePoint(2, {2})}).ok());
  EXPECT_EQ(SearchIds({1}, SIZE_MAX), (std::vector<uint64_t>{2, 1}));
  SearchRequest request;
  DenseVector query{1};
  request.query = query;
  request.limit = SIZE_MAX;
  request.offset = SIZE_MAX;
  EXPECT_TRUE(collection_->Search(context_, request)->empty());
}

TEST_F(CollectionTest, BatchLargerThanAHeadIsTakenWhole) {
  head_rows_max_ = 256;
  Create(OneVector(1, Metric::kDot));
  std::vector<Point> points;
  for (uint64_t id = 0; id < 2000; ++id) points.push_back(MakePoint(id, {1}));
  ASSERT_TRUE(Upsert(std::move(points)).ok());
  EXPECT_EQ(Count(), 2000u);
  ASSERT_TRUE(Upsert({MakePoint(5, {2})}).ok());
  Reopen();
  EXPECT_EQ(Count(), 2000u);
  EXPECT_EQ(SearchIds({1}, 1), (std::vector<uint64_t>{5}));
}

TEST_F(CollectionTest, ACancelledSearchStops) {
  Create(OneVector(1, Metric::kDot));
  ASSERT_TRUE(Upsert({MakePoint(1, {1})}).ok());
  RequestContext cancelled;
  cancelled.Cancel();
  SearchRequest request;
  DenseVector query{1};
  request.query = query;
  EXPECT_EQ(collection_->Search(cancelled, request).status().code(), ErrorCode::kCancelled);
}

// Random writes, seals and reopens against a map; every answer is compared.
TEST_F(CollectionTest, AgreesWithAMapUnderRandomOperations) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  head_rows_max_ = 256;
  Create(OneVector(4, Metric::kEuclid));
  struct Stored {
    DenseVector vector;
    int64_t group;
  };
  std::map<uint64_t, Stored> model;
  auto coordinate = [&] { return static_cast<float>(random() % 1000) / 100; };
  for (int step = 0; step < 1500; ++step) {
    switch (random() % 16) {
      case 0: {
        int64_t group = static_cast<int64_t>(random() % 50);
        ASSERT_TRUE(collection_->DeleteByFilter(context_, *Where("g", group)).ok());
        std::erase_if(model, [&](const auto& entry) { return entry.second.group == group; });
        break;
      }
      case 1: {
        std::vector<PointId> ids = {PointId(random() % 600), PointId(random() % 600)};
        ASSERT_TRUE(collection_->Delete(context_, ids).ok());
        for (PointId id : ids) model.erase(id.number());
        break;
      }
      case 2:
        if (random() % 8 == 0) ASSERT_TRUE(collection_->Seal().ok());
        if (random() % 16 == 0) Reopen();
        break;
      default: {
        std::vector<Point> points;
        for (uint64_t i = random() % 12; i > 0; --i) {
          uint64_t id = random() % 600;
          Stored stored{{coordinate(), coordinate(), coordinate(), coordinate()},
                        static_cast<int64_t>(random() % 50)};
          points.push_back(
              MakePoint(id, stored.vector, R"({"g":)" + std::to_string(stored.group) + "}"));
          model[id] = stored;
        }
        ASSERT_TRUE(Upsert(std::move(points)).ok());
      }
    }
    if (step % 10 != 0) continue;
    ASSERT_EQ(Count(), model.size()) << "step " << step;
    DenseVector query{coordinate(), coordinate(), coordinate(), coordinate()};
    int64_t group = static_cast<int64_t>(random() % 50);
    std::vector<std::pair<double, uint64_t>> all, filtered;
    for (const auto& [id, stored] : model) {
      double distance = 0;
      for (int i = 0; i < 4; ++i) distance += std::pow(double{query[i]} - stored.vector[i], 2);
      all.emplace_back(distance, id);
      if (stored.group == group) filtered.emplace_back(distance, id);
    }
    std::sort(all.begin(), all.end());
    std::sort(filtered.begin(), filtered.end());
    for (auto [expected, ids] : {std::pair(all, SearchIds(query, 5)),
                                 std::pair(filtered, SearchIds(query, 5, Where("g", group)))}) {
      ASSERT_EQ(ids.size(), std::min<size_t>(5, expected.size())) << "step " << step;
      for (size_t i = 0; i < ids.size(); ++i) {
        double distance = 0;
        for (int d = 0; d < 4; ++d) {
          distance += std::pow(double{query[d]} - model.at(ids[i]).vector[d], 2);
        }
        ASSERT_NEAR(distance, expected[i].first, 1e-4) << "step " << step;
      }
    }
  }
}

TEST_F(CollectionTest, ReadersSeeWholeBatchesWhileWritersRun) {
  head_rows_max_ = 512;
  Create(OneVector(1, Metric::kDot));
  // Every batch writes ids 0..9 with one value: a reader must never see two values.
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int64_t value = 1; value <= 300; ++value) {
      std::vector<Point> points;
      for (uint64_t id = 0; id < 10; ++id) {
        points.push_back(MakePoint(id, {1}, R"({"v":)" + std::to_string(value) + "}"));
      }
      EXPECT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
    }
    done = true;
  });
  int64_t last = 0;
  while (!done) {
    RetrieveRequest request;
    for (uint64_t id = 0; id < 10; ++id) request.ids.push_back(PointId(id));
    auto records = collection_->Retrieve(context_, request);
    ASSERT_TRUE(records.ok());
    if (records->empty()) continue;
    ASSERT_EQ(records->size(), 10u);
    int64_t value = (*records)[0].payload->root().Member("v")->AsInt();
    for (const PointRecord& record : *records) {
      ASSERT_EQ(record.payload->root().Member("v")->AsInt(), value);
    }
    ASSERT_GE(value, last);
    last = value;
  }
  writer.join();
}

// A filter's delete beside a writer that moves points in and out of the filter.
TEST_F(CollectionTest, DeleteByFilterJudgesPointsByTheirLatestWrite) {
  head_rows_max_ = 512;
  Create(OneVector(1, Metric::kDot));
  std::vector<Point> points;
  for (uint64_t id = 0; id < 3000; ++id) points.push_back(MakePoint(id, {1}, R"({"g":1})"));
  ASSERT_TRUE(Upsert(std::move(points)).ok());
  // Each id below 1000 ends with g = 2: written after the delete or spared by it.
  std::thread writer([&] {
    for (uint64_t id = 0; id < 1000; ++id) {
      EXPECT_TRUE(Upsert({MakePoint(id, {1}, R"({"g":2})")}).ok());
    }
  });
  while (collection_->stats().last_seq < 100) std::this_thread::yield();
  ASSERT_TRUE(collection_->DeleteByFilter(context_, *Where("g", 1)).ok());
  writer.join();
  EXPECT_EQ(Count(), 1000u);
  EXPECT_EQ(*collection_->Count(context_, Where("g", 2).get()), 1000u);
  Reopen();
  EXPECT_EQ(Count(), 1000u);
}

TEST_F(CollectionTest, ASegmentWithoutLivingRowsIsRemoved) {
  head_rows_max_ = 256;
  Create(OneVector(1, Metric::kDot));
  for (uint64_t batch = 0; batch < 4; ++batch) {
    std::vector<Point> points;
    for (uint64_t id = 0; id < 200; ++id) points.push_back(MakePoint(batch * 200 + id, {1}));
    ASSERT_TRUE(Upsert(std::move(points)).ok());
  }
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(collection_->stats().segments, 4u);
  std::vector<PointId> ids;
  for (uint64_t id = 100; id < 700; ++id) ids.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(collection_->stats().segments, 2u);
  EXPECT_EQ(Count(), 200u);
  size_t segments = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/c/seg")) {
    segments += entry.path().extension() == ".seg";
  }
  EXPECT_EQ(segments, 2u);
  Reopen();
  EXPECT_EQ(Count(), 200u);
}

}  // namespace
}  // namespace akidb::engine
