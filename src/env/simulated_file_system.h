// A file system in memory whose disk keeps synced and unsynced state apart, per file and per
// directory entry, so that a power cut can be played out at any operation.
//
// What a program sees is the page cache. A write, a size change, a new name or a removal is
// "unsynced" until SyncData of that file or SyncDirectory of that folder; the first says nothing of
// the second. A crash keeps any subset of the unsynced changes: writes are taken apart at page
// borders, each piece survives or not and may be torn; a rename within a folder survives as a whole
// or not at all. A failed sync loses what it was to make durable, and, as on Linux, the cache goes
// on showing it until DropCache.
//
// Thread-safe. Outlives its files, maps and locks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "env/file_system.h"

namespace akidb::env {

struct SimulatedOperation {
  enum class Kind : uint8_t {
    kOpen,
    kCreate,
    kRead,  // of a file, or each range that a map is to fetch
    kWrite,
    kAllocate,
    kTruncate,
    kSyncData,
    kRename,
    kRemove,
    kCreateDirectory,
    kSyncDirectory,
    kOther,  // size, list, exists, map, lock, free space, dropping the cache
  };
  Kind kind = Kind::kOther;
  std::string_view path;  // of a rename: the new name
  uint64_t offset = 0;
  uint64_t bytes = 0;  // to read or write, or the new size
  uint64_t index = 0;  // counts every operation of this file system, from 0
};

struct SimulatedCounters {
  uint64_t operations = 0;
  uint64_t changes = 0;  // operations that change the disk or sync it
  uint64_t reads = 0;
  uint64_t writes = 0;
  uint64_t bytes_written = 0;
  uint64_t data_syncs = 0;
  uint64_t directory_syncs = 0;
};

class SimulatedFileSystem final : public FileSystem {
 public:
  // An error makes the operation fail with it; a write, allocation or truncation then does nothing,
  // and a sync loses data as described above. Called under the file system's lock.
  using FaultHook = std::function<Status(const SimulatedOperation&)>;
  using DelayHook = std::function<void(SimulatedOperation::Kind, const std::string& path)>;

  // `seed` decides what a failed sync loses.
  explicit SimulatedFileSystem(uint64_t seed);
  ~SimulatedFileSystem() override;

  void SetFaultHook(FaultHook hook);
  // Called without a lock before every operation, by all threads that have one; of a SyncData
  // between noting what is to be synced and syncing it. Changes nothing itself but the order.
  void SetDelay(DelayHook delay);
  // The same before every SyncData, and nothing else.
  void SetSyncDelay(std::function<void()> delay);
  // Room for the sizes of all files together; beyond it kStorageFull. Unlimited at first.
  void SetCapacity(uint64_t bytes);
  // Power goes during the `changes`-th changing operation from now (0: the next one): its effect
  // is in doubt as that of unsynced writes; it and everything later fails, until Crash.
  void PowerOffAfter(uint64_t changes);

  // Power comes back: each unsynced change has survived or not, as `seed` decides. Files, maps and
  // locks from before fail from now on.
  void Crash(uint64_t seed);
  // The disk as after Crash(seed), in a file system of its own; this one goes on as if nothing was.
  std::unique_ptr<SimulatedFileSystem> CloneAfterCrash(uint64_t seed) const;

  // Damage to the medium: flips one bit, in the cache and on the disk.
  Status FlipBit(const std::string& path, uint64_t bit);

  SimulatedCounters counters() const;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<MappedFile>> Map(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveAll(const std::string& path) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<bool> IsDirectory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;

 private:
  struct Node;
  class SimulatedFile;
  class SimulatedLock;
  class SimulatedMap;
  using Kind = SimulatedOperation::Kind;

  struct Location {
    std::shared_ptr<Node> parent;
    std::string name;
    std::shared_ptr<Node> node;  // null when there is no such entry
  };

  void Delay(Kind kind, const std::string& path) const AKIDB_EXCLUDES(mutex_);
  // Counts the operation; its error, if it is to fail. `in_doubt` turns true when the power goes
  // during this very operation, whose effect then still counts as unsynced.
  Status Begin(SimulatedOperation operation, bool* in_doubt) AKIDB_REQUIRES(mutex_);
  // kNotFound when the folder of `path` is missing.
  Result<Location> Find(const std::string& path) const AKIDB_REQUIRES(mutex_);
  Result<std::shared_ptr<Node>> FindFile(const std::string& path) const AKIDB_REQUIRES(mutex_);
  Status CheckRoom(uint64_t more_bytes, const std::string& path) const AKIDB_REQUIRES(mutex_);
  Status RemoveTree(const std::string& path) AKIDB_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::shared_ptr<Node> root_ AKIDB_GUARDED_BY(mutex_);  // shared with open files
  uint64_t generation_ AKIDB_GUARDED_BY(mutex_) = 0;     // of handles; a crash begins a new one
  uint64_t next_change_ AKIDB_GUARDED_BY(mutex_) = 1;
  uint64_t random_state_ AKIDB_GUARDED_BY(mutex_);
  uint64_t capacity_ AKIDB_GUARDED_BY(mutex_) = UINT64_MAX;
  std::optional<uint64_t> changes_left_ AKIDB_GUARDED_BY(mutex_);
  bool power_off_ AKIDB_GUARDED_BY(mutex_) = false;
  FaultHook fault_hook_ AKIDB_GUARDED_BY(mutex_);
  std::shared_ptr<const DelayHook> delay_ AKIDB_GUARDED_BY(mutex_);  // shared with who calls it
  std::set<std::string> locked_ AKIDB_GUARDED_BY(mutex_);
  SimulatedCounters counters_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::env
