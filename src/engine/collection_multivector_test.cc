// Multivectors in the head, in segments, merged and reopened, against a naive reference in double
// precision.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "engine/collection_merge_fixture.h"
#include "engine/naive_distance_fixture.h"
#include "engine/vector_index.h"

namespace akidb::engine {
namespace {

constexpr uint32_t kDim = 6;

struct Kind {
  Metric metric;
  VectorDatatype datatype;
};

double MaxSimDistance(Metric metric, const DenseVector& query, const DenseVector& rows) {
  double sum = 0;
  for (size_t q = 0; q < query.size(); q += kDim) {
    double nearest = INFINITY;
    for (size_t r = 0; r < rows.size(); r += kDim) {
      nearest = std::min(nearest,
                         NaiveDistance(metric, {query.data() + q, kDim}, {rows.data() + r, kDim}));
    }
    sum += nearest;
  }
  return sum;
}

class CollectionMultivectorTest : public CollectionMergeFixture,
                                  public testing::WithParamInterface<Kind> {
 protected:
  CollectionMultivectorTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 577;
    generator_.seed(seed_);
    config_.vectors.clear();
    config_.vectors["plain"] = {.dim = 2, .metric = Metric::kDot};
    config_.vectors["rows"] = {.dim = kDim,
                               .metric = GetParam().metric,
                               .datatype = GetParam().datatype,
                               .multivector = true};
    UseIndexer(MakeVectorIndexer({.graph_rows_min = 200}, *log_));
  }

  // Whole numbers, which every datatype holds.
  DenseVector RandomMatrix() {
    DenseVector matrix(kDim * (1 + generator_() % 7));
    matrix.row_dim = kDim;
    for (float& x : matrix) x = static_cast<float>(generator_() % 256);
    return matrix;
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
          stored_[id] = RandomMatrix();
          // A plain vector is a multivector's one row.
          if (generator_() % 10 == 0) stored_[id].resize(kDim);
          point.vectors.emplace_back("rows", stored_[id]);
          if (stored_[id].size() == kDim) point.vectors.back().second.row_dim = 0;
        }
        points.push_back(std::move(point));
      }
      ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
      const uint64_t dead = generator_() % 900;
      stored_.erase(dead);
      ASSERT_TRUE(collection_->Delete(context_, std::vector<PointId>{PointId(dead)}).ok());
    }
  }

  void Compare(const std::string& when) {
    SCOPED_TRACE(when);
    for (int round = 0; round < 6; ++round) {
      DenseVector query = RandomMatrix();
      if (round == 0) query.resize(kDim);
      SearchRequest request;
      request.vector_name = "rows";
      request.query = query;
      request.query_row_dim = round == 0 ? 0 : kDim;
      request.limit = 20;
      request.with_vectors = {VectorSelector::Mode::kNamed, {"rows"}};
      const bool filtered = round % 2 == 1;
      if (filtered) {
        auto filter = std::make_shared<Filter>();
        filter->must.push_back(FieldCondition{*PayloadPath::Parse("g"), MatchValue{int64_t{3}}});
        request.filter = std::move(filter);
      }
      std::vector<double> expected;
      for (const auto& [id, rows] : stored_) {
        if (filtered && id % 7 != 3) continue;
        expected.push_back(MaxSimDistance(GetParam().metric, query, rows));
      }
      std::sort(expected.begin(), expected.end());
      auto hits = collection_->Search(context_, request);
      ASSERT_TRUE(hits.ok()) << hits.status().ToString();
      ASSERT_EQ(hits->size(), std::min<size_t>(20, expected.size()));
      for (size_t i = 0; i < hits->size(); ++i) {
        const Hit& hit = (*hits)[i];
        const DenseVector& rows = stored_.at(hit.id.number());
        const double own = MaxSimDistance(GetParam().metric, query, rows);
        // Halves of unit length are rounded, and so are the query's.
        const bool rounded =
            GetParam().metric == Metric::kCosine && GetParam().datatype == VectorDatatype::kFloat16;
        const double error_max = (rounded ? 1e-2 : 1e-5) + 1e-5 * std::abs(own);
        ASSERT_NEAR(hit.distance, own, error_max);
        ASSERT_NEAR(own, expected[i], 2 * error_max);
        ASSERT_EQ(hit.vectors->at(0).second.row_dim, kDim);
        const bool kept =
            GetParam().metric != Metric::kCosine || GetParam().datatype == VectorDatatype::kUint8;
        if (kept) ASSERT_EQ(hit.vectors->at(0).second, rows);
      }
    }
  }

  uint64_t seed_;
  std::mt19937_64 generator_;
  std::map<uint64_t, DenseVector> stored_;
};

TEST_P(CollectionMultivectorTest, AnswersAsANaiveReferenceWhereverPointsLie) {
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
  EXPECT_FALSE(collection_->stats().merge_due);
  ASSERT_NO_FATAL_FAILURE(Compare("merged"));
  Reopen();
  ASSERT_NO_FATAL_FAILURE(Compare("reopened"));
  // Another vector of theirs is changed, and they are written anew.
  std::vector<Point> changes;
  for (uint64_t id = 0; id < 100; ++id) {
    changes.emplace_back();
    changes.back().id = PointId(id);
    changes.back().vectors = {{"plain", {5, 6}}};
  }
  ASSERT_TRUE(collection_->UpdateVectors(context_, std::move(changes), nullptr).ok());
  ASSERT_NO_FATAL_FAILURE(Compare("with another vector changed"));
}

constexpr Kind kKinds[] = {
    {Metric::kCosine, VectorDatatype::kFloat32}, {Metric::kDot, VectorDatatype::kFloat32},
    {Metric::kEuclid, VectorDatatype::kFloat32}, {Metric::kManhattan, VectorDatatype::kFloat32},
    {Metric::kCosine, VectorDatatype::kFloat16}, {Metric::kEuclid, VectorDatatype::kFloat16},
    {Metric::kCosine, VectorDatatype::kUint8},   {Metric::kDot, VectorDatatype::kUint8}};
INSTANTIATE_TEST_SUITE_P(EveryKind, CollectionMultivectorTest, testing::ValuesIn(kKinds));

TEST_P(CollectionMultivectorTest, ASearchStopsWhenItIsCancelled) {
  Create();
  ASSERT_NO_FATAL_FAILURE(WriteSome(5));
  RequestContext cancelled;
  cancelled.Cancel();
  // A query of so many rows that a few comparisons are more than passes between two looks.
  DenseVector query(kDim * 100'000, 1);
  SearchRequest request;
  request.vector_name = "rows";
  request.query = query;
  request.query_row_dim = kDim;
  EXPECT_EQ(collection_->Search(cancelled, request).status().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace akidb::engine
