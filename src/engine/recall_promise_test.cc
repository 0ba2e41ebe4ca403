// What is promised of a search is found, also of queries that lie nowhere near the rows.
#include <functional>

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
    // A few rows may be in a segment too small for one, where a busy machine sealed it apart.
    ASSERT_GE(collection_->stats().graph_vectors, kRows * 9 / 10);
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

// Rows of two kinds, one after the other, or in turn.
class TwoKindsTest : public IndexedCollectionFixture {
 protected:
  static constexpr uint32_t kComponents = 96;
  using Kind = std::function<DenseVector(std::mt19937_64&)>;

  TwoKindsTest() : IndexedCollectionFixture(1, kComponents) {
    options_.head_rows_max = 2 * kRows;
    config_.vectors[""].metric = Metric::kDot;
  }

  static DenseVector Normal(std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    DenseVector vector(kComponents);
    for (float& value : vector) value = normal(random);
    return vector;
  }
  // In a space of three dimensions.
  static DenseVector Flat(std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    DenseVector vector(kComponents);
    std::mt19937_64 axes(5);
    for (int axis = 0; axis < 3; ++axis) {
      const float share = normal(random);
      for (float& value : vector) value += share * normal(axes);
    }
    return vector;
  }
  // Many are equal.
  static DenseVector Unit(std::mt19937_64& random) {
    DenseVector vector(kComponents);
    vector[random() % kComponents] = 3;
    return vector;
  }

  std::string PayloadOf(uint64_t) const override { return "{}"; }
  DenseVector VectorOf(uint64_t id) const override {
    const bool is_second = in_turn_ || id >= kQueries ? id % 2 == 1 : id >= kRows / 2;
    std::mt19937_64 random(id * 7919 + 1);
    return (is_second ? second_ : first_)(random);
  }
  void Make(Kind first, Kind second, bool in_turn) {
    first_ = std::move(first);
    second_ = std::move(second);
    in_turn_ = in_turn;
    options_.directory = in_turn ? "/data/in_turn" : "/data/in_halves";
    Create();
    Store(0, kRows);
    Settle();
    // A few rows may be in a segment too small for one, where a busy machine sealed it apart.
    ASSERT_GE(collection_->stats().graph_vectors, kRows * 9 / 10);
  }

  Kind first_;
  Kind second_;
  bool in_turn_ = false;
};

TEST_F(TwoKindsTest, APoorWalkIsNotTakenForWantOfABetterOne) {
  for (bool in_turn : {false, true}) {
    SCOPED_TRACE(in_turn);
    Make(Normal, Unit, in_turn);
    EXPECT_GT(RecallOf(kQueries, 1), 0.9);
  }
}

TEST_F(TwoKindsTest, ThePromiseDoesNotDependOnTheOrderOfRows) {
  for (bool in_turn : {false, true}) {
    SCOPED_TRACE(in_turn);
    Make(Flat, Normal, in_turn);
    for (double wanted : {0.9, 0.95}) {
      wanted_recall_ = wanted;
      EXPECT_GT(RecallOf(kQueries, 1), wanted - 0.03) << wanted;
    }
  }
}

}  // namespace
}  // namespace akidb::engine
