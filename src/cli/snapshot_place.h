// What `akidb snapshot` asks of a server or a data folder. Not thread-safe, but for Cancel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/backend.h"
#include "engine/storage_snapshot.h"
#include "env/file_system.h"
#include "storage/snapshot/snapshot_folder.h"

namespace akidb::cli {

struct SnapshotFacts {
  std::string name;
  uint64_t bytes = 0;
  std::string created;   // RFC 3339 without a zone, UTC; empty: unknown
  std::string checksum;  // SHA-256, hexadecimal; empty: unknown
  // Of one in a folder: bytes that weren't there before.
  std::optional<uint64_t> copied{};
};

// Told now and then: bytes of how many.
using ByteProgress = std::function<void(uint64_t done, uint64_t total)>;

// What a snapshot of a whole storage is of.
struct StorageNames {
  std::vector<std::string> collections;
  std::vector<engine::StoredAlias> aliases;
};

class SnapshotPlace {
 public:
  virtual ~SnapshotPlace() = default;

  // What runs ends with kCancelled as soon as it can.
  virtual void Cancel() = 0;

  // Of snapshots: "" is the whole storage. Elsewhere a collection is meant.
  virtual Result<SnapshotFacts> Create(const std::string& collection) = 0;
  // By ascending name.
  virtual Result<std::vector<SnapshotFacts>> List(const std::string& collection) = 0;
  virtual Status Delete(const std::string& collection, const std::string& name) = 0;
  // Writes the snapshot to `path`, which must not be there; nothing is left of one that fails.
  virtual Status Fetch(const std::string& collection, const std::string& name,
                       const std::string& path, const ByteProgress& progress) = 0;

  // Makes one of the collection in a folder that was opened to be changed; none stays elsewhere.
  virtual Result<SnapshotFacts> CreateIn(const std::string& collection,
                                         storage::SnapshotFolder& folder,
                                         const ByteProgress& progress) = 0;

  virtual Result<StorageNames> Names() = 0;
  // Another name for the collection, whatever it was before.
  virtual Status SetAlias(const std::string& alias, const std::string& collection) = 0;
  virtual Result<bool> HasCollection(const std::string& name) = 0;
  // The collection, there or not, becomes what the snapshot of that name of collection `from`
  // holds, or the file.
  virtual Status RestoreNamed(const std::string& collection, const std::string& from,
                              const std::string& name) = 0;
  Status RestoreFile(const std::string& collection, const std::string& path,
                     const ByteProgress& progress);
  // The same of an archive that has been opened. `name`: what to call it.
  virtual Status RestoreArchive(const std::string& collection, std::unique_ptr<env::File> archive,
                                const std::string& name, const ByteProgress& progress) = 0;
};

Result<std::unique_ptr<SnapshotPlace>> OpenSnapshotPlace(const Place& place);
// Of one in a folder.
Result<SnapshotFacts> FactsIn(storage::SnapshotFolder& folder, const std::string& name);

// The two forms; `place` is a chosen one.
Result<std::unique_ptr<SnapshotPlace>> OpenHttpSnapshots(const Place& place);
Result<std::unique_ptr<SnapshotPlace>> OpenLocalSnapshots(const Place& place);

// Takes bytes into a new file `path`, which counts when it is finished; else nothing stays.
class NewFile {
 public:
  // kAlreadyExists.
  static Result<std::unique_ptr<NewFile>> Create(env::FileSystem& fs, std::string path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Status Append(std::span<const std::byte> piece);
  Status Finish();
  uint64_t bytes() const { return bytes_; }

 private:
  NewFile(env::FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  std::string temporary() const { return path_ + ".part"; }

  env::FileSystem& fs_;
  const std::string path_;
  std::unique_ptr<env::File> file_;
  uint64_t bytes_ = 0;
};

}  // namespace akidb::cli
