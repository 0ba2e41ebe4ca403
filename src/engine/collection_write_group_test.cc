// Writes that wait for the disk together.
#include <cstdlib>
#include <random>

#include "base/json_writer.h"
#include "engine/collection_merge_fixture.h"

namespace akidb::engine {
namespace {

class WriteGroupTest : public CollectionMergeFixture {
 protected:
  WriteGroupTest() {
    const char* text = std::getenv("AKIDB_TEST_SEED");
    seed_ = text != nullptr ? std::strtoull(text, nullptr, 10) : 2718;
    config_.vectors["b"] = {.dim = 1, .metric = Metric::kEuclid};
    options_.room_wait_max = std::chrono::minutes(5);
  }

  static std::vector<Point> Points(uint64_t first, uint64_t count, int64_t write) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) points.push_back(MakePoint(id, write));
    return points;
  }
  static std::shared_ptr<const Filter> Having(int64_t write) {
    auto filter = std::make_shared<Filter>();
    filter->must.push_back(FieldCondition{*PayloadPath::Parse("w"), MatchValue{write}});
    return filter;
  }
  static SetPayload Setting(int64_t write) {
    return {*ParsePayloadJson(R"({"w":)" + std::to_string(write) + "}"), std::nullopt};
  }
  uint64_t Count(const Collection& collection) { return *collection.Count(context_, nullptr); }
  // Everything, as text.
  std::string Dump(const Collection& collection) {
    ScrollRequest request;
    request.limit = 100'000;
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    Result<ScrollPage> page = collection.Scroll(context_, request);
    EXPECT_TRUE(page.ok()) << page.status().ToString();
    std::string text;
    for (const PointRecord& record : page->points) {
      text += record.id.ToString();
      JsonWriter json(text);
      record.payload->root().WriteJson(json);
      for (const auto& [name, vector] : *record.vectors) {
        text += " " + name;
        for (float value : vector) text += " " + std::to_string(value);
      }
      text += "\n";
    }
    return text;
  }

  uint64_t seed_;
};

TEST_F(WriteGroupTest, RepliesTellNumberAndDurability) {
  for (const Durability durability : {Durability::kSync, Durability::kInterval}) {
    const bool durable = durability == Durability::kSync;
    options_.directory = durable ? "/data/sync" : "/data/interval";
    config_.durability = durability;
    Create();
    for (uint64_t seq = 1; seq <= 3; ++seq) {
      const Result<WriteResult> written = collection_->Upsert(context_, Points(seq, 2, 1));
      ASSERT_TRUE(written.ok()) << written.status().ToString();
      EXPECT_EQ(written->seq, seq);
      EXPECT_EQ(written->durable, durable);
    }
    const std::unique_ptr<WriteGroup> group = collection_->BeginWrites();
    const Result<WriteResult> grouped = group->Upsert(context_, Points(9, 2, 1));
    ASSERT_TRUE(grouped.ok()) << grouped.status().ToString();
    EXPECT_EQ(grouped->seq, 4u);
    EXPECT_EQ(grouped->durable, durable);
    ASSERT_TRUE(group->Commit().ok());
  }
}

TEST_F(WriteGroupTest, EachWriteWorksOnWhatThoseBeforeItHaveMade) {
  Create();
  const std::unique_ptr<WriteGroup> group = collection_->BeginWrites();
  ASSERT_TRUE(group->Upsert(context_, Points(0, 20, 1)).ok());
  ASSERT_TRUE(group->ChangePayloads(context_, {{}, Having(1)}, Setting(2)).ok());
  Result<EditResult> edited =
      group->ChangePayloads(context_, {{PointId(3), PointId(4), PointId(99)}, nullptr}, Setting(3));
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ(edited->not_found, PointId(99));
  Point b;
  b.id = PointId(5);
  b.vectors = {{"b", {7}}};
  edited = group->UpdateVectors(context_, {b}, nullptr);
  ASSERT_TRUE(edited.ok());
  EXPECT_FALSE(edited->not_found);
  const std::vector<std::string> names = {""};
  ASSERT_TRUE(group->DeleteVectors(context_, {{}, Having(3)}, names).ok());
  const std::vector<PointId> ids = {PointId(4)};
  ASSERT_TRUE(group->Delete(context_, ids).ok());
  Filter others = *Having(2);
  others.must_not.push_back(HasIdCondition({PointId(5)}));
  Result<WriteResult> last = group->DeleteByFilter(context_, others);
  ASSERT_TRUE(last.ok());
  EXPECT_TRUE(last->durable);
  // Nobody else has written, and so nothing is visible yet.
  EXPECT_EQ(Count(*collection_), 0u);
  ASSERT_TRUE(group->Commit().ok());
  const std::string expected = "3{\"w\":3}\n5{\"w\":2}  5.000000 1.000000 b 7.000000\n";
  EXPECT_EQ(Dump(*collection_), expected);
  EXPECT_EQ(collection_->stats().last_seq, last->seq);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_EQ(
        *AfterCrash(seed, [&](const Collection& c) -> Result<std::string> { return Dump(c); }),
        expected);
  }
}

TEST_F(WriteGroupTest, WhatIsRefusedTakesNothingBackAndLettingGoCommits) {
  Create();
  {
    const std::unique_ptr<WriteGroup> group = collection_->BeginWrites();
    ASSERT_TRUE(group->Upsert(context_, Points(0, 5, 1)).ok());
    Point wrong = MakePoint(7, 1);
    wrong.vectors[0].second = {1, 2, 3};
    EXPECT_EQ(group->Upsert(context_, {wrong}).status().code(), ErrorCode::kInvalidArgument);
    const std::vector<std::string> names = {"none"};
    EXPECT_EQ(group->DeleteVectors(context_, {{PointId(1)}, nullptr}, names).status().code(),
              ErrorCode::kInvalidArgument);
    ASSERT_TRUE(group->Upsert(context_, Points(5, 1, 1)).ok());
  }
  EXPECT_EQ(Count(*collection_), 6u);
  EXPECT_TRUE(collection_->BeginWrites()->Commit().ok());  // of nothing
}

// The head fills up and becomes segments in the middle of groups.
TEST_F(WriteGroupTest, GroupsLeaveWhatTheSameWritesLeaveOneByOne) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed_));
  std::mt19937_64 random(seed_);
  Create();
  std::shared_ptr<Collection> grouped = collection_;
  options_.directory = "/data/single";
  Create();
  for (int round = 0; round < 25; ++round) {
    const std::unique_ptr<WriteGroup> group = grouped->BeginWrites();
    for (uint64_t left = random() % 40; left > 0; --left) {
      const uint64_t id = random() % 900;
      const auto write = static_cast<int64_t>(random() % 50);
      const auto other = static_cast<int64_t>(random() % 50);
      const PointSelector ids{{PointId(id), PointId(id + 1), PointId(id / 2)}, nullptr};
      const PointSelector selector = random() % 2 == 0 ? ids : PointSelector{{}, Having(write)};
      Point vectors;
      vectors.id = PointId(id);
      vectors.vectors = {{"b", {static_cast<float>(write)}}};
      const std::vector<std::string> names = {"b"};
      const uint64_t kind = random() % 12;
      for (CollectionWriter* writer : {static_cast<CollectionWriter*>(group.get()),
                                       static_cast<CollectionWriter*>(collection_.get())}) {
        Status done;
        if (kind < 6) {
          done = writer->Upsert(context_, Points(id, 1 + id % 40, write)).status();
        } else if (kind < 8) {
          done = writer->ChangePayloads(context_, selector, Setting(other)).status();
        } else if (kind == 8) {
          done = writer->UpdateVectors(context_, {vectors}, Having(write).get()).status();
        } else if (kind == 9) {
          done = writer->DeleteVectors(context_, selector, names).status();
        } else if (kind == 10) {
          done = writer->Delete(context_, ids.ids).status();
        } else {
          done = writer->DeleteByFilter(context_, *Having(write)).status();
        }
        ASSERT_TRUE(done.ok()) << done.ToString();
      }
    }
    ASSERT_TRUE(group->Commit().ok());
    ASSERT_EQ(Dump(*grouped), Dump(*collection_)) << "round " << round;
  }
  EXPECT_GT(grouped->stats().sealed_rows, 0u);
}

TEST_F(WriteGroupTest, ADroppedCollectionTakesNoMore) {
  Create();
  const std::unique_ptr<WriteGroup> group = collection_->BeginWrites();
  ASSERT_TRUE(group->Upsert(context_, Points(0, 5, 1)).ok());
  collection_->Drop();
  EXPECT_EQ(group->Upsert(context_, Points(5, 5, 1)).status().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace akidb::engine
