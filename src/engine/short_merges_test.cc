// Merges that are soon done don't wait behind another collection's long ones.
#include <gtest/gtest.h>

#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

class ShortMergesTest : public IndexedCollectionFixture {
 protected:
  ShortMergesTest() : IndexedCollectionFixture(40) {}
  ~ShortMergesTest() override {
    collection_.reset();
    short_merges_.Stop();
  }

  std::string PayloadOf(uint64_t) const override { return "{}"; }

  void CreateWithTwoLanes() {
    CollectionEnvironment parts = Parts(fs_);
    parts.short_merges = &short_merges_;
    auto made = Collection::Create(options_, config_, parts);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    collection_ = *made;
  }

  Executor short_merges_{ExecutorOptions{.name = "short_merges"}};
};

TEST_F(ShortMergesTest, AGraphOfFewRowsIsBuiltWhileTheOptimizerIsBusy) {
  CreateWithTwoLanes();
  std::promise<void> go_on = HoldOptimizer();
  Store(0, 1500);
  Settle();
  EXPECT_GE(collection_->stats().graph_vectors, 1000u);
  EXPECT_FALSE(collection_->stats().merge_due);
  go_on.set_value();
}

TEST_F(ShortMergesTest, MergesOfManyRowsAreLeftToTheOptimizer) {
  // A merge is short up to one part in 16 of what a segment may have.
  options_.merge_policy.rows_max = 16 * 500;
  CreateWithTwoLanes();
  Store(0, 1500);
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_TRUE(collection_->Merge().ok());
  std::promise<void> go_on = HoldOptimizer();
  Store(1500, 1500);
  ASSERT_TRUE(collection_->Seal().ok());
  clock_.Advance(std::chrono::seconds(20));
  alarms_.RingDue();
  // The short lane runs one task after the other: what it had to do is done.
  std::promise<void> done;
  ASSERT_TRUE(short_merges_.Submit([&] { done.set_value(); }).ok());
  done.get_future().wait();
  EXPECT_TRUE(collection_->stats().merge_due);
  const uint64_t graph_vectors = collection_->stats().graph_vectors;
  EXPECT_LT(graph_vectors, 2000u);
  go_on.set_value();
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_GT(collection_->stats().graph_vectors, graph_vectors);
  EXPECT_FALSE(collection_->stats().merge_due);
}

TEST_F(ShortMergesTest, PointsInMemoryThatWaitForTheirGraphAreDue) {
  options_.head_rows_max = 5000;
  options_.rows_without_graph_max = 1200;
  CreateWithTwoLanes();
  Store(0, 1200);
  EXPECT_FALSE(collection_->stats().graph_due);
  Store(1200, 100);
  EXPECT_TRUE(collection_->stats().graph_due);
  Settle();
  EXPECT_FALSE(collection_->stats().graph_due);
  EXPECT_EQ(collection_->stats().graph_vectors, 1300u);
}

}  // namespace
}  // namespace akidb::engine
