// The catalog: which collections exist and what they are, in SQLite.
//
// A view of the system log, never a second truth: every change carries the sequence number of its
// log record and stores it in the same transaction, so that replay knows where to go on, and a lost
// or damaged catalog is rebuilt from the log. Tables: docs/format/catalog.md. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "types/uuid.h"

namespace akidb::catalog {

struct CollectionRow {
  Uuid uuid;
  std::string name;
  std::string config_json;  // docs/format/collection.md
};

// Which model filled a named vector.
struct ModelBinding {
  Uuid collection;
  std::string vector_name;
  std::string model_id;
  std::string fingerprint;
};

// What becomes of an alias.
struct AliasRow {
  std::string name;
  std::optional<Uuid> collection;  // nullopt: there is no such alias any more
};

// A collection that comes in the place of another one, or of none.
struct CollectionReplacement {
  CollectionRow row;
  std::optional<Uuid> replaced;  // has the same name
  std::vector<ModelBinding> models;
};

// All that a catalog holds.
struct CatalogContent {
  std::vector<CollectionRow> collections;
  std::vector<ModelBinding> models;
  std::vector<AliasRow> aliases;
};

class Catalog {
 public:
  // Creates the file when missing. kCorruption when it is not a sound database: then the caller may
  // remove it, with its -wal and -shm, and replay the system log from its beginning. kUnsupported:
  // written by a newer version. One at a time for each file; `fs` outlives it.
  static Result<std::unique_ptr<Catalog>> Open(env::FileSystem& fs, const std::string& path);
  virtual ~Catalog() = default;

  // The last system log record that this view holds; 0 = none.
  virtual uint64_t applied_seq() const = 0;

  // One transaction each: the change and applied_seq = seq. `seq` must grow.
  virtual Status AddCollection(uint64_t seq, const CollectionRow& row) = 0;
  virtual Status RemoveCollection(uint64_t seq, const Uuid& uuid) = 0;
  // The aliases of the one that goes become those of the one that comes; its bindings go.
  virtual Status ReplaceCollection(uint64_t seq, const CollectionReplacement& replacement) = 0;
  virtual Status BindModel(uint64_t seq, const ModelBinding& binding) = 0;
  // Those of a collection that is not there any more are passed over. They go with it, too.
  virtual Status SetAliases(uint64_t seq, std::span<const AliasRow> rows) = 0;
  // This and nothing else is in it then; `seq` may be what it was.
  virtual Status Load(uint64_t seq, const CatalogContent& content) = 0;

  virtual Result<std::vector<CollectionRow>> Collections() const = 0;
  virtual Result<std::vector<ModelBinding>> ModelBindings() const = 0;
  // Each of a collection; by name.
  virtual Result<std::vector<AliasRow>> Aliases() const = 0;
};

}  // namespace akidb::catalog
