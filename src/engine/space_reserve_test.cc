#include "engine/space_reserve.h"

#include <gtest/gtest.h>

#include "engine/collection.h"
#include "env/simulated_file_system.h"

namespace akidb::engine {
namespace {

class SpaceReserveTest : public testing::Test {
 protected:
  SpaceReserveTest() {
    EXPECT_TRUE(fs_.CreateDirectories("/data").ok());
    reserve_.Hold();
  }

  env::SimulatedFileSystem fs_{1};
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  SpaceReserve reserve_{fs_, *log_, "/data/reserve"};
};

TEST_F(SpaceReserveTest, HoldsSpaceAndTakesItBackWhenThereIsRoom) {
  EXPECT_TRUE(reserve_.CheckHeld().ok());
  fs_.SetCapacity(SpaceReserve::kBytes + 1000);
  reserve_.ReleaseIfFull();
  EXPECT_EQ(*fs_.FreeBytes("/data"), SpaceReserve::kBytes + 1000);
  EXPECT_FALSE(reserve_.Release());  // there is none to give any more
  fs_.SetCapacity(SpaceReserve::kBytes - 1);
  EXPECT_EQ(reserve_.CheckHeld().code(), ErrorCode::kStorageFull);
  EXPECT_FALSE(*fs_.Exists("/data/reserve"));  // not even a part of it
  fs_.SetCapacity(SpaceReserve::kBytes);
  EXPECT_TRUE(reserve_.CheckHeld().ok());
}

TEST_F(SpaceReserveTest, RetriesOnceWhatFoundTheDiskFull) {
  int calls = 0;
  auto full_at_first = [&]() -> Status {
    return ++calls == 1 ? StorageFullError("full") : OkStatus();
  };
  EXPECT_TRUE(reserve_.Retry(full_at_first).ok());
  EXPECT_EQ(calls, 2);
  auto broken = [&]() -> Result<int> {
    ++calls;
    return IoError("broken");
  };
  EXPECT_EQ(reserve_.Retry(broken).status().code(), ErrorCode::kIo);
  EXPECT_EQ(calls, 3);
}

// A full disk takes deletes, refuses new data, and comes back when there is room.
TEST_F(SpaceReserveTest, DeletesGoOnWhenTheDiskIsFull) {
  auto random = env::MakeSeededRandom(1);
  Executor background({.name = "background"});
  CollectionConfig config;
  config.vectors[""] = {.dim = 64, .metric = Metric::kDot};
  CollectionOptions options;
  options.directory = "/data/c";
  options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
  CollectionEnvironment environment{fs_, *random, background, *log_, &reserve_};
  auto made = Collection::Create(options, config, environment);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  std::shared_ptr<Collection> collection = *made;
  RequestContext context;
  uint64_t stored = 0;
  auto upsert = [&](uint64_t id) {
    Point point;
    point.id = PointId(id);
    point.vectors = {{"", DenseVector(64, 1)}};
    return collection->Upsert(context, {point}).status();
  };
  fs_.SetCapacity(SpaceReserve::kBytes + (200 << 10));
  Status status;
  while ((status = upsert(stored)).ok()) ASSERT_LT(++stored, 10'000u);
  EXPECT_EQ(status.code(), ErrorCode::kStorageFull);
  for (uint64_t id = 0; id < stored; ++id) {
    std::vector<PointId> ids = {PointId(id)};
    ASSERT_TRUE(collection->Delete(context, ids).ok()) << id;
    if (id == stored / 2) ASSERT_EQ(*collection->Count(context, nullptr), stored - id - 1);
  }
  // Enough deletes for the log to have needed what was held back.
  for (int i = 0; i < 2000; ++i) {
    std::vector<PointId> ids = {PointId(1)};
    ASSERT_TRUE(collection->Delete(context, ids).ok());
  }
  EXPECT_FALSE(*fs_.Exists("/data/reserve"));
  EXPECT_EQ(upsert(1).code(), ErrorCode::kStorageFull);
  // Sealing lets the log go, and with it comes the room.
  ASSERT_TRUE(collection->Seal().ok());
  ASSERT_TRUE(upsert(2).ok());
  EXPECT_TRUE(*fs_.Exists("/data/reserve"));
  collection.reset();
  auto opened = Collection::Open(options, environment);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_EQ(*(*opened)->Count(context, nullptr), 1u);
}

}  // namespace
}  // namespace akidb::engine
