// For tests that hurt a collection at any moment of its life: what is written, what there must be
// after each change, and what is found. Everything follows from a seed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/alarms.h"
#include "engine/collection.h"
#include "env/simulated_file_system.h"
#include "types/payload_json.h"

namespace akidb::engine::life {

// The numbers of the writes that stored a point, that changed its payload and its vectors since,
// and that gave it the vectors that it may lack (0: it does).
struct Stored {
  int64_t write = 0;
  int64_t payload_change = 0;
  int64_t vector_change = 0;
  int64_t sparse = 0;
  int64_t added = 0;
  friend bool operator==(const Stored&, const Stored&) = default;
};
using State = std::map<uint64_t, Stored>;

// The vector that collections get while they live.
inline constexpr const char* kAdded = "added";

inline DenseVector RowsOf(uint64_t id, int64_t write) {
  std::vector<float> rows;
  for (int64_t row = write % 3; row >= 0; --row) {
    rows.insert(rows.end(), {static_cast<float>(id), static_cast<float>(write)});
  }
  return DenseVector::OfRows(std::move(rows), 2);
}

// Above the numbers of writes.
inline constexpr uint64_t kIdIndices = 1'000'000;

inline DenseVector SparseOf(uint64_t id, int64_t write) {
  return DenseVector::AtIndices(
      {static_cast<uint32_t>(write), static_cast<uint32_t>(kIdIndices + id)},
      {static_cast<float>(write), static_cast<float>(id + 1)});
}

inline Point MakePoint(uint64_t id, int64_t write, bool with_added) {
  Point point;
  point.id = PointId(id);
  point.vectors = {{"", {static_cast<float>(id), static_cast<float>(write)}},
                   {"rows", RowsOf(id, write)},
                   {"words", SparseOf(id, write)}};
  if (with_added) point.vectors.push_back({kAdded, {static_cast<float>(write)}});
  point.payload = *ParsePayloadJson(R"({"w":)" + std::to_string(write) + "}");
  return point;
}

// No two worlds draw the same UUIDs.
inline uint64_t NextRandomSeed() {
  static std::atomic<uint64_t> next{1};
  return next++;
}

class World {
 public:
  // `seed`: of what is written.
  explicit World(env::FileSystem& fs, uint64_t seed = 0, Durability durability = Durability::kSync)
      : fs_(fs), seed_(seed) {
    config_.vectors[""] = {.dim = 2, .metric = Metric::kEuclid};
    config_.vectors["rows"] = {.dim = 2, .metric = Metric::kDot, .multivector = true};
    config_.vectors["words"] = VectorConfig::Sparse(true);
    config_.durability = durability;
  }
  ~World() {
    collection.reset();
    optimizer_.Stop();
    background_.Stop();
  }

  Status Create() {
    AKIDB_ASSIGN_OR_RETURN(collection, Collection::Create(Options(), config_, Parts()));
    return OkStatus();
  }
  Status Open() {
    AKIDB_ASSIGN_OR_RETURN(collection, Collection::Open(Options(), Parts()));
    return OkStatus();
  }

  // Writes number 1, 2, …, the same in every world of that seed: batches, deletes, other payloads,
  // other vectors. `states[i]` is what there is after write i.
  Status Write(int64_t write, State& state) {
    std::mt19937_64 random(seed_ * 1'000 + static_cast<uint64_t>(write));
    if (write % 5 == 0) {
      std::vector<PointId> ids;
      for (int i = 0; i < 4; ++i) ids.push_back(PointId(random() % 24));
      for (PointId id : ids) state.erase(id.number());
      return collection->Delete(context_, ids).status();
    }
    if (write % 3 == 0) return ChangePayloads(write, random, state);
    if (write % 11 == 0) return UpdateVectors(write, random, state);
    if (write % 13 == 0) return DeleteVectors(random, state);
    const bool with_added = HasAdded();
    std::vector<Point> points;
    for (uint64_t i = 1 + random() % 5; i > 0; --i) {
      uint64_t id = random() % 24;
      points.push_back(MakePoint(id, write, with_added));
      state[id] = {
          .write = write, .vector_change = write, .sparse = write, .added = with_added ? write : 0};
    }
    return collection->Upsert(context_, std::move(points)).status();
  }

  // Adds a vector, or leaves it out with all that points have of it, and goes on with the folder
  // opened anew.
  Status ChangeVectors(State& state) {
    const bool adds = !HasAdded();
    AKIDB_RETURN_IF_ERROR(collection->Retire([&](CollectionConfig& config) {
      if (adds) {
        config.vectors[kAdded] = {.dim = 1, .metric = Metric::kDot};
      } else {
        config.vectors.erase(kAdded);
        for (auto& [id, stored] : state) stored.added = 0;
      }
      return OkStatus();
    }));
    collection.reset();
    return Open();
  }

  // What the collection holds; every answer that is asked for must agree with the others.
  Result<State> Read() {
    ScrollRequest request;
    request.limit = 1000;
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    AKIDB_ASSIGN_OR_RETURN(ScrollPage page, collection->Scroll(context_, request));
    State state;
    for (const PointRecord& record : page.points) {
      Stored& stored = state[record.id.number()];
      stored.write = record.payload->root().Member("w")->AsInt();
      if (auto change = record.payload->root().Member("c")) stored.payload_change = change->AsInt();
      AKIDB_RETURN_IF_ERROR(ReadVectors(record.id.number(), *record.vectors, stored));
    }
    if (state.size() != collection->stats().points) return InternalError("the count is wrong");
    SearchRequest search;
    DenseVector query{0, 0};
    search.query = query;
    search.limit = 1000;
    AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, collection->Search(context_, search));
    if (hits.size() != state.size()) return InternalError("search and scroll differ");
    AKIDB_RETURN_IF_ERROR(SearchWords(state));
    return state;
  }

  // By a search alone, of every point.
  Result<std::set<uint64_t>> FoundIds() {
    SearchRequest search;
    const DenseVector query{0, 0};
    search.query = query;
    search.limit = 1000;
    AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, collection->Search(context_, search));
    std::set<uint64_t> ids;
    for (const Hit& hit : hits) ids.insert(hit.id.number());
    return ids;
  }

  std::shared_ptr<Collection> collection;

 private:
  bool HasAdded() const { return collection->current_config()->vectors.contains(kAdded); }

  static Status ReadVectors(uint64_t id, const NamedVectors& vectors, Stored& stored) {
    for (const auto& [name, vector] : vectors) {
      if (!name.empty()) continue;
      if (vector[0] != static_cast<float>(id)) return InternalError("mixed up");
      stored.vector_change = static_cast<int64_t>(vector[1]);
    }
    for (const auto& [name, vector] : vectors) {
      if (name == "rows" && vector != RowsOf(id, stored.vector_change)) {
        return InternalError("rows of another write");
      }
      if (name == "words") {
        stored.sparse = vector.indices->front();
        if (vector != SparseOf(id, stored.sparse)) return InternalError("words of another point");
      }
      if (name == kAdded) stored.added = static_cast<int64_t>(vector[0]);
    }
    return OkStatus();
  }

  // Every point that has a sparse vector is found by its own index.
  Status SearchWords(const State& state) {
    DenseVector query = DenseVector::AtIndices({}, {});
    size_t having = 0;
    for (const auto& [id, stored] : state) {
      if (stored.sparse == 0) continue;
      ++having;
      query.indices->push_back(static_cast<uint32_t>(kIdIndices + id));
      query.push_back(1);
    }
    if (having == 0) return OkStatus();
    SearchRequest search;
    search.vector_name = "words";
    search.SearchBy(query);
    search.limit = 1000;
    AKIDB_ASSIGN_OR_RETURN(std::vector<Hit> hits, collection->Search(context_, search));
    return hits.size() == having ? OkStatus() : InternalError("a sparse vector is not found");
  }

  Status DeleteVectors(std::mt19937_64& random, State& state) {
    PointSelector selector;
    for (int i = 0; i < 8; ++i) selector.ids.push_back(PointId(random() % 24));
    for (PointId id : selector.ids) {
      auto stored = state.find(id.number());
      if (stored != state.end()) stored->second.sparse = 0;
    }
    const std::vector<std::string> names = {"words"};
    return collection->DeleteVectors(context_, selector, names).status();
  }

  Status ChangePayloads(int64_t write, std::mt19937_64& random, State& state) {
    PointSelector selector;
    for (int i = 0; i < 5; ++i) selector.ids.push_back(PointId(random() % 24));
    for (PointId id : selector.ids) {
      auto stored = state.find(id.number());
      if (stored != state.end()) stored->second.payload_change = write;
    }
    const SetPayload set{*ParsePayloadJson(R"({"c":)" + std::to_string(write) + "}"), std::nullopt};
    return collection->ChangePayloads(context_, selector, set).status();
  }
  Status UpdateVectors(int64_t write, std::mt19937_64& random, State& state) {
    std::vector<Point> points;
    const bool with_added = HasAdded();
    for (uint64_t i = 0; i < 3; ++i) {
      points.push_back(MakePoint((random() % 8) * 3 + i, write, with_added));
      auto stored = state.find(points.back().id.number());
      if (stored == state.end()) continue;
      stored->second.vector_change = write;
      stored->second.sparse = write;
      if (with_added) stored->second.added = write;
    }
    return collection->UpdateVectors(context_, std::move(points), nullptr).status();
  }

  static CollectionOptions Options() {
    CollectionOptions options;
    options.directory = "/data/c";
    options.uuid = *Uuid::Parse("936da01f-9abd-4d9d-80c7-02af85c822a8");
    options.head_bytes_max = 4096;  // a merge leaves so much room
    options.merge_policy.resting_max = 2;
    options.merge_policy.busy_more = 0;
    return options;
  }
  CollectionEnvironment Parts() {
    return {.fs = fs_,
            .random = *random_,
            .background = background_,
            .log = *log_,
            .reserve = nullptr,
            .optimizer = &optimizer_,
            .alarms = &alarms_,
            .indexer = nullptr};
  }

  env::FileSystem& fs_;
  const uint64_t seed_;
  CollectionConfig config_;
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(NextRandomSeed());
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  env::ManualClock clock_;
  Alarms alarms_{clock_};
  Executor background_{ExecutorOptions{.name = "background"}};
  Executor optimizer_{ExecutorOptions{.name = "optimizer"}};
  RequestContext context_;
};

// How far a life came before the power went.
struct Life {
  bool created = false;
  std::vector<State> states;  // after each change, the one under way included
  int64_t acknowledged = 0;   // of them the last that was answered,
  int64_t sealed = 0;         // and that a finished seal holds
  bool finished = false;
};

// When a life waits for merges. Beside writes they go on with other operations in between each
// time.
enum class Merges : unsigned char { kAwaited, kBesideWrites };

inline constexpr int64_t kWrites = 26;
inline constexpr int64_t kAddsVector = 7;  // after this write
inline constexpr int64_t kDropsVector = 20;

inline Life Live(World& world, Merges merges = Merges::kAwaited) {
  Life life;
  life.states.emplace_back();
  if (!world.Create().ok()) return life;
  life.created = true;
  for (int64_t write = 1; write <= kWrites; ++write) {
    State state = life.states.back();
    Status status = world.Write(write, state);
    life.states.push_back(std::move(state));
    if (!status.ok()) return life;
    ++life.acknowledged;
    if (write == kAddsVector || write == kDropsVector) {
      State changed = life.states.back();
      status = world.ChangeVectors(changed);
      life.states.push_back(std::move(changed));
      if (!status.ok()) return life;
      life.sealed = ++life.acknowledged;
    }
    if (write % 4 == 0) {
      if (!world.collection->Seal().ok()) return life;
      life.sealed = life.acknowledged;
      // Not asked whether it succeeds: nothing depends on it.
      if (merges == Merges::kAwaited) static_cast<void>(world.collection->Merge());
    }
    if (write == 18) {
      world.collection.reset();
      if (!world.Open().ok()) return life;
    }
  }
  life.finished = true;
  return life;
}

inline std::unique_ptr<env::SimulatedFileSystem> MakeDisk(uint64_t seed) {
  auto disk = std::make_unique<env::SimulatedFileSystem>(seed);
  EXPECT_TRUE(disk->CreateDirectories("/data").ok());
  EXPECT_TRUE(disk->SyncDirectory("/").ok());
  return disk;
}

}  // namespace akidb::engine::life
