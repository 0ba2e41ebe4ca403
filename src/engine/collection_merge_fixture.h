// For tests of what happens behind the backs of a collection's users: a collection on the simulated
// disk, a model of what it must hold, and a clock that moves when told.
#pragma once

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/alarms.h"
#include "engine/collection.h"
#include "engine/segment_indexer.h"
#include "engine/watched_file_system.h"
#include "env/simulated_file_system.h"
#include "types/payload_json.h"

namespace akidb::engine {

// Every point by id: the number of the write that stored it.
using State = std::map<uint64_t, int64_t>;

inline Point MakePoint(uint64_t id, int64_t write) {
  Point point;
  point.id = PointId(id);
  point.vectors = {{"", {static_cast<float>(id), static_cast<float>(write)}}};
  point.payload = *ParsePayloadJson(R"({"w":)" + std::to_string(write) + "}");
  return point;
}

inline bool IsSegment(const std::string& path) { return path.ends_with(".seg"); }
inline bool IsNewSegment(const std::string& path) { return path.ends_with(".seg.tmp"); }

// A moment in a merge, or but for the last in a seal: an operation of a background thread.
struct Moment {
  const char* name;
  WatchedFileSystem::Kind kind;
  bool (*of)(const std::string& path);
  bool may_seal;  // not while a manifest is being published
};

inline const Moment kMoments[] = {
    {"rows are chosen", WatchedFileSystem::Kind::kCreate, IsNewSegment, true},
    {"rows are written", WatchedFileSystem::Kind::kRename, IsSegment, true},
    {"the manifest is written", WatchedFileSystem::Kind::kRename,
     [](const std::string& path) { return path.find("MANIFEST") != std::string::npos; }, false},
    {"the manifest comes to count", WatchedFileSystem::Kind::kRename,
     [](const std::string& path) { return path.ends_with("CURRENT"); }, false},
    {"the inputs are removed", WatchedFileSystem::Kind::kRemove, IsSegment, false},
};

class CollectionMergeFixture : public testing::Test {
 protected:
  CollectionMergeFixture() {
    EXPECT_TRUE(disk_->CreateDirectories("/data").ok());
    EXPECT_TRUE(disk_->SyncDirectory("/").ok());
    options_.directory = "/data/c";
    options_.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    options_.head_rows_max = 256;
    options_.head_bytes_max = 1 << 20;
    options_.merge_policy.resting_max = 2;
    options_.merge_policy.busy_more = 0;
    config_.vectors[""] = {.dim = 2, .metric = Metric::kEuclid};
  }
  ~CollectionMergeFixture() override {
    fs_.SetWatch({});
    collection_.reset();
    optimizer_.Stop();
    background_.Stop();
  }

  void UseIndexer(std::unique_ptr<SegmentIndexer> indexer) {
    vector_indexer_ = std::move(indexer);
    indexer_ = vector_indexer_.get();
  }

  CollectionEnvironment Parts(env::FileSystem& fs) {
    return {.fs = fs,
            .random = *random_,
            .background = background_,
            .log = *log_,
            .reserve = nullptr,
            .optimizer = &optimizer_,
            .alarms = &alarms_,
            .indexer = indexer_};
  }
  void Create() {
    auto made = Collection::Create(options_, config_, Parts(fs_));
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    collection_ = *made;
  }
  void Reopen() {
    collection_.reset();
    auto opened = Collection::Open(options_, Parts(fs_));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    collection_ = *opened;
  }

  // Points `first` and following, as written by write number `write_`, and the model with them.
  Status Put(uint64_t first, uint64_t count) {
    ++write_;
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      points.push_back(MakePoint(id, write_));
      model_[id] = write_;
    }
    return collection_->Upsert(context_, std::move(points)).status();
  }
  Status Delete(uint64_t first, uint64_t count) {
    std::vector<PointId> ids;
    for (uint64_t id = first; id < first + count; ++id) {
      ids.push_back(PointId(id));
      model_.erase(id);
    }
    return collection_->Delete(context_, ids).status();
  }
  // `count` segments of `rows` points each, with ids from 0 on.
  void MakeSegments(uint64_t count, uint64_t rows) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(Put(i * rows, rows).ok());
      ASSERT_TRUE(collection_->Seal().ok());
    }
  }

  // What a collection holds; all ways of asking must agree.
  Result<State> Read(const Collection& collection) {
    ScrollRequest request;
    request.limit = 100'000;
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    AKIDB_ASSIGN_OR_RETURN(ScrollPage page, collection.Scroll(context_, request));
    State state;
    for (const PointRecord& record : page.points) {
      int64_t write = record.payload->root().Member("w")->AsInt();
      DenseVector vector{static_cast<float>(record.id.number()), static_cast<float>(write)};
      if (record.vectors->at(0).second != vector) return InternalError("vector and payload differ");
      state[record.id.number()] = write;
    }
    AKIDB_ASSIGN_OR_RETURN(uint64_t count, collection.Count(context_, nullptr));
    if (count != state.size()) return InternalError("the count is wrong");
    SearchRequest search;
    DenseVector query{0, 0};
    search.query = query;
    search.limit = 100'000;
    AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, collection.Search(context_, search));
    if (hits.size() != state.size()) return InternalError("search and scroll differ");
    return state;
  }
  // What `read` would find at a start if the power went now: of a Collection, a Result.
  template <typename Reader>
  auto AfterCrash(uint64_t seed, Reader read) -> decltype(read(std::declval<Collection&>())) {
    auto disk = disk_->CloneAfterCrash(seed);
    CollectionEnvironment parts = Parts(*disk);
    parts.optimizer = nullptr;
    parts.alarms = nullptr;
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection,
                           Collection::Open(options_, parts));
    return read(*collection);
  }
  Result<State> ReadAfterCrash(uint64_t seed) {
    return AfterCrash(seed, [&](const Collection& collection) { return Read(collection); });
  }
  void ExpectTheModel(const std::string& when) {
    Result<State> found = Read(*collection_);
    ASSERT_TRUE(found.ok()) << when << ": " << found.status().ToString();
    EXPECT_EQ(*found, model_) << when;
    for (uint64_t seed = 0; seed < 5; ++seed) {
      Result<State> after = ReadAfterCrash(seed);
      ASSERT_TRUE(after.ok()) << when << ", after a crash: " << after.status().ToString();
      EXPECT_EQ(*after, model_) << when << ", after a crash";
    }
  }
  size_t SegmentFiles() {
    auto names = disk_->List("/data/c/seg");
    EXPECT_TRUE(names.ok());
    return static_cast<size_t>(std::count_if(names->begin(), names->end(), IsSegment));
  }
  // Holds the optimizer's thread up until the result is set.
  std::promise<void> HoldOptimizer() {
    std::promise<void> go_on;
    std::promise<void> held;
    std::future<void> ended = go_on.get_future();
    EXPECT_TRUE(optimizer_
                    .Submit([&held, ended = std::make_shared<std::future<void>>(std::move(ended))] {
                      held.set_value();
                      ended->wait();
                    })
                    .ok());
    held.get_future().wait();
    return go_on;
  }

  std::unique_ptr<env::SimulatedFileSystem> disk_ = std::make_unique<env::SimulatedFileSystem>(1);
  WatchedFileSystem fs_{*disk_};
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(1);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  env::ManualClock clock_;
  Alarms alarms_{clock_};
  Executor background_{ExecutorOptions{.name = "background"}};
  Executor optimizer_{ExecutorOptions{.name = "optimizer", .nice = 5}};
  std::unique_ptr<SegmentIndexer> vector_indexer_;  // outlives the merges that use it
  const SegmentIndexer* indexer_ = nullptr;         // of collections that are opened from now on
  RequestContext context_;
  CollectionOptions options_;
  CollectionConfig config_;
  std::shared_ptr<Collection> collection_;
  State model_;
  int64_t write_ = 0;
};

}  // namespace akidb::engine
