// What a database keeps of each of its collections.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/mutex.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "engine/collection.h"
#include "engine/collection_state.h"
#include "engine/database.h"
#include "engine/system_records.h"
#include "types/uuid.h"

namespace akidb::engine {

// One collection as the database knows it; opened when first asked for. One that is opened in the
// background before that is closed again.
struct DatabaseEntry {
  std::string name;
  Uuid uuid;
  // By vector name. Written under change_mutex_ and entries_mutex_, read under either.
  std::map<std::string, catalog::ModelBinding> bindings;
  Mutex open_mutex;                    // one opening at a time; the others wait for it
  std::atomic<bool> asked_for{false};  // by a request, since the start, or to be deleted
  // Shared with the requests that use it.
  std::shared_ptr<Collection> collection AKIDB_GUARDED_BY(open_mutex);
  // The same, for who doesn't wait for an opening. Guarded by entries_mutex_.
  std::weak_ptr<Collection> opened;
  // Likewise; `trouble` is the reason of a NamedState.
  CollectionState state = CollectionState::kClosed;
  std::string trouble;
  // Damage, which another try would find again.
  Status quarantine AKIDB_GUARDED_BY(open_mutex);
  bool deleted AKIDB_GUARDED_BY(open_mutex) = false;
  // Why it takes no writes until the next start, which alone can tell whether it is there then; "":
  // it does.
  std::string doubt AKIDB_GUARDED_BY(open_mutex);
  Mutex snapshot_mutex;  // one snapshot at a time; the others wait for it
};

// Whether opening again would fail again, whatever else happens on this machine.
inline bool IsLasting(ErrorCode code) {
  return code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported;
}

// Logs why a collection could not be opened, and gives it as kUnavailable. `name` is what it was
// asked for by.
Status TellNotOpened(Logger& log, std::string_view name, const Status& failure);

// Shared with the requests that use them. By name.
using EntriesByName = std::map<std::string, std::shared_ptr<DatabaseEntry>, std::less<>>;

struct DatabaseEntries {
  EntriesByName collections;
  EntriesByName aliases;
};

// All that the catalog knows, closed.
Result<DatabaseEntries> LoadEntries(const catalog::Catalog& catalog);

Status NoSuchCollection(std::string_view name);

// By the name of a collection or an alias; null when there is neither.
using FindEntryFunction = std::function<std::shared_ptr<DatabaseEntry>(std::string_view)>;

// One change to `aliases`, which are to be. Errors as Database::ChangeAliases.
Status ChangeAlias(const AliasChange& change, const FindEntryFunction& find,
                   EntriesByName& aliases);

// What makes the aliases `after` of those `before`.
SetAliasesRecord AliasesFrom(const EntriesByName& before, const EntriesByName& after);

// Collection::Open, which needs memory and threads that there may not be: kUnavailable then.
Result<std::shared_ptr<Collection>> OpenCollection(const CollectionOptions& options,
                                                   const CollectionEnvironment& environment,
                                                   const std::function<bool()>& give_way);

// Null where there is none.
std::shared_ptr<DatabaseEntry> EntryWith(const Uuid& uuid, const EntriesByName& collections);

// Of the vector; nothing where it has none, and for null.
std::optional<BoundModel> ModelIn(const DatabaseEntry* entry, std::string_view vector_name);

// False: the vector is bound to no model. kInvalidArgument, with both names: to another.
Result<bool> IsBoundAs(const BindModelRecord& record, const DatabaseEntry& entry);

void Bind(const BindModelRecord& record, DatabaseEntry& entry);

std::vector<storage::SnapshotModel> ModelsOf(const DatabaseEntry& entry);

// With its models; what it takes the place of may be null.
ReplaceCollectionRecord RecordOf(const DatabaseEntry& entry, std::string config_json,
                                 const DatabaseEntry* replaced);

// Fills in the bindings of one that a snapshot becomes. kCorruption: one vector of two models.
Status BindModelsOf(const storage::SnapshotContents& snapshot, DatabaseEntry& entry);

}  // namespace akidb::engine
