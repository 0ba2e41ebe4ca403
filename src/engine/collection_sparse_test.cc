// Sparse vectors in the head, in segments, merged and reopened, against a naive reference in double
// precision.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "engine/collection_merge_fixture.h"
#include "engine/vector_index.h"

namespace akidb::engine {
namespace {

using Components = std::map<uint32_t, float>;

DenseVector VectorOf(const Components& components) {
  DenseVector vector = DenseVector::AtIndices({}, {});
  for (const auto& [index, value] : components) {
    vector.indices->push_back(index);
    vector.push_back(value);
  }
  return vector;
}

class CollectionSparseTest : public CollectionMergeFixture,
                             public testing::WithParamInterface<bool> {
 protected:
  CollectionSparseTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 881;
    generator_.seed(seed_);
    config_.vectors.clear();
    config_.vectors["plain"] = {.dim = 2, .metric = Metric::kDot};
    config_.vectors["words"] = VectorConfig::Sparse(GetParam());
    UseIndexer(MakeVectorIndexer({.graph_rows_min = 200}, *log_));
  }

  Components RandomComponents() {
    Components components;
    const size_t count = generator_() % 12;  // 0 at times
    for (size_t i = 0; i < count; ++i) {
      const uint32_t index =
          generator_() % 2 == 0 ? generator_() % 6 : ~static_cast<uint32_t>(generator_() % 300);
      components[index] = static_cast<float>(generator_() % 4000) / 500 - 2;
    }
    return components;
  }

  void WriteSome(int batches) {
    for (int batch = 0; batch < batches; ++batch) {
      std::vector<Point> points;
      for (int i = 0; i < 40; ++i) {
        Point point;
        const uint64_t id = generator_() % 900;
        point.id = PointId(id);
        point.payload = *ParsePayloadJson(R"({"g":)" + std::to_string(id % 7) + "}");
        point.vectors = {{"plain", {1, 2}}};
        stored_.erase(id);
        if (generator_() % 5 != 0) {
          stored_[id] = RandomComponents();
          DenseVector vector = VectorOf(stored_[id]);
          if (generator_() % 2 == 0) {
            std::reverse(vector.begin(), vector.end());
            std::reverse(vector.indices->begin(), vector.indices->end());
          }
          point.vectors.emplace_back("words", std::move(vector));
        }
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
      const uint64_t dead = generator_() % 900;
      stored_.erase(dead);
      ASSERT_TRUE(collection_->Delete(context_, std::vector<PointId>{PointId(dead)}).ok());
    }
  }

  static std::shared_ptr<const Filter> OfGroup(uint64_t group) {
    auto filter = std::make_shared<Filter>();
    filter->must.push_back(
        FieldCondition{*PayloadPath::Parse("g"), MatchValue{static_cast<int64_t>(group)}});
    return filter;
  }

  // By how rare the index is among the points of a group, or all.
  double WeightOf(uint32_t index, float value, std::optional<uint64_t> group) const {
    if (!GetParam()) return static_cast<double>(value);
    double having = 0;
    double all = 0;
    for (const auto& [id, components] : stored_) {
      if (group && id % 7 != *group) continue;
      ++all;
      having += components.contains(index) ? 1 : 0;
    }
    return static_cast<double>(value) * std::log((all - having + 0.5) / (having + 0.5) + 1);
  }

  static std::optional<double> Score(const std::map<uint32_t, double>& query,
                                     const Components& components) {
    std::optional<double> score;
    for (const auto& [index, weight] : query) {
      const auto found = components.find(index);
      if (found == components.end()) continue;
      score = score.value_or(0) + weight * static_cast<double>(found->second);
    }
    return score;
  }

  void Compare(const std::string& when) {
    SCOPED_TRACE(when);
    for (int round = 0; round < 8; ++round) {
      const Components query = RandomComponents();
      const DenseVector vector = VectorOf(query);
      std::map<uint32_t, double> weights;
      std::optional<uint64_t> corpus;
      if (round % 4 >= 2) corpus = generator_() % 7;
      for (const auto& [index, value] : query) weights[index] = WeightOf(index, value, corpus);
      SearchRequest request;
      if (corpus) request.idf_corpus = OfGroup(*corpus);
      request.vector_name = "words";
      request.SearchBy(vector);
      request.limit = 20;
      request.with_vectors = {VectorSelector::Mode::kNamed, {"words"}};
      const bool filtered = round % 2 == 1;
      if (filtered) request.filter = OfGroup(3);
      std::map<uint64_t, double> expected;
      std::vector<double> order;
      for (const auto& [id, components] : stored_) {
        if (filtered && id % 7 != 3) continue;
        const std::optional<double> score = Score(weights, components);
        if (!score) continue;
        expected[id] = *score;
        order.push_back(-*score);
      }
      std::sort(order.begin(), order.end());
      auto hits = collection_->Search(context_, request);
      ASSERT_TRUE(hits.ok()) << hits.status().ToString();
      ASSERT_EQ(hits->size(), std::min<size_t>(20, expected.size()));
      for (size_t i = 0; i < hits->size(); ++i) {
        const Hit& hit = (*hits)[i];
        ASSERT_TRUE(expected.contains(hit.id.number()));
        ASSERT_NEAR(-hit.distance, expected.at(hit.id.number()), 1e-4);
        ASSERT_NEAR(hit.distance, order[i], 1e-4);
        ASSERT_EQ(hit.vectors->at(0).second, VectorOf(stored_.at(hit.id.number())));
      }
    }
  }

  uint64_t seed_;
  std::mt19937_64 generator_;
  std::map<uint64_t, Components> stored_;
};

TEST_P(CollectionSparseTest, AnswersAsANaiveReferenceWhereverPointsLie) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  Create();
  ASSERT_NO_FATAL_FAILURE(WriteSome(4));
  ASSERT_NO_FATAL_FAILURE(Compare("in the head"));
  Reopen();
  ASSERT_NO_FATAL_FAILURE(Compare("replayed"));
  for (int round = 0; round < 4; ++round) {
    ASSERT_NO_FATAL_FAILURE(WriteSome(12));
    ASSERT_TRUE(collection_->Seal().ok());
    ASSERT_NO_FATAL_FAILURE(WriteSome(2));
    ASSERT_NO_FATAL_FAILURE(Compare("in segments and the head"));
  }
  clock_.Advance(std::chrono::seconds(20));
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_GT(collection_->stats().merged_rows, 0u);
  EXPECT_GT(collection_->stats().memory.sparse_indexes, 0u);
  EXPECT_FALSE(collection_->stats().merge_due);
  ASSERT_NO_FATAL_FAILURE(Compare("merged"));
  Reopen();
  ASSERT_NO_FATAL_FAILURE(Compare("reopened"));
  std::vector<Point> changes;
  for (uint64_t id = 0; id < 100; ++id) {
    changes.emplace_back();
    changes.back().id = PointId(id);
    changes.back().vectors = {{"plain", {5, 6}}};
  }
  ASSERT_TRUE(collection_->UpdateVectors(context_, std::move(changes), nullptr).ok());
  ASSERT_NO_FATAL_FAILURE(Compare("with another vector changed"));
  PointSelector some;
  for (uint64_t id = 100; id < 300; ++id) {
    some.ids.push_back(PointId(id));
    stored_.erase(id);
  }
  ASSERT_TRUE(collection_->DeleteVectors(context_, some, std::vector<std::string>{"words"}).ok());
  ASSERT_NO_FATAL_FAILURE(Compare("with vectors removed"));
}

TEST_P(CollectionSparseTest, VectorsWithoutComponentsAreKept) {
  Create();
  Point point;
  point.id = PointId(1);
  point.vectors = {{"words", DenseVector::AtIndices({}, {})}};
  ASSERT_TRUE(collection_->Upsert(context_, {point}).ok());
  const auto check = [&](const char* when) {
    RetrieveRequest request;
    request.ids = {PointId(1)};
    request.with_vectors = {VectorSelector::Mode::kAll, {}};
    auto records = collection_->Retrieve(context_, request);
    ASSERT_TRUE(records.ok()) << when;
    ASSERT_EQ(records->at(0).vectors->size(), 1u) << when;
    EXPECT_EQ(records->at(0).vectors->at(0).second, point.vectors[0].second) << when;
  };
  ASSERT_NO_FATAL_FAILURE(check("in the head"));
  Reopen();
  ASSERT_NO_FATAL_FAILURE(check("replayed"));
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_NO_FATAL_FAILURE(check("in a segment"));
  Reopen();
  ASSERT_NO_FATAL_FAILURE(check("reopened"));
}

TEST_P(CollectionSparseTest, RefusesWhatIsNoSparseVector) {
  Create();
  const auto code = [&](const char* name, DenseVector vector) {
    Point point;
    point.id = PointId(1);
    point.vectors = {{name, std::move(vector)}};
    return collection_->Upsert(context_, {point}).status().code();
  };
  EXPECT_EQ(code("words", {1, 2}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("words", DenseVector::OfRows({1, 2}, 2)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("plain", DenseVector::AtIndices({1, 2}, {1, 2})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("words", DenseVector::AtIndices({1, 1}, {1, 2})), ErrorCode::kValidation);
  EXPECT_EQ(code("words", DenseVector::AtIndices({2, 1, 2}, {1, 2, 3})), ErrorCode::kValidation);
  EXPECT_EQ(code("words", DenseVector::AtIndices({1}, {1, 2})), ErrorCode::kValidation);
  EXPECT_EQ(code("words", DenseVector::AtIndices({1}, {NAN})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("none", DenseVector::AtIndices({1}, {1})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("words", DenseVector::AtIndices({2, 1}, {1, 2})), ErrorCode::kOk);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutIdf, CollectionSparseTest, testing::Bool());

}  // namespace
}  // namespace akidb::engine
