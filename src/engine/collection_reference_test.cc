// Answers of a collection whose rows are spread over segments, merged and not, frozen heads and the
// head, with tombstones in all of them, against a naive reference in double precision.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <random>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/alarms.h"
#include "engine/collection.h"
#include "engine/naive_distance_fixture.h"
#include "types/payload_json.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 19;

struct Stored {
  std::map<std::string, DenseVector> vectors;  // as given, rounded to the datatype
  int64_t group = 0;
};

struct Kind {
  Metric metric;
  VectorDatatype datatype;
};

// How the wire would show it, but for signs and roots. Halves of a cosine are at unit length but
// for their rounding, and taken as they are.
double Distance(const Kind& kind, const DenseVector& a, const DenseVector& b) {
  const bool halves = kind.metric == Metric::kCosine && kind.datatype == VectorDatatype::kFloat16;
  return NaiveDistance(halves ? Metric::kDot : kind.metric, a, b);
}

// What is stored of a vector: a half has 11 binary digits, and none below 2^-24.
DenseVector AsStored(const Kind& kind, DenseVector vector) {
  if (kind.datatype == VectorDatatype::kUint8) {
    for (float& x : vector) x = x <= 0 ? 0 : x >= 255 ? 255 : std::floor(x);
  }
  if (kind.datatype != VectorDatatype::kFloat16) return vector;
  double length = 1;
  if (kind.metric == Metric::kCosine) {
    double squared = 0;
    for (float x : vector) squared += static_cast<double>(x) * static_cast<double>(x);
    length = std::sqrt(squared);
  }
  for (float& x : vector) {
    int exponent = 0;
    const double value = static_cast<double>(x) / length;
    std::frexp(value, &exponent);
    const double unit = std::ldexp(1, std::max(exponent - 11, -24));
    x = static_cast<float>(std::nearbyint(value / unit) * unit);
  }
  return vector;
}

class CollectionReferenceTest : public testing::TestWithParam<Kind> {
 protected:
  CollectionReferenceTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 8128;
    random_.seed(seed_);
    folder_ = testing::TempDir() + "akidb_reference_" +
              std::to_string(static_cast<int>(GetParam().metric)) + "_" +
              std::to_string(static_cast<int>(GetParam().datatype)) + "_" +
              std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    CollectionConfig config;
    for (const char* name : {"a", "b"}) {
      config.vectors[name] = {
          .dim = kDim, .metric = GetParam().metric, .datatype = GetParam().datatype};
    }
    CollectionOptions options;
    options.directory = folder_ + "/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    options.head_rows_max = 512;
    options.merge_policy.resting_max = 3;
    options.merge_policy.busy_more = 0;
    auto made = Collection::Create(options, config,
                                   {.fs = *fs_,
                                    .random = *uuids_,
                                    .background = background_,
                                    .log = *log_,
                                    .reserve = nullptr,
                                    .optimizer = &optimizer_,
                                    .alarms = &alarms_,
                                    .indexer = nullptr});
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    collection_ = std::move(made).value();
  }
  ~CollectionReferenceTest() override {
    collection_.reset();
    optimizer_.Stop();
    background_.Stop();
    std::filesystem::remove_all(folder_);
  }

  DenseVector RandomVector() {
    std::normal_distribution<float> normal;
    DenseVector vector(kDim);
    // Some components of a uint8 vector are beyond its range on both sides.
    const bool bytes = GetParam().datatype == VectorDatatype::kUint8;
    for (float& x : vector) x = bytes ? 100 + 80 * normal(random_) : normal(random_);
    return vector;
  }

  PointId RandomId() {
    uint64_t number = random_() % 1500;
    if (number % 3 != 0) return PointId(number);
    std::array<std::byte, 16> bytes{};
    bytes[0] = static_cast<std::byte>(number);
    bytes[1] = static_cast<std::byte>(number >> 8);
    return PointId(Uuid::FromRandom(bytes));
  }

  void WriteSome(int batches) {
    for (int batch = 0; batch < batches; ++batch) {
      std::vector<Point> points;
      for (int i = 0; i < 40; ++i) {
        Stored stored;
        if (random_() % 5 != 0) stored.vectors["a"] = RandomVector();
        if (random_() % 2 != 0) stored.vectors["b"] = RandomVector();
        stored.group = static_cast<int64_t>(random_() % 10);
        Point point;
        point.id = RandomId();
        for (auto& [name, vector] : stored.vectors) {
          point.vectors.emplace_back(name, vector);
          vector = AsStored(GetParam(), vector);
        }
        point.payload = *ParsePayloadJson(R"({"g":)" + std::to_string(stored.group) + "}");
        model_[point.id] = stored;
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
      std::vector<PointId> ids = {RandomId(), RandomId(), RandomId()};
      for (PointId id : ids) model_.erase(id);
      ASSERT_TRUE(collection_->Delete(context_, ids).ok());
    }
  }

  void Compare(const std::string& name, std::optional<int64_t> group) {
    const DenseVector given = RandomVector();
    const DenseVector query = AsStored(GetParam(), given);
    std::vector<double> expected;
    for (const auto& [id, stored] : model_) {
      auto vector = stored.vectors.find(name);
      if (vector == stored.vectors.end() || (group && stored.group != *group)) continue;
      expected.push_back(Distance(GetParam(), query, vector->second));
    }
    std::sort(expected.begin(), expected.end());
    SearchRequest request;
    request.vector_name = name;
    request.query = given;
    request.with_vectors = {VectorSelector::Mode::kNamed, {name}};
    request.limit = 25;
    request.offset = random_() % 5;
    if (group) {
      auto filter = std::make_shared<Filter>();
      filter->must.push_back(FieldCondition{*PayloadPath::Parse("g"), MatchValue{*group}});
      request.filter = std::move(filter);
    }
    auto hits = collection_->Search(context_, request);
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    size_t left = expected.size() - std::min(expected.size(), request.offset);
    ASSERT_EQ(hits->size(), std::min<size_t>(25, left));
    for (size_t i = 0; i < hits->size(); ++i) {
      const Hit& hit = (*hits)[i];
      const Stored& stored = model_.at(hit.id);
      double own = Distance(GetParam(), query, stored.vectors.at(name));
      // A component whose half is decided by the last place of its length may go either way.
      const bool rounded = GetParam().datatype == VectorDatatype::kFloat16;
      const double error_max = (rounded ? 5e-4 : 1e-4) + 1e-6 * std::abs(own);
      ASSERT_NEAR(hit.distance, own, error_max);
      ASSERT_NEAR(own, expected[i + request.offset], error_max) << "rank " << i;
      if (GetParam().metric != Metric::kCosine || GetParam().datatype == VectorDatatype::kUint8) {
        ASSERT_EQ(hit.vectors->at(0).second, stored.vectors.at(name));
      }
      if (group) ASSERT_EQ(stored.group, *group);
    }
  }

  void CompareAll() {
    ASSERT_EQ(*collection_->Count(context_, nullptr), model_.size());
    for (int round = 0; round < 20; ++round) {
      for (const char* name : {"a", "b"}) {
        ASSERT_NO_FATAL_FAILURE(Compare(name, std::nullopt));
        ASSERT_NO_FATAL_FAILURE(Compare(name, static_cast<int64_t>(random_() % 10)));
      }
    }
  }

  uint64_t seed_;
  std::mt19937_64 random_;
  std::string folder_;
  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<env::Random> uuids_ = env::MakeSystemRandom();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<env::Clock> clock_ = env::MakeSystemClock();
  Alarms alarms_{*clock_};
  Executor background_{ExecutorOptions{.name = "background"}};
  Executor optimizer_{ExecutorOptions{.name = "optimizer"}};
  RequestContext context_;
  std::shared_ptr<Collection> collection_;
  std::map<PointId, Stored> model_;
};

TEST_P(CollectionReferenceTest, SegmentsFrozenHeadsAndHeadAnswerAsOne) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(WriteSome(40));
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_NO_FATAL_FAILURE(CompareAll());
  // With the background thread held up, full heads stay frozen.
  std::promise<void> go_on;
  std::promise<void> held_up;
  ASSERT_TRUE(background_
                  .Submit([&] {
                    held_up.set_value();
                    go_on.get_future().wait();
                  })
                  .ok());
  held_up.get_future().wait();
  WriteSome(30);
  CollectionStats stats = collection_->stats();
  EXPECT_GE(stats.segments, 1u);
  EXPECT_GT(stats.head_rows, 1024u);
  CompareAll();
  go_on.set_value();
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_TRUE(collection_->Seal().ok());
  EXPECT_EQ(collection_->stats().head_rows, 0u);
  ASSERT_NO_FATAL_FAILURE(CompareAll());
}

// Merges begin and end wherever they do, and now and then the test waits for them.
TEST_P(CollectionReferenceTest, MergesAtRandomPointsChangeNoAnswer) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  for (int round = 0; round < 24; ++round) {
    ASSERT_NO_FATAL_FAILURE(WriteSome(1 + static_cast<int>(random_() % 6)));
    if (random_() % 2 == 0) ASSERT_TRUE(collection_->Seal().ok());
    if (random_() % 3 == 0) ASSERT_TRUE(collection_->Merge().ok());
    ASSERT_NO_FATAL_FAILURE(Compare("a", std::nullopt));
    ASSERT_NO_FATAL_FAILURE(Compare("b", static_cast<int64_t>(random_() % 10)));
    if (round % 6 == 5) ASSERT_NO_FATAL_FAILURE(CompareAll());
  }
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_LE(collection_->stats().segments, 3u);
  EXPECT_GT(collection_->stats().merged_rows, 0u);
  ASSERT_NO_FATAL_FAILURE(CompareAll());
}

std::vector<Kind> EveryKind() {
  std::vector<Kind> kinds;
  for (VectorDatatype datatype :
       {VectorDatatype::kFloat32, VectorDatatype::kFloat16, VectorDatatype::kUint8}) {
    for (Metric metric : {Metric::kCosine, Metric::kDot, Metric::kEuclid, Metric::kManhattan}) {
      kinds.push_back({metric, datatype});
    }
  }
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(EveryKind, CollectionReferenceTest, testing::ValuesIn(EveryKind()));

}  // namespace
}  // namespace akidb::engine
