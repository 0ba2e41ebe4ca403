// What is promised of a search is found, also of queries that lie nowhere near the rows.
#include <gtest/gtest.h>

#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kRows = 6000;
constexpr uint64_t kQueries = 1'000'000;  // ids from here on are those of queries

class RecallPromiseTest : public IndexedCollectionFixture {
 protected:
  RecallPromiseTest() : IndexedCollectionFixture(1, 64) { options_.head_rows_max = 2 * kRows; }

  std::string PayloadOf(uint64_t) const override { return "{}"; }

  // Normally distributed about `common_`, queries about `asked_about_`.
  DenseVector VectorOf(uint64_t id) const override {
    std::mt19937_64 random(id * 7919 + 1);
    std::normal_distribution<float> normal;
    DenseVector vector(dim_);
    for (float& value : vector) value = normal(random) + (id < kQueries ? common_ : asked_about_);
    return vector;
  }

  void Make(Metric metric, float about) {
    config_.vectors[""].metric = metric;
    common_ = about;
    Create();
    Store(0, kRows);
    Settle();
    ASSERT_EQ(collection_->stats().graph_vectors, kRows);
  }

  // Of queries about `about`.
  void ExpectPromisesAreKept(float about) {
    asked_about_ = about;
    for (double wanted : {0.5, 0.9, 0.97}) {
      wanted_recall_ = wanted;
      double promised = 1;
      for (uint64_t query = kQueries; query < kQueries + 5; ++query) {
        DenseVector vector = VectorOf(query);
        SearchPlan plan;
        SearchRequest request;
        request.query = vector;
        request.recall = wanted;
        request.plan = &plan;
        ASSERT_TRUE(collection_->Search(context_, request).ok());
        EXPECT_GE(plan.recall, wanted);
        promised = std::min(promised, plan.recall);
      }
      // A hundred queries find as much within some hundredths.
      EXPECT_GT(RecallOf(kQueries, 1), promised - 0.06) << wanted;
    }
  }

  float asked_about_ = 0;
};

TEST_F(RecallPromiseTest, OfInnerProductsWithRowsFarOffTheOrigin) {
  Make(Metric::kDot, 1000);
  ExpectPromisesAreKept(0);
  ExpectPromisesAreKept(1000);
  // Who asks for nothing gets enough, too.
  asked_about_ = 0;
  wanted_recall_ = 0;
  EXPECT_GT(RecallOf(kQueries, 1), 0.95);
}

TEST_F(RecallPromiseTest, OfCosineWithRowsFarOffTheOrigin) {
  Make(Metric::kCosine, 1000);
  ExpectPromisesAreKept(0);
}

TEST_F(RecallPromiseTest, OfEuclidWithRowsFarOffTheOrigin) {
  Make(Metric::kEuclid, 100);
  ExpectPromisesAreKept(0);
}

}  // namespace
}  // namespace akidb::engine
