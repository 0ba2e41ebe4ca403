// For tests that hurt a whole database at any moment of its life: the machine that it runs on, what
// is done to it, and what is found in it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/database.h"
#include "engine/forwarding_file_system.h"
#include "engine/snapshot_restore.h"
#include "env/simulated_file_system.h"
#include "types/payload_json.h"

namespace akidb::engine::database_life {

inline constexpr char kFolder[] = "/data";
// The vector that collections get while they live.
inline constexpr char kAdded[] = "added";

struct StoredPoint {
  int64_t version = 0;
  bool added = false;  // has that vector
  friend bool operator==(const StoredPoint&, const StoredPoint&) = default;
};
using Points = std::map<uint64_t, StoredPoint>;

struct Held {
  Points points;
  bool has_added = false;
  std::string model;
  friend bool operator==(const Held&, const Held&) = default;
};

struct State {
  std::map<std::string, Held> collections;
  std::map<std::string, std::string> aliases;
  friend bool operator==(const State&, const State&) = default;

  std::string ToString() const {
    std::string text;
    for (const auto& [name, held] : collections) {
      text += name + (held.has_added ? "+" : "") + (held.model.empty() ? "" : "=" + held.model);
      for (const auto& [id, stored] : held.points) {
        text += " " + std::to_string(id) + ":" + std::to_string(stored.version);
        if (stored.added) text += "+";
      }
      text += "; ";
    }
    for (const auto& [alias, name] : aliases) text += alias + "->" + name + " ";
    return text;
  }
};

// A disk whose power goes, or that fails, at some moment; whatever cuts of the power a life has had
// before. Moments are counted over all of it.
class Machine {
 public:
  using Fault = std::function<Status(const env::SimulatedOperation&, uint64_t at)>;

  explicit Machine(std::unique_ptr<env::SimulatedFileSystem> disk) : disk_(std::move(disk)) {}
  static Machine New(uint64_t seed) {
    auto disk = std::make_unique<env::SimulatedFileSystem>(seed);
    EXPECT_TRUE(disk->CreateDirectories(kFolder).ok());
    EXPECT_TRUE(disk->SyncDirectory("/").ok());
    Machine machine(std::move(disk));
    machine.seed_ = seed;
    machine.operations_before_ -= machine.disk_->counters().operations;  // counted from now on
    return machine;
  }

  env::SimulatedFileSystem& disk() { return *disk_; }
  std::unique_ptr<env::SimulatedFileSystem> TakeDisk() { return std::move(disk_); }
  uint64_t changes() const { return changes_before_ + disk_->counters().changes; }

  // Whether that moment has come.
  bool power_went() const { return cut_ && changes() > *cut_; }
  void PowerOffAfter(uint64_t changes) {
    cut_ = this->changes() + changes;
    disk_->PowerOffAfter(changes);
  }
  // Called under the file system's lock.
  void SetFault(Fault fault) {
    fault_ = std::move(fault);
    Arm();
  }

  // The power goes and comes back. `close` ends what runs on the old disk, which nothing that it
  // does then reaches the new one.
  void CutPower(const std::function<void()>& close) {
    auto left = disk_->CloneAfterCrash(seed_);
    changes_before_ = changes();
    operations_before_ += disk_->counters().operations;
    disk_->SetFaultHook(nullptr);
    close();
    disk_ = std::move(left);
    if (cut_ && *cut_ >= changes_before_) disk_->PowerOffAfter(*cut_ - changes_before_);
    Arm();
  }

 private:
  void Arm() {
    if (!fault_) return;
    disk_->SetFaultHook([fault = fault_, before = operations_before_](const auto& operation) {
      return fault(operation, before + operation.index);
    });
  }

  std::unique_ptr<env::SimulatedFileSystem> disk_;
  uint64_t seed_ = 0;
  uint64_t changes_before_ = 0;
  uint64_t operations_before_ = 0;
  std::optional<uint64_t> cut_;
  Fault fault_;
};

// The reserve of 4 MiB is nearly all that there would be on the disk, and to copy and compare.
class SmallReserve final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, ForwardingFileSystem::Open(path, mode));
    if (!path.ends_with("/reserve")) return file;
    return std::unique_ptr<env::File>(std::make_unique<Reserve>(std::move(file)));
  }

 private:
  class Reserve final : public ForwardingFile {
   public:
    using ForwardingFile::ForwardingFile;
    Status Allocate(uint64_t) override { return ForwardingFile::Allocate(1); }
  };
};

// No two worlds draw the same UUIDs.
inline uint64_t NextRandomSeed() {
  static std::atomic<uint64_t> next{1};
  return next++;
}

inline Point MakePoint(uint64_t id, int64_t version, bool with_added) {
  Point point;
  point.id = PointId(id);
  point.vectors = {{"", {static_cast<float>(id), static_cast<float>(version)}}};
  if (with_added) point.vectors.push_back({kAdded, {static_cast<float>(version)}});
  point.payload = *ParsePayloadJson(R"({"w":)" + std::to_string(version) + "}");
  return point;
}

// A database on a machine. What is done with its collections is thread-safe; opening isn't.
class World {
 public:
  // `system_log_bytes_max`: as DatabaseOptions.
  World(Machine& machine, uint64_t system_log_bytes_max)
      : machine_(machine), system_log_bytes_max_(system_log_bytes_max) {}

  uint64_t system_log_bytes_max() const { return system_log_bytes_max_; }
  Database* database() { return database_.get(); }  // null: not open
  const RequestContext& context() const { return context_; }

  // Recovers in the background, and waits for its end.
  Status Open(bool recovers) {
    Close();
    files_ = std::make_unique<SmallReserve>(machine_.disk());
    DatabaseOptions options;
    options.directory = kFolder;
    options.system_log_bytes_max = system_log_bytes_max_;
    AKIDB_ASSIGN_OR_RETURN(database_,
                           Database::Open(options, {*files_, *random_, *log_, &calendar_}));
    if (!recovers) return OkStatus();
    database_->RecoverInBackground();
    while (database_->recovery().phase != RecoveryReport::Phase::kDone) std::this_thread::yield();
    return OkStatus();
  }
  void Close() { database_.reset(); }
  void CutPower() {
    machine_.CutPower([this] { Close(); });
  }
  // A day back, and then years ahead, the next time.
  void JumpInTime() {
    const int64_t day = int64_t{86'400} * 1'000'000;
    calendar_.SetUnixMicros(calendar_.UnixMicros() + (++jumps_ % 2 == 1 ? -day : 1000 * day));
  }

  void SetCalendar(int64_t seconds) { calendar_.SetUnixMicros(seconds * 1'000'000); }

  Status Create(const std::string& name) {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2, .metric = Metric::kEuclid};
    return database_->CreateCollection(name, config);
  }
  Status Delete(const std::string& name) {
    AKIDB_ASSIGN_OR_RETURN(const bool deleted, database_->DeleteCollection(name));
    return deleted ? OkStatus() : NotFoundError(name);
  }
  // `with_added`: whether the points have got that vector, which they do where it is known.
  Status Upsert(const std::string& name, const std::vector<uint64_t>& ids, int64_t version,
                bool& with_added) {
    AKIDB_ASSIGN_OR_RETURN(const auto collection, database_->FindCollection(name));
    with_added = collection->current_config()->vectors.contains(kAdded);
    std::vector<Point> points;
    for (const uint64_t id : ids) points.push_back(MakePoint(id, version, with_added));
    return collection->Upsert(context_, std::move(points)).status();
  }
  Status DeletePoints(const std::string& name, const std::vector<uint64_t>& ids) {
    AKIDB_ASSIGN_OR_RETURN(const auto collection, database_->FindCollection(name));
    const std::vector<PointId> points(ids.begin(), ids.end());
    return collection->Delete(context_, points).status();
  }
  Status Seal(const std::string& name) {
    AKIDB_ASSIGN_OR_RETURN(const auto collection, database_->FindCollection(name));
    return collection->Seal();
  }
  // Adds the vector, or leaves it out.
  Status ChangeVectors(const std::string& name, bool adds) {
    AKIDB_RETURN_IF_ERROR(database_->ChangeVectors(name, [adds](CollectionConfig& config) {
      if (adds) {
        config.vectors[kAdded] = {.dim = 1, .metric = Metric::kDot};
      } else {
        config.vectors.erase(kAdded);
      }
      return OkStatus();
    }));
    AKIDB_ASSIGN_OR_RETURN(const auto collection, database_->FindCollection(name));
    // Of what was left out. Nothing depends on its success.
    if (!adds) static_cast<void>(collection->Merge());
    return OkStatus();
  }

  // What the database holds; every answer that is asked for must agree with the others.
  Result<State> Read() {
    State state;
    for (const std::string& name : database_->ListCollections()) {
      AKIDB_ASSIGN_OR_RETURN(const auto collection, database_->FindCollection(name));
      AKIDB_ASSIGN_OR_RETURN(state.collections[name], ReadHeld(*collection));
      if (const auto model = database_->ModelOf(name, "")) {
        state.collections[name].model = model->id;
      }
    }
    for (const Alias& alias : database_->Aliases()) state.aliases[alias.name] = alias.collection;
    return state;
  }
  Result<Held> ReadHeld(Collection& collection) const {
    AKIDB_ASSIGN_OR_RETURN(Held held, ScrollAll(collection));
    AKIDB_ASSIGN_OR_RETURN(const uint64_t count, collection.Count(context_, nullptr));
    if (count != held.points.size() || count != collection.stats().points) {
      return InternalError("the count is wrong");
    }
    SearchRequest search;
    const DenseVector query{0, 0};
    search.query = query;
    search.limit = 1000;
    AKIDB_ASSIGN_OR_RETURN(const std::vector<Hit> hits, collection.Search(context_, search));
    if (hits.size() != held.points.size()) return InternalError("search and scroll differ");
    held.has_added = collection.current_config()->vectors.contains(kAdded);
    return held;
  }

  // Empty if each snapshot that is there is whole and each of `acknowledged`, which are pairs of a
  // collection and a name, is there.
  std::string CheckSnapshots(std::set<std::pair<std::string, std::string>> acknowledged) {
    SnapshotStore& store = database_->snapshots();
    const auto folders = files_->List(store.folder());
    if (!folders.ok()) return acknowledged.empty() ? "" : folders.status().ToString();
    for (const std::string& collection : *folders) {
      if (collection.starts_with('%') || collection.starts_with('.')) continue;
      const auto found = store.List(collection);
      if (!found.ok()) return found.status().ToString();
      for (const SnapshotInfo& info : *found) {
        const std::string path =
            env::JoinPath(env::JoinPath(store.folder(), collection), info.name);
        const auto whole = VerifySnapshot(context_, *files_, path, {});
        if (!whole.ok()) return info.name + ": " + whole.status().ToString();
        acknowledged.erase({collection, info.name});
      }
    }
    return acknowledged.empty() ? "" : acknowledged.begin()->second + " is missing";
  }
  // Empty if there is a folder for each collection and no other, and none was set aside.
  std::string CheckFolders() {
    const auto folders = files_->List(env::JoinPath(kFolder, "collections"));
    if (!folders.ok()) return folders.status().ToString();
    if (folders->size() != database_->ListCollections().size()) {
      return std::to_string(folders->size()) + " files and folders of collections";
    }
    // A catalog that could not be read may be there.
    const std::string kept = env::JoinPath(kFolder, "repaired");
    const auto aside = files_->List(kept);
    for (const std::string& one : aside.ok() ? *aside : std::vector<std::string>()) {
      const auto found = files_->Exists(env::JoinPath(env::JoinPath(kept, one), "collections"));
      if (!found.ok() || *found) return "a collection was set aside";
    }
    return "";
  }

 private:
  Result<Held> ScrollAll(Collection& collection) const {
    ScrollRequest request;
    request.limit = 1000;
    request.with_vectors.mode = VectorSelector::Mode::kAll;
    AKIDB_ASSIGN_OR_RETURN(const ScrollPage page, collection.Scroll(context_, request));
    Held held;
    for (const PointRecord& record : page.points) {
      StoredPoint& stored = held.points[record.id.number()];
      stored.version = record.payload->root().Member("w")->AsInt();
      stored.added = record.vectors->size() > 1;
      if (MakePoint(record.id.number(), stored.version, stored.added).vectors != *record.vectors) {
        return InternalError("vectors and payloads are of different writes");
      }
    }
    return held;
  }

  Machine& machine_;
  const uint64_t system_log_bytes_max_;
  std::unique_ptr<SmallReserve> files_;
  std::unique_ptr<env::Random> random_ = env::MakeSeededRandom(NextRandomSeed());
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  env::ManualClock calendar_;
  std::atomic<int64_t> jumps_ = 0;
  RequestContext context_;
  std::unique_ptr<Database> database_;
};

}  // namespace akidb::engine::database_life
