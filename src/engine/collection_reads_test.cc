// Reads that are no plain search, of heads and segments, against naive references: by several
// examples, in the order of a field, at random, counts of values.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "engine/collection_merge_fixture.h"
#include "engine/diversity.h"
#include "engine/naive_distance_fixture.h"
#include "engine/vector_index.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 6;
constexpr uint64_t kIds = 900;

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

// One of seven; now and then spelled in a way that an index doesn't hold.
std::string UuidOf(uint64_t id) {
  const std::string digit = std::to_string(id % 7);
  return id % 10 == 9 ? "936DA01F9ABD4D9D80C702AF85C822A" + digit
                      : "936da01f-9abd-4d9d-80c7-02af85c822a" + digit;
}

struct Stored {
  DenseVector vector;      // empty: none
  std::vector<int64_t> n;  // of "n", in any order
  std::vector<std::string> tags;
};

class CollectionReadsTest : public CollectionMergeFixture,
                            public testing::WithParamInterface<Metric> {
 protected:
  CollectionReadsTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 2718;
    generator_.seed(seed_);
    config_.vectors.clear();
    config_.vectors["v"] = {.dim = kDim, .metric = GetParam()};
    UseIndexer(MakeVectorIndexer({.graph_rows_min = 200}, *log_));
  }

  uint64_t Pick(uint64_t n) { return generator_() % n; }

  DenseVector RandomVector() {
    DenseVector vector(kDim);
    for (float& x : vector) x = static_cast<float>(Pick(2001)) / 1000 - 1;
    return vector;
  }

  void WriteSome(int batches) {
    for (int batch = 0; batch < batches; ++batch) {
      std::vector<Point> points;
      for (int i = 0; i < 40; ++i) {
        const uint64_t id = Pick(kIds);
        Stored stored;
        for (uint64_t j = Pick(3); j > 0; --j)
          stored.n.push_back(static_cast<int64_t>(Pick(60)) - 20);
        for (uint64_t j = Pick(3); j > 0; --j) stored.tags.push_back("t" + std::to_string(Pick(9)));
        // Indexes know what they don't hold, and not every row has such values.
        const bool mixed = id % 3 == 0;
        std::vector<std::string> numbers;
        if (mixed) numbers = {"1.5", "\"x\""};
        for (int64_t n : stored.n) numbers.push_back(std::to_string(n));
        std::vector<std::string> tags;
        if (mixed) tags = {"7"};
        for (const std::string& tag : stored.tags) tags.push_back("\"" + tag + "\"");
        const std::string json = R"({"g":)" + std::to_string(id % 5) + R"(,"n":[)" +
                                 Joined(numbers) + R"(],"tags":[)" + Joined(tags) + R"(],"b":)" +
                                 (id % 2 == 0 ? "true" : "false") + R"(,"u":")" + UuidOf(id) + "\"";
        Point point;
        point.id = PointId(id);
        point.payload = *ParsePayloadJson(json + "}");
        if (Pick(6) != 0) {
          stored.vector = RandomVector();
          point.vectors = {{"v", stored.vector}};
        }
        stored_[id] = std::move(stored);
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
      const uint64_t dead = Pick(kIds);
      stored_.erase(dead);
      ASSERT_TRUE(collection_->Delete(context_, std::vector<PointId>{PointId(dead)}).ok());
    }
  }
  // Points in segments, in heads, killed and replaced.
  void Fill() {
    Create();
    ASSERT_TRUE(collection_->PutPayloadIndex(context_, "n", {PayloadFieldKind::kInteger, {}}).ok());
    ASSERT_TRUE(
        collection_->PutPayloadIndex(context_, "tags", {PayloadFieldKind::kKeyword, {}}).ok());
    for (int round = 0; round < 3; ++round) {
      ASSERT_NO_FATAL_FAILURE(WriteSome(10));
      ASSERT_TRUE(collection_->Seal().ok());
    }
    ASSERT_NO_FATAL_FAILURE(WriteSome(3));
    ChangeSome();
  }

  // Payloads that replace those of segments and of heads.
  void ChangeSome() {
    PointSelector some;
    for (auto& [id, stored] : stored_) {
      if (id % 4 != 1) continue;
      some.ids.push_back(PointId(id));
      stored.tags = {"changed", std::string(2000, 'x')};
    }
    Payload tags =
        *ParsePayloadJson(R"({"tags":["changed","changed",")" + std::string(2000, 'x') + "\"]}");
    ASSERT_TRUE(collection_->ChangePayloads(context_, some, SetPayload{std::move(tags), {}}).ok());
  }

  // One of: nothing, a field, ids.
  std::shared_ptr<const Filter> RandomFilter(std::set<uint64_t>& admitted) {
    const uint64_t kind = Pick(3);
    auto filter = std::make_shared<Filter>();
    std::vector<PointId> ids;
    for (const auto& [id, stored] : stored_) {
      if (kind == 1 && id % 5 != 2) continue;
      if (kind == 2 && Pick(4) != 0) continue;
      admitted.insert(id);
      ids.push_back(PointId(id));
    }
    if (kind == 1) {
      filter->must.push_back(FieldCondition{*PayloadPath::Parse("g"), MatchValue{int64_t{2}}});
    } else if (kind == 2) {
      ids.push_back(PointId(kIds + 1));
      filter->must.push_back(HasIdCondition(std::move(ids)));
    }
    return filter;
  }

  uint64_t seed_;
  std::mt19937_64 generator_;
  std::map<uint64_t, Stored> stored_;
};

TEST_P(CollectionReadsTest, ExamplesAreComparedWithEveryPoint) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(Fill());
  for (int round = 0; round < 20; ++round) {
    const ExampleScore scores[] = {
        ExampleScore::Best(2), ExampleScore::Sum(3), ExampleScore::Discover(),
        ExampleScore::Feedback({1, 2, 3}, std::vector<float>{0.5f, 0.25f, 1, 0})};
    ExampleQuery query{scores[round % 4], {}};
    for (int i = 0; i < 5; ++i) query.vectors.push_back(RandomVector());
    std::set<uint64_t> admitted;
    SearchRequest request;
    request.vector_name = "v";
    request.filter = RandomFilter(admitted);
    request.examples = std::make_shared<const ExampleQuery>(query);
    request.limit = 1 + Pick(30);
    request.offset = Pick(3);
    std::map<uint64_t, float> expected;
    for (uint64_t id : admitted) {
      const DenseVector& vector = stored_[id].vector;
      if (vector.empty()) continue;
      std::vector<float> similarities;
      for (const DenseVector& example : query.vectors) {
        similarities.push_back(static_cast<float>(-NaiveDistance(GetParam(), example, vector)));
      }
      expected[id] = query.score.Of(similarities);
    }
    std::vector<float> order;
    for (const auto& [id, score] : expected) order.push_back(score);
    std::sort(order.rbegin(), order.rend());
    auto hits = collection_->Search(context_, request);
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    const size_t left = order.size() - std::min(order.size(), request.offset);
    ASSERT_EQ(hits->size(), std::min(left, request.limit));
    for (size_t i = 0; i < hits->size(); ++i) {
      const float score = -(*hits)[i].distance;
      ASSERT_NEAR(score, expected.at((*hits)[i].id.number()), 1e-4);
      ASSERT_NEAR(score, order[i + request.offset], 1e-4);
    }
  }
}

TEST_P(CollectionReadsTest, PointsComeInTheOrderOfAField) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(Fill());
  for (int round = 0; round < 20; ++round) {
    std::set<uint64_t> admitted;
    ScrollRequest request;
    request.filter = RandomFilter(admitted);
    request.limit = 1 + Pick(60);
    request.order_by = OrderBy{"n", round % 2 == 1, std::nullopt};
    if (round % 3 == 1) request.order_by->start_from = static_cast<int64_t>(Pick(40));
    if (round % 3 == 2) request.order_by->start_from = static_cast<double>(Pick(40)) + 0.5;
    std::vector<std::pair<int64_t, uint64_t>> expected;
    for (uint64_t id : admitted) {
      for (int64_t n : std::set<int64_t>(stored_[id].n.begin(), stored_[id].n.end())) {
        const auto& from = request.order_by->start_from;
        const double start =
            from ? std::visit([](auto x) { return static_cast<double>(x); }, *from) : n;
        const bool is_wanted = round % 2 == 1 ? n <= start : n >= start;
        if (is_wanted) expected.emplace_back(n, id);
      }
    }
    std::sort(expected.begin(), expected.end());
    if (round % 2 == 1) std::reverse(expected.begin(), expected.end());
    if (expected.size() > request.limit) expected.resize(request.limit);
    auto page = collection_->Scroll(context_, request);
    ASSERT_TRUE(page.ok()) << page.status().ToString();
    ASSERT_EQ(page->points.size(), expected.size());
    ASSERT_EQ(page->order_values.size(), expected.size());
    EXPECT_FALSE(page->next);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(page->order_values[i], OrderValue(expected[i].first));
      EXPECT_EQ(page->points[i].id, PointId(expected[i].second));
    }
  }
  ScrollRequest request;
  request.order_by = OrderBy{"tags", false, std::nullopt};
  EXPECT_EQ(collection_->Scroll(context_, request).status().message(),
            "No range index for `order_by` key: `tags`. Please create one to use `order_by`");
}

TEST_P(CollectionReadsTest, ASampleIsOfWhatTheFilterAdmitsEachPointOnce) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(Fill());
  std::map<uint64_t, int> chosen;
  for (int round = 0; round < 40; ++round) {
    std::set<uint64_t> admitted;
    SampleRequest request;
    request.filter = RandomFilter(admitted);
    request.limit = round % 4 == 0 ? SIZE_MAX : 25;
    auto sample = collection_->Sample(context_, request);
    ASSERT_TRUE(sample.ok()) << sample.status().ToString();
    EXPECT_EQ(sample->size(), std::min(admitted.size(), request.limit));
    std::set<PointId> once;
    for (const PointRecord& record : *sample) {
      EXPECT_TRUE(admitted.contains(record.id.number()));
      EXPECT_TRUE(once.insert(record.id).second);
      if (request.limit == 25) ++chosen[record.id.number()];
    }
  }
  // 30 samples of 25 of some hundred points: were it always the same ones, these would be few.
  EXPECT_GT(chosen.size(), stored_.size() / 3);
}

TEST_P(CollectionReadsTest, ValuesAreCountedOnceAPoint) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(Fill());
  for (int round = 0; round < 12; ++round) {
    std::set<uint64_t> admitted;
    FacetRequest request;
    request.key = round % 2 == 0 ? "tags" : "n";
    request.filter = RandomFilter(admitted);
    request.limit = 1 + Pick(12);
    std::map<MatchScalar, uint64_t> counts;
    for (uint64_t id : admitted) {
      const Stored& stored = stored_[id];
      std::set<MatchScalar> values;
      if (round % 2 == 0) {
        values.insert(stored.tags.begin(), stored.tags.end());
      } else {
        values.insert(stored.n.begin(), stored.n.end());
      }
      for (const MatchScalar& value : values) ++counts[value];
    }
    std::vector<std::pair<MatchScalar, uint64_t>> expected(counts.begin(), counts.end());
    std::stable_sort(expected.begin(), expected.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    if (expected.size() > request.limit) expected.resize(request.limit);
    auto hits = collection_->Facet(context_, request);
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    ASSERT_EQ(hits->size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ((*hits)[i].value, expected[i].first);
      EXPECT_EQ((*hits)[i].count, expected[i].second);
    }
  }
  FacetRequest request;
  request.key = "g";
  EXPECT_EQ(collection_->Facet(context_, request).status().message(),
            "No appropriate index for faceting: `g`. Please create one to facet on this field");
}

TEST_P(CollectionReadsTest, TruthsAndUuidsAreCountedWithAndWithoutTheirIndexes) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  ASSERT_NO_FATAL_FAILURE(Fill());
  ASSERT_TRUE(collection_->PutPayloadIndex(context_, "b", {PayloadFieldKind::kBool, {}}).ok());
  ASSERT_TRUE(collection_->PutPayloadIndex(context_, "u", {PayloadFieldKind::kUuid, {}}).ok());
  std::map<std::string, std::map<MatchScalar, uint64_t>> expected;
  for (const auto& [id, stored] : stored_) {
    ++expected["b"][id % 2 == 0];
    ++expected["u"]["936da01f-9abd-4d9d-80c7-02af85c822a" + std::to_string(id % 7)];
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& [key, counts] : expected) {
      FacetRequest request;
      request.key = key;
      auto hits = collection_->Facet(context_, request);
      ASSERT_TRUE(hits.ok()) << hits.status().ToString();
      ASSERT_EQ(hits->size(), counts.size()) << key;
      for (const FacetHit& hit : *hits) EXPECT_EQ(hit.count, counts.at(hit.value)) << key;
    }
    ASSERT_TRUE(collection_->Merge().ok());
  }
  EXPECT_GT(collection_->stats().merged_rows, 0u);
}

TEST_P(CollectionReadsTest, AReadOfEverythingStopsWhenItIsCancelled) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  RequestContext cancelled;
  cancelled.Cancel();
  ScrollRequest scroll;
  scroll.order_by = OrderBy{"n", false, std::nullopt};
  EXPECT_EQ(collection_->Scroll(cancelled, scroll).status().code(), ErrorCode::kCancelled);
  FacetRequest facet;
  facet.key = "n";
  EXPECT_EQ(collection_->Facet(cancelled, facet).status().code(), ErrorCode::kCancelled);
  SearchRequest search;
  search.vector_name = "v";
  search.examples =
      std::make_shared<const ExampleQuery>(ExampleQuery{ExampleScore::Best(1), {RandomVector()}});
  EXPECT_EQ(collection_->Search(cancelled, search).status().code(), ErrorCode::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(EveryMetric, CollectionReadsTest,
                         testing::Values(Metric::kCosine, Metric::kDot, Metric::kEuclid,
                                         Metric::kManhattan));

TEST(PickDiverse, BeginsWithTheNearestAndThenAvoidsWhatItHas) {
  RequestContext context;
  CollectionConfig config;
  config.vectors["v"] = {.dim = 2, .metric = Metric::kDot};
  const std::string name = "v";
  const DenseVector query{1, 0};
  const std::vector<DenseVector> candidates = {{0.5f, 0}, {1, 0}, {0.9f, 0}, {0.8f, -0.8f}};
  const auto picks = [&](float lambda, size_t limit) {
    return *PickDiverse(context, config, {name, query, lambda, limit}, candidates);
  };
  EXPECT_EQ(picks(1, 9), (std::vector<size_t>{1, 2, 3, 0}));
  EXPECT_EQ(picks(0, 2), (std::vector<size_t>{1, 0}));
  EXPECT_EQ(picks(0.5f, 0), std::vector<size_t>());
  EXPECT_EQ(PickDiverse(context, config, {name, query, 1, 3}, {})->size(), 0u);
}

TEST(PickDiverse, RowsOfACandidateSeekTheirLikeInWhatWasPicked) {
  RequestContext context;
  CollectionConfig config;
  config.vectors["v"] = {.dim = 2, .metric = Metric::kDot, .multivector = true};
  const std::string name = "v";
  const auto rows = [](std::vector<float> values) {
    return DenseVector::OfRows(std::move(values), 2);
  };
  // The second finds 0.9 of itself in the first, which finds 1.8 in the second.
  const std::vector<DenseVector> candidates = {rows({1, 0, 1, 0}), rows({0.9f, 0}),
                                               rows({0.85f, 0, 0.2f, 0})};
  const std::vector<size_t> picks =
      *PickDiverse(context, config, {name, rows({1, 0}), 0.01f, 3}, candidates);
  EXPECT_EQ(picks, (std::vector<size_t>{0, 1, 2}));
}

}  // namespace
}  // namespace akidb::engine
