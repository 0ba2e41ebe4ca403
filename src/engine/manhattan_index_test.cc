// Manhattan distances searched through a graph that knows Euclid's.
#include <string>

#include "engine/indexed_collection_fixture.h"

namespace akidb::engine {
namespace {

class ManhattanIndexTest : public IndexedCollectionFixture {
 protected:
  explicit ManhattanIndexTest(uint32_t dim = 128) : IndexedCollectionFixture(40, dim) {
    config_.vectors[""] = {.dim = dim, .metric = Metric::kManhattan};
  }

  std::string PayloadOf(uint64_t id) const override {
    return R"({"third":)" + std::to_string(id % 3) + "}";
  }
  double Recall(const std::shared_ptr<const Filter>& filter = nullptr) {
    return RecallOf(1'000'000, 1, filter);
  }
};

TEST_F(ManhattanIndexTest, IsWalkedWhereBothDistancesAgree) {
  Create();
  Store(0, 3000);
  Settle();
  EXPECT_GE(collection_->stats().graph_vectors, 2000u);
  EXPECT_GT(Recall(), 0.98);
  std::vector<PointId> ids;
  for (uint64_t id = 0; id < 3000; id += 8) ids.push_back(PointId(id));
  ASSERT_TRUE(collection_->Delete(context_, ids).ok());
  EXPECT_GT(Recall(), 0.98);
  Reopen();
  EXPECT_GT(Recall(), 0.98);
}

TEST_F(ManhattanIndexTest, AFilterIsKept) {
  Create();
  Store(0, 2000);
  Settle();
  auto filter = std::make_shared<Filter>();
  filter->must.push_back(FieldCondition{*PayloadPath::Parse("third"), MatchValue{int64_t{1}}});
  EXPECT_GT(Recall(filter), 0.98);
}

// In few dimensions the ratio of both varies, and every vector is compared.
class NarrowManhattanIndexTest : public ManhattanIndexTest {
 protected:
  NarrowManhattanIndexTest() : ManhattanIndexTest(16) {}
};

TEST_F(NarrowManhattanIndexTest, IsComparedOneByOneWhereTheyDoNot) {
  Create();
  Store(0, 2000);
  Settle();
  EXPECT_EQ(collection_->stats().graph_vectors, 0u);
  EXPECT_EQ(Recall(), 1);
}

}  // namespace
}  // namespace akidb::engine
