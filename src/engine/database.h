// One data folder: its lock, its version, the system log with the catalog as its view, and the
// collections, opened at their first use, or before it where they were not closed cleanly.
// Thread-safe.
//
// Layout: docs/format/data_folder.md. The folder belongs to one process at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "engine/collection.h"
#include "engine/collection_state.h"
#include "engine/snapshot_store.h"
#include "env/clock.h"
#include "env/file_system.h"
#include "env/random.h"
#include "storage/snapshot/snapshot_folder.h"

namespace akidb::engine {

struct DatabaseOptions {
  std::string directory;
  int background_threads = 1;                     // write segments
  int optimizer_threads = 1;                      // merge them, at low priority
  int recovery_threads = 4;                       // open after the start what was not closed
  uint32_t index_threads = 1;                     // build one graph
  uint64_t index_memory_max = uint64_t{2} << 30;  // that building one may take
  size_t head_rows_max = 16384;
  size_t head_bytes_max = 64u << 20;
  uint64_t system_log_bytes_max = uint64_t{1} << 20;  // registry.h
};

struct DatabaseEnvironment {
  env::FileSystem& fs;
  env::Random& random;
  Logger& log;
  env::Clock* calendar = nullptr;  // dates snapshots; null: the system's. Nothing waits by it
};

// The model whose vectors a named vector holds.
struct BoundModel {
  std::string id;
  std::string fingerprint;
};

// Another name of a collection.
struct Alias {
  std::string name;
  std::string collection;
};

struct CreateAlias {
  std::string collection;
  std::string alias;  // of another collection until now, if it is there
};
struct DeleteAlias {
  std::string alias;
};
struct RenameAlias {
  std::string old_alias;
  std::string new_alias;
};
using AliasChange = std::variant<CreateAlias, DeleteAlias, RenameAlias>;

// One that is open.
struct OpenedCollection {
  std::string name;
  std::shared_ptr<Collection> collection;  // shared with requests
};

// Names of collections may be aliases wherever nothing else is said.
class Database {
 public:
  // Creates the folder when missing. kBusy: another process has it; kUnsupported: written by a
  // newer version; kIo: read-only; kStorageFull; kCorruption: the system log or catalog is damaged.
  static Result<std::unique_ptr<Database>> Open(DatabaseOptions options,
                                                const DatabaseEnvironment& environment);
  virtual ~Database() = default;

  // kAlreadyExists ("Collection `x` already exists!", an alias of that name, too), kValidation
  // (name, vectors).
  virtual Status CreateCollection(const std::string& name, const CollectionConfig& config) = 0;
  // With its aliases. False when there was none; an alias is none.
  virtual Result<bool> DeleteCollection(const std::string& name) = 0;
  // Sorted.
  virtual std::vector<std::string> ListCollections() const = 0;
  virtual bool CollectionExists(std::string_view name) const = 0;
  // Opens and recovers at first use. kNotFound ("Collection `x` doesn't exist!"); kUnavailable when
  // the collection is quarantined (others are not affected).
  virtual Result<std::shared_ptr<Collection>> FindCollection(std::string_view name) = 0;
  // By ascending name. Opens none, and waits for none that is being opened.
  virtual std::vector<OpenedCollection> OpenedCollections() const = 0;
  // Begins to open those that were not closed cleanly, or are damaged, some at a time by ascending
  // name, on threads of low priority; others are only looked at. Each is closed again unless
  // something is wrong with it; a request for one that is being opened opens it itself, from the
  // beginning. Does nothing when called again. Ends with the database.
  virtual void RecoverInBackground() = 0;
  virtual RecoveryReport recovery() const = 0;
  // Of all, by ascending name; likewise. None is kDegraded: its statistics tell.
  virtual std::vector<NamedState> States() const = 0;
  // Why no collection or alias can be made, changed or deleted until the next start; empty while
  // they can. What would have to do nothing for it is kUnavailable, too: that start may tell
  // otherwise.
  virtual std::string SystemTrouble() const = 0;

  // Adds vectors to a collection or leaves some out: what `change` makes of `vectors` and of the
  // options that are kept. The collection is opened anew: writes meanwhile are kUnavailable. Rows
  // of vectors that were left out go in the background, and until they have gone no vector of that
  // name can be added: kUnavailable. kValidation: too many; else as FindCollection and `change`.
  virtual Status ChangeVectors(std::string_view name, const OptionsChange& change) = 0;

  // One after the other, all or none; durable when it returns. kNotFound: no such collection, or no
  // alias to rename; kInvalidArgument: a collection has that name; kValidation: the name. An alias
  // to be deleted that isn't there is fine.
  virtual Status ChangeAliases(std::span<const AliasChange> changes) = 0;
  // By ascending name.
  virtual std::vector<Alias> Aliases() const = 0;

  // Which model's vectors a named vector holds; empty before the first text was stored there. The
  // first call for a vector sets it durably; a different fingerprint later is kInvalidArgument that
  // names both models. kNotFound: the collection is gone, though its name may be there.
  virtual Status BindModel(const Uuid& collection, std::string_view vector_name,
                           std::string_view model_id, std::string_view fingerprint) = 0;
  // Makes one of what the collection holds at one moment, while it is written to. One of each
  // collection at a time, others wait. kNotFound; kUnavailable, kCorruption: a file is damaged;
  // kStorageFull.
  virtual Result<SnapshotInfo> CreateSnapshot(const RequestContext& context,
                                              std::string_view collection) = 0;
  // The same into a folder of snapshots, which takes only files that it hasn't. Gives the name
  // there, the bytes of all its files, and its list's hash.
  virtual Result<storage::FileRef> CreateFolderSnapshot(const RequestContext& context,
                                                        std::string_view collection,
                                                        storage::SnapshotFolder& folder) = 0;
  // Of all collections, each of a moment of its own, and their aliases: a snapshot that is kept
  // under SnapshotStore::kWholeStorage. A collection that can't be read is an error.
  virtual Result<SnapshotInfo> CreateStorageSnapshot(const RequestContext& context) = 0;
  // Makes the collection, which may be there or not, hold what the snapshot at `path` does. Until
  // this has succeeded requests find the old one, and after a power cut either is found; writes to
  // the old one meanwhile are lost with it. Its aliases stay, its models become the snapshot's.
  // kCorruption, kUnsupported: no snapshot, a damaged or a newer one; kValidation: the name;
  // kStorageFull.
  virtual Status RestoreSnapshot(const RequestContext& context, const std::string& collection,
                                 const std::string& path) = 0;
  // Of one that has been opened, wherever it lies, and that is read by this.
  virtual Status RestoreSnapshot(const RequestContext& context, const std::string& collection,
                                 storage::SnapshotFile& snapshot) = 0;
  // Where they lie.
  virtual SnapshotStore& snapshots() = 0;
  // Of the collection that `name` is the name or an alias of. kNotFound.
  virtual Result<std::string> NameOf(std::string_view name) const = 0;

  // Nothing before the first text was stored there, and for what doesn't exist. Never waits for the
  // disk.
  virtual std::optional<BoundModel> ModelOf(std::string_view collection,
                                            std::string_view vector_name) const = 0;
  // The same of the collection itself, whatever its name stands for by now. kNotFound: it is gone.
  virtual Result<std::optional<BoundModel>> ModelOf(const Uuid& collection,
                                                    std::string_view vector_name) const = 0;
};

}  // namespace akidb::engine
