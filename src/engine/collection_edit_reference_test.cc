// Random writes, edits, seals, merges and restarts against a naive model: all points, and what
// filters admit with and without payload indexes.
#include <cstdlib>
#include <random>

#include "engine/edit_fixture.h"

namespace akidb::engine {
namespace {

class CollectionEditReferenceTest : public EditFixture {
 protected:
  CollectionEditReferenceTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 6174;
    random_.seed(seed_);
    options_.head_rows_max = 256;
    options_.merge_policy.resting_max = 3;
    options_.merge_policy.busy_more = 0;
    config_.payload_indexes["g"] = {PayloadFieldKind::kInteger, ""};
    config_.payload_indexes["n.x"] = {PayloadFieldKind::kInteger, ""};
  }

  std::string SomeGroup() { return std::to_string(random_() % 6); }
  std::string SomePayload() {
    return R"({"g":)" + SomeGroup() + R"(,"n":{"x":)" + SomeGroup() + R"(},"l":[{"x":1},2]})";
  }
  PointSelector SomePoints() {
    if (random_() % 4 == 0) return {{}, SomeFilter()};
    PointSelector selector;
    for (uint64_t i = random_() % 12; i > 0; --i) selector.ids.push_back(PointId(random_() % kIds));
    return selector;
  }
  std::shared_ptr<const Filter> SomeFilter() {
    auto filter = std::make_shared<Filter>();
    const auto group = static_cast<int64_t>(random_() % 6);
    switch (random_() % 4) {
      case 0:
        return NumberIs("g", group);
      case 1:
        return NumberIs("n.x", group);
      case 2:
        filter->must = NumberIs("g", group)->must;
        filter->must_not = NumberIs("n.x", 6 - group)->must;
        return filter;
      default:
        filter->should.push_back(IsEmptyCondition{*PayloadPath::Parse("g")});
        filter->should.push_back(NumberIs("s", group)->must[0]);
        return filter;
    }
  }
  PayloadChange SomeChange() {
    switch (random_() % 7) {
      case 0:
        return OverwritePayload{*ParsePayloadJson(SomePayload())};
      case 1:
        return ClearPayload{};
      case 2:
        return DeletePayloadKeys{{*PayloadPath::Parse(random_() % 2 ? "g" : "n.x")}};
      case 3:
        return SetPayload{*ParsePayloadJson(R"({"x":)" + SomeGroup() + "}"),
                          *PayloadPath::Parse(random_() % 2 ? "n" : "l[]")};
      case 4:
        return SetTo(R"({"g":null,"s":)" + SomeGroup() + "}");
      default:
        return SetTo(R"({"g":)" + SomeGroup() + "}");
    }
  }
  std::map<std::string, DenseVector> SomeVectors() {
    std::map<std::string, DenseVector> vectors;
    if (random_() % 3 != 0) vectors[""] = {1, static_cast<float>(random_() % 1000)};
    if (random_() % 3 == 0) vectors["b"] = {1, 2, static_cast<float>(random_() % 1000)};
    return vectors;
  }

  Status WriteSomething() {
    switch (random_() % 10) {
      case 0:
      case 1: {
        std::vector<Point> points;
        for (uint64_t i = 1 + random_() % 40; i > 0; --i) {
          const uint64_t id = random_() % kIds;
          points_[id] = {SomePayload(), SomeVectors()};
          points.push_back(AsPoint(id, points_[id]));
        }
        return collection_->Upsert(context_, std::move(points)).status();
      }
      case 2:
        return Forget(random_() % kIds, random_() % 4);
      case 3: {
        if (random_() % 4 != 0) return OkStatus();
        PointSelector selector{{}, SomeFilter()};
        for (uint64_t id : Selected(selector)) points_.erase(id);
        return collection_->DeleteByFilter(context_, *selector.filter).status();
      }
      case 4:
        return PutVectors(random_() % kIds, SomeVectors());
      case 5:
        return RemoveVectors(SomePoints(), {random_() % 2 ? "" : "b"});
      default:
        return Change(SomePoints(), SomeChange());
    }
  }

  static constexpr uint64_t kIds = 700;
  uint64_t seed_ = 0;
  std::mt19937_64 random_;
};

TEST_F(CollectionEditReferenceTest, RandomEditsSealsMergesAndRestartsAgreeWithTheModel) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  const int rounds = std::getenv("AKIDB_DEEP") != nullptr ? 3000 : 150;
  Create();
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    for (uint64_t i = 1 + random_() % 10; i > 0; --i) {
      Status status = WriteSomething();
      ASSERT_TRUE(status.ok()) << status.ToString();
    }
    if (random_() % 3 == 0) ASSERT_TRUE(collection_->Seal().ok());
    if (random_() % 4 == 0) ASSERT_TRUE(collection_->Merge().ok());
    if (random_() % 8 == 0) Reopen();
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(ExpectTheFiltered(SomeFilter()));
    if (round % 5 == 0) ASSERT_NO_FATAL_FAILURE(ExpectThePoints("in a round"));
  }
  ASSERT_TRUE(collection_->Seal().ok());
  ASSERT_TRUE(collection_->Merge().ok());
  EXPECT_GT(collection_->stats().merged_rows + collection_->stats().segments, 1u);
  ASSERT_NO_FATAL_FAILURE(ExpectThePoints("in the end"));
}

}  // namespace
}  // namespace akidb::engine
