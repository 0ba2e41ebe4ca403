// Merges that are soon done don't wait behind another collection's long ones, and writers don't
// wait for a long one of their own.
#include <atomic>
#include <future>
#include <thread>

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

// Builds as another does; but while it is patient, what isn't in haste goes on until it is stopped.
class PatientIndexer final : public SegmentIndexer {
 public:
  explicit PatientIndexer(std::unique_ptr<SegmentIndexer> base) : base_(std::move(base)) {}

  void BePatient(bool is_patient) { is_patient_ = is_patient; }
  std::future<void> begun() { return begun_.get_future(); }
  int stopped() const { return stopped_; }

  uint64_t RowsMax(const VectorSchema& schema) const override { return base_->RowsMax(schema); }
  uint64_t GraphRowsMin(const VectorSchema& schema) const override {
    return base_->GraphRowsMin(schema);
  }
  bool Fits(const storage::SegmentReader& reader, const SegmentIndex& index,
            const VectorSchema& schema) const override {
    return base_->Fits(reader, index, schema);
  }
  Result<std::shared_ptr<const SegmentIndex>> Open(const storage::SegmentReader& reader,
                                                   const VectorSchema& schema) const override {
    return base_->Open(reader, schema);
  }
  Result<std::vector<IndexSection>> Build(const storage::SegmentRows& rows,
                                          const VectorSchema& schema,
                                          const IndexBuild& how) const override {
    if (!is_patient_ || how.in_haste) return base_->Build(rows, schema, how);
    if (stopped_ == 0) begun_.set_value();
    while (!how.stop && is_patient_) std::this_thread::yield();
    ++stopped_;
    return CancelledError("stopped");
  }

 private:
  const std::unique_ptr<SegmentIndexer> base_;
  std::atomic<bool> is_patient_ = false;
  mutable std::promise<void> begun_;
  mutable std::atomic<int> stopped_ = 0;
};

// A graph of all that there is may take many minutes.
TEST_F(ShortMergesTest, AMergeThatTakesItsTimeGivesWayToWritersThatWaitForIt) {
  auto indexer =
      std::make_unique<PatientIndexer>(MakeVectorIndexer({.graph_rows_min = 800}, *log_));
  PatientIndexer& patient = *indexer;
  UseIndexer(std::move(indexer));
  options_.merge_policy.waiting_max = 3;
  options_.room_wait_max = std::chrono::seconds(60);
  Create();
  Store(0, 1200);
  ASSERT_TRUE(collection_->Seal().ok());
  patient.BePatient(true);
  clock_.Advance(std::chrono::seconds(20));
  alarms_.RingDue();
  patient.begun().wait();
  // Each fills a head and begins another; five segments may lie there.
  for (uint64_t i = 0; i < 5; ++i) {
    Store(2000 + 700 * i, 700);
    ASSERT_TRUE(collection_->Seal().ok());
  }
  EXPECT_GE(patient.stopped(), 1);
  patient.BePatient(false);
  Settle();
  EXPECT_GT(collection_->stats().graph_vectors, 3500u);
  EXPECT_EQ(collection_->stats().live_rows, 4700u);
}

}  // namespace
}  // namespace akidb::engine
