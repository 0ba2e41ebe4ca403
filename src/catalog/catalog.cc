#include "catalog/catalog.h"

#include <array>
#include <functional>
#include <initializer_list>
#include <variant>

#include <sqlite3.h>

#include "base/mutex.h"
#include "catalog/sqlite_files.h"

namespace akidb::catalog {
namespace {

constexpr int64_t kSchemaVersion = 1;

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS collections (
  uuid BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, config TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS model_bindings (
  collection BLOB NOT NULL REFERENCES collections (uuid) ON DELETE CASCADE,
  vector TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL,
  PRIMARY KEY (collection, vector)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aliases (
  name TEXT PRIMARY KEY,
  collection BLOB NOT NULL REFERENCES collections (uuid) ON DELETE CASCADE) WITHOUT ROWID;
)sql";

Status SqlError(sqlite3* db, std::string_view what) {
  int code = sqlite3_extended_errcode(db);
  std::string text = "catalog: " + std::string(what) + ": " + sqlite3_errmsg(db);
  if (code == SQLITE_IOERR_DATA) {
    return CorruptionError("catalog: a page is damaged, or has no checksum yet");
  }
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:  // the changes are right
      return CorruptionError(std::move(text));
    case SQLITE_FULL:
      return StorageFullError(std::move(text));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return BusyError(std::move(text));
    default:
      return IoError(std::move(text));
  }
}

std::string_view UuidBytes(const Uuid& uuid) {
  return {reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()};
}

struct Blob {
  std::string_view bytes;
};
using Parameter = std::variant<int64_t, std::string_view, Blob>;

// One prepared statement; finalised when it goes.
class Statement {
 public:
  static Result<Statement> Prepare(sqlite3* db, const char* sql,
                                   std::initializer_list<Parameter> parameters = {}) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db, sql, -1, &raw, nullptr) != SQLITE_OK) return SqlError(db, sql);
    Statement statement(db, raw);
    int position = 0;
    for (const Parameter& parameter : parameters) {
      if (!statement.Bind(++position, parameter)) return SqlError(db, sql);
    }
    return statement;
  }

  // True while there is a row.
  Result<bool> Step() {
    int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return SqlError(db_, "step");
  }

  int64_t Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string Text(int column) const {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    int bytes = sqlite3_column_bytes(statement_.get(), column);
    return data == nullptr ? "" : std::string(static_cast<const char*>(data), bytes);
  }
  Result<Uuid> UuidAt(int column) const {
    std::string bytes = Text(column);
    Uuid uuid;
    if (bytes.size() != uuid.bytes.size()) return CorruptionError("catalog: malformed uuid");
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(uuid.bytes.data()));
    return uuid;
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(sqlite3* db, sqlite3_stmt* raw) : db_(db), statement_(raw) {}

  // The bound bytes outlive the statement's run.
  bool Bind(int position, const Parameter& parameter) {
    sqlite3_stmt* s = statement_.get();
    if (const int64_t* number = std::get_if<int64_t>(&parameter)) {
      return sqlite3_bind_int64(s, position, *number) == SQLITE_OK;
    }
    if (const Blob* blob = std::get_if<Blob>(&parameter)) {
      return sqlite3_bind_blob64(s, position, blob->bytes.data(), blob->bytes.size(),
                                 SQLITE_STATIC) == SQLITE_OK;
    }
    std::string_view text = std::get<std::string_view>(parameter);
    return sqlite3_bind_text64(s, position, text.data() == nullptr ? "" : text.data(), text.size(),
                               SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
  }

  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

Status Execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return OkStatus();
  return SqlError(db, "statement refused");
}

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(std::unique_ptr<SqliteFiles> files, DatabaseHandle db, uint64_t applied_seq)
      : files_(std::move(files)), db_(std::move(db)), applied_seq_(applied_seq) {}

  uint64_t applied_seq() const override {
    MutexLock lock(mutex_);
    return applied_seq_;
  }

  Status AddCollection(uint64_t seq, const CollectionRow& row) override {
    return Apply(seq, [&]() AKIDB_REQUIRES(mutex_) { return Add(row); });
  }

  Status RemoveCollection(uint64_t seq, const Uuid& uuid) override {
    return Apply(seq, [&]() AKIDB_REQUIRES(mutex_) {
      return Run("DELETE FROM collections WHERE uuid = ?", {Blob{UuidBytes(uuid)}});
    });
  }

  Status BindModel(uint64_t seq, const ModelBinding& binding) override {
    return Apply(seq, [&]() AKIDB_REQUIRES(mutex_) { return Bind(binding); });
  }

  Status ReplaceCollection(uint64_t seq, const CollectionReplacement& replacement) override {
    const CollectionRow& row = replacement.row;
    const Blob uuid{UuidBytes(row.uuid)};
    return Apply(seq, [&]() AKIDB_REQUIRES(mutex_) -> Status {
      // No collection is called "": the name is still taken.
      AKIDB_RETURN_IF_ERROR(Run("INSERT INTO collections (uuid, name, config) VALUES (?, '', ?)",
                                {uuid, row.config_json}));
      if (replacement.replaced) {
        const Blob replaced{UuidBytes(*replacement.replaced)};
        AKIDB_RETURN_IF_ERROR(
            Run("UPDATE aliases SET collection = ? WHERE collection = ?", {uuid, replaced}));
        AKIDB_RETURN_IF_ERROR(Run("DELETE FROM collections WHERE uuid = ?", {replaced}));
      }
      AKIDB_RETURN_IF_ERROR(
          Run("UPDATE collections SET name = ? WHERE uuid = ?", {row.name, uuid}));
      for (const ModelBinding& binding : replacement.models) AKIDB_RETURN_IF_ERROR(Bind(binding));
      return OkStatus();
    });
  }

  Status SetAliases(uint64_t seq, std::span<const AliasRow> rows) override {
    return Apply(seq, [&]() AKIDB_REQUIRES(mutex_) -> Status {
      for (const AliasRow& row : rows) {
        AKIDB_RETURN_IF_ERROR(Run("DELETE FROM aliases WHERE name = ?", {row.name}));
        if (row.collection) AKIDB_RETURN_IF_ERROR(AddAlias(row));
      }
      return OkStatus();
    });
  }

  Status Load(uint64_t seq, const CatalogContent& content) override {
    return Apply(seq, [&]() AKIDB_REQUIRES(mutex_) -> Status {
      // Not by what they refer to: pages of several ages needn't agree.
      for (const char* table : {"aliases", "model_bindings", "collections"}) {
        AKIDB_RETURN_IF_ERROR(Run(("DELETE FROM " + std::string(table)).c_str(), {}));
      }
      for (const CollectionRow& row : content.collections) AKIDB_RETURN_IF_ERROR(Add(row));
      for (const ModelBinding& binding : content.models) AKIDB_RETURN_IF_ERROR(Bind(binding));
      for (const AliasRow& row : content.aliases) AKIDB_RETURN_IF_ERROR(AddAlias(row));
      return OkStatus();
    });
  }

  Result<std::vector<AliasRow>> Aliases() const override {
    MutexLock lock(mutex_);
    AKIDB_ASSIGN_OR_RETURN(
        Statement rows,
        Statement::Prepare(db_.get(), "SELECT name, collection FROM aliases ORDER BY name"));
    std::vector<AliasRow> aliases;
    for (;;) {
      AKIDB_ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more) return aliases;
      AKIDB_ASSIGN_OR_RETURN(Uuid uuid, rows.UuidAt(1));
      aliases.push_back({rows.Text(0), uuid});
    }
  }

  Result<std::vector<CollectionRow>> Collections() const override {
    MutexLock lock(mutex_);
    AKIDB_ASSIGN_OR_RETURN(
        Statement rows,
        Statement::Prepare(db_.get(), "SELECT uuid, name, config FROM collections ORDER BY name"));
    std::vector<CollectionRow> collections;
    for (;;) {
      AKIDB_ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more) return collections;
      AKIDB_ASSIGN_OR_RETURN(Uuid uuid, rows.UuidAt(0));
      collections.push_back({uuid, rows.Text(1), rows.Text(2)});
    }
  }

  Result<std::vector<ModelBinding>> ModelBindings() const override {
    MutexLock lock(mutex_);
    AKIDB_ASSIGN_OR_RETURN(
        Statement rows,
        Statement::Prepare(db_.get(),
                           "SELECT collection, vector, model, fingerprint FROM model_bindings"));
    std::vector<ModelBinding> bindings;
    for (;;) {
      AKIDB_ASSIGN_OR_RETURN(bool more, rows.Step());
      if (!more) return bindings;
      AKIDB_ASSIGN_OR_RETURN(Uuid uuid, rows.UuidAt(0));
      bindings.push_back({uuid, rows.Text(1), rows.Text(2), rows.Text(3)});
    }
  }

 private:
  Status Apply(uint64_t seq, const std::function<Status()>& changes) {
    MutexLock lock(mutex_);
    AKIDB_RETURN_IF_ERROR(Execute(db_.get(), "BEGIN IMMEDIATE"));
    Status status = RunInTransaction(seq, changes);
    if (!status.ok()) {
      // The first error is the one to report; a failed rollback leaves nothing committed either.
      (void)Execute(db_.get(), "ROLLBACK");
      return status;
    }
    applied_seq_ = seq;
    return OkStatus();
  }

  Status RunInTransaction(uint64_t seq, const std::function<Status()>& changes)
      AKIDB_REQUIRES(mutex_) {
    AKIDB_RETURN_IF_ERROR(changes());
    AKIDB_RETURN_IF_ERROR(
        Run("UPDATE state SET value = ? WHERE key = 'applied_seq'", {static_cast<int64_t>(seq)}));
    return Execute(db_.get(), "COMMIT");
  }

  Status Add(const CollectionRow& row) AKIDB_REQUIRES(mutex_) {
    return Run("INSERT INTO collections (uuid, name, config) VALUES (?, ?, ?)",
               {Blob{UuidBytes(row.uuid)}, row.name, row.config_json});
  }

  // Of a collection that is there; of another one nothing happens.
  Status AddAlias(const AliasRow& row) AKIDB_REQUIRES(mutex_) {
    return Run(
        "INSERT INTO aliases (name, collection) SELECT ?, uuid FROM collections WHERE uuid = ?",
        {row.name, Blob{UuidBytes(*row.collection)}});
  }

  Status Bind(const ModelBinding& binding) AKIDB_REQUIRES(mutex_) {
    return Run(
        "INSERT INTO model_bindings (collection, vector, model, fingerprint) VALUES (?, ?, ?, ?)",
        {Blob{UuidBytes(binding.collection)}, binding.vector_name, binding.model_id,
         binding.fingerprint});
  }

  // One statement that gives no rows.
  Status Run(const char* sql, std::initializer_list<Parameter> parameters) AKIDB_REQUIRES(mutex_) {
    AKIDB_ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(db_.get(), sql, parameters));
    return statement.Step().status();
  }

  mutable Mutex mutex_;
  const std::unique_ptr<SqliteFiles> files_;  // outlives db_
  DatabaseHandle db_;
  uint64_t applied_seq_ AKIDB_GUARDED_BY(mutex_);
};

Result<int64_t> ReadState(sqlite3* db, std::string_view key) {
  AKIDB_ASSIGN_OR_RETURN(Statement row,
                         Statement::Prepare(db, "SELECT value FROM state WHERE key = ?", {key}));
  AKIDB_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found) return CorruptionError("catalog: no " + std::string(key) + " in table state");
  return row.Integer(0);
}

// Of an older program's catalog some pages may lie in its log alone, which has no checksums: what
// its first page says must be known before SQLite writes others.
Status CheckPagesHaveRoom(env::FileSystem& fs, const std::string& path) {
  constexpr size_t kReservedAt = 20;  // https://www.sqlite.org/fileformat.html, 1.3
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(path));
  if (!exists) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<env::File> file,
                         fs.Open(path, env::OpenMode::kRead));
  std::array<std::byte, kReservedAt + 1> head{};
  AKIDB_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(0, head));
  if (got < head.size() || head[kReservedAt] == std::byte{kPageReservedBytes}) return OkStatus();
  return CorruptionError("catalog: " + path + " has no checksums yet, or is damaged");
}

// Reads all of it. kCorruption unless every page is what its checksum says, and they fit together.
Status CheckSound(sqlite3* db) {
  AKIDB_ASSIGN_OR_RETURN(Statement check, Statement::Prepare(db, "PRAGMA integrity_check(1)"));
  AKIDB_ASSIGN_OR_RETURN(bool answered, check.Step());
  const std::string found = answered ? check.Text(0) : "no answer";
  return found == "ok" ? OkStatus() : CorruptionError("catalog: " + found);
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::Open(env::FileSystem& fs, const std::string& path) {
  AKIDB_RETURN_IF_ERROR(CheckPagesHaveRoom(fs, path));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<SqliteFiles> files, SqliteFiles::Register(fs));
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &raw,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                             files->name().c_str());
  DatabaseHandle db(raw);
  if (code != SQLITE_OK) return SqlError(db.get(), "can't open " + path);
  int reserved = kPageReservedBytes;
  code = sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  if (code != SQLITE_OK) return SqlError(db.get(), "pages can't have checksums");
  AKIDB_RETURN_IF_ERROR(Execute(db.get(),
                                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; "
                                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                                "PRAGMA foreign_keys = ON; PRAGMA cache_size = -256;"));
  AKIDB_RETURN_IF_ERROR(Execute(db.get(), "BEGIN IMMEDIATE"));
  AKIDB_RETURN_IF_ERROR(Execute(db.get(), kSchema));
  AKIDB_RETURN_IF_ERROR(Execute(
      db.get(),
      "INSERT OR IGNORE INTO state VALUES ('schema_version', 1), ('applied_seq', 0); COMMIT"));
  AKIDB_ASSIGN_OR_RETURN(int64_t version, ReadState(db.get(), "schema_version"));
  if (version > kSchemaVersion) {
    return UnsupportedError(path + " is of version " + std::to_string(version) +
                            "; this program reads up to " + std::to_string(kSchemaVersion));
  }
  AKIDB_RETURN_IF_ERROR(CheckSound(db.get()));
  AKIDB_ASSIGN_OR_RETURN(int64_t applied, ReadState(db.get(), "applied_seq"));
  return std::unique_ptr<Catalog>(std::make_unique<SqliteCatalog>(std::move(files), std::move(db),
                                                                  static_cast<uint64_t>(applied)));
}

}  // namespace akidb::catalog
