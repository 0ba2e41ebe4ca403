#include "engine/database.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/mutex.h"
#include "catalog/catalog.h"
#include "engine/system_records.h"
#include "engine/vector_schema.h"
#include "storage/wal/log.h"
#include "types/collection_config_json.h"

namespace akidb::engine {
namespace {

constexpr char kFolderVersion[] = "1\n";
constexpr size_t kNameBytesMax = 255;
constexpr uint64_t kSystemLogFileBytes = 1 << 20;

// One collection as the database knows it; opened when first asked for.
struct Entry {
  Uuid uuid;
  CollectionConfig config;
  std::map<std::string, catalog::ModelBinding> bindings;  // by vector name
  Mutex open_mutex;  // one opening at a time; the others wait for it
  // Shared with the requests that use it.
  std::shared_ptr<Collection> collection AKIDB_GUARDED_BY(open_mutex);
  Status open_failure AKIDB_GUARDED_BY(open_mutex);
};

Status CheckName(const std::string& name) {
  if (name.empty() || name.size() > kNameBytesMax) {
    return ValidationError("[collection_name: must have 1 to 255 bytes, has " +
                           std::to_string(name.size()) + "]");
  }
  static constexpr std::string_view kForbidden("<>:\"/\\|?*\0\x1F", 11);
  if (name.find_first_of(kForbidden) != std::string::npos) {
    return ValidationError("[collection_name: `" + name +
                           "` holds a character that names can't have: one of <>:\"/\\|?*]");
  }
  return OkStatus();
}

Status CheckConfig(const CollectionConfig& config) {
  if (config.vectors.size() > kNamedVectorsMax) {
    return ValidationError("[vectors: at most " + std::to_string(kNamedVectorsMax) +
                           " named vectors, got " + std::to_string(config.vectors.size()) + "]");
  }
  for (const auto& [name, vector] : config.vectors) {
    if (vector.dim == 0 || vector.dim > kDimMax) {
      return ValidationError("[vectors.size: must be from 1 to " + std::to_string(kDimMax) +
                             ", got " + std::to_string(vector.dim) + "]");
    }
  }
  return OkStatus();
}

// The folder itself: made, ours alone, of a version that we can read.
Result<std::unique_ptr<env::FileLock>> ClaimFolder(env::FileSystem& fs, const std::string& folder) {
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(folder));
  Result<std::unique_ptr<env::FileLock>> lock = fs.Lock(env::JoinPath(folder, "LOCK"));
  if (!lock.ok()) {
    if (lock.status().code() != ErrorCode::kBusy) return lock.status();
    return BusyError("data folder " + folder + " is in use by another process");
  }
  std::string path = env::JoinPath(folder, "VERSION");
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(path));
  if (!exists) {
    AKIDB_RETURN_IF_ERROR(
        env::WriteFileAtomically(fs, path, std::as_bytes(std::span(kFolderVersion, 2))));
    return lock;
  }
  AKIDB_ASSIGN_OR_RETURN(std::string version, env::ReadWholeFile(fs, path, 64));
  if (version != kFolderVersion) {
    while (!version.empty() && version.back() == '\n') version.pop_back();
    return UnsupportedError(
        "data folder " + folder + " is of version `" + version +
        "`; this program reads version 1. Use a newer akidb, or another folder");
  }
  return lock;
}

class DatabaseImpl final : public Database {
 public:
  DatabaseImpl(DatabaseOptions options, const DatabaseEnvironment& environment)
      : options_(std::move(options)),
        environment_(environment),
        background_({.name = "background", .threads = options_.background_threads}) {}

  ~DatabaseImpl() override { background_.Stop(); }

  Status Start() {
    AKIDB_ASSIGN_OR_RETURN(lock_, ClaimFolder(environment_.fs, options_.directory));
    AKIDB_RETURN_IF_ERROR(environment_.fs.CreateDirectories(Path("collections")));
    AKIDB_RETURN_IF_ERROR(OpenCatalog());
    AKIDB_RETURN_IF_ERROR(LoadEntries());
    return RemoveOrphans();
  }

  Status CreateCollection(const std::string& name, const CollectionConfig& config) override {
    AKIDB_RETURN_IF_ERROR(CheckName(name));
    AKIDB_RETURN_IF_ERROR(CheckConfig(config));
    MutexLock change(change_mutex_);
    if (CollectionExists(name)) {
      return AlreadyExistsError("Collection `" + name + "` already exists!");
    }
    std::array<std::byte, 16> random;
    environment_.random.Fill(random);
    auto entry = std::make_shared<Entry>();
    entry->uuid = Uuid::FromRandom(random);
    entry->config = config;
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection,
                           Collection::Create(OptionsOf(*entry), config, CollectionParts()));
    AKIDB_RETURN_IF_ERROR(environment_.fs.SyncDirectory(Path("collections")));
    AKIDB_RETURN_IF_ERROR(
        Apply(CreateCollectionRecord{entry->uuid, name, CollectionConfigToJson(config)}));
    {
      MutexLock lock(entry->open_mutex);
      entry->collection = std::move(collection);
    }
    MutexLock lock(entries_mutex_);
    entries_[name] = std::move(entry);
    return OkStatus();
  }

  Result<bool> DeleteCollection(const std::string& name) override {
    MutexLock change(change_mutex_);
    std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) return false;
    AKIDB_RETURN_IF_ERROR(Apply(DeleteCollectionRecord{entry->uuid}));
    {
      MutexLock lock(entries_mutex_);
      entries_.erase(name);
    }
    {
      MutexLock lock(entry->open_mutex);
      if (entry->collection) entry->collection->Drop();
    }
    Status removed = environment_.fs.RemoveAll(FolderOf(entry->uuid));
    if (!removed.ok()) {
      environment_.log.Write(LogLevel::kWarning, "collection_files_left", removed.message(),
                             {{"collection", name}});
    }
    return true;
  }

  std::vector<std::string> ListCollections() const override {
    MutexLock lock(entries_mutex_);
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
  }

  bool CollectionExists(std::string_view name) const override {
    MutexLock lock(entries_mutex_);
    return entries_.find(name) != entries_.end();
  }

  Result<std::shared_ptr<Collection>> FindCollection(std::string_view name) override {
    std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) {
      return NotFoundError("Collection `" + std::string(name) + "` doesn't exist!");
    }
    MutexLock lock(entry->open_mutex);
    if (entry->collection) return entry->collection;
    if (!entry->open_failure.ok()) return entry->open_failure;
    Result<std::shared_ptr<Collection>> opened =
        Collection::Open(OptionsOf(*entry), CollectionParts());
    if (!opened.ok()) {
      entry->open_failure = UnavailableError("Collection `" + std::string(name) +
                                             "` is quarantined: " + opened.status().ToString());
      environment_.log.Write(LogLevel::kError, "collection_quarantined", opened.status().message(),
                             {{"collection", name}});
      return entry->open_failure;
    }
    entry->collection = std::move(opened).value();
    return entry->collection;
  }

  Status BindModel(std::string_view collection, std::string_view vector_name,
                   std::string_view model_id, std::string_view fingerprint) override {
    MutexLock change(change_mutex_);
    std::shared_ptr<Entry> entry = FindEntry(collection);
    if (!entry) {
      return NotFoundError("Collection `" + std::string(collection) + "` doesn't exist!");
    }
    std::string vector(vector_name);
    if (auto bound = entry->bindings.find(vector); bound != entry->bindings.end()) {
      if (bound->second.fingerprint == fingerprint) return OkStatus();
      return InvalidArgumentError("vector `" + vector + "` holds texts embedded by model " +
                                  bound->second.model_id + "; model " + std::string(model_id) +
                                  " (fingerprint " + std::string(fingerprint) +
                                  ") can't be mixed with it");
    }
    catalog::ModelBinding binding{entry->uuid, vector, std::string(model_id),
                                  std::string(fingerprint)};
    AKIDB_RETURN_IF_ERROR(Apply(BindModelRecord{binding.collection, binding.vector_name,
                                                binding.model_id, binding.fingerprint}));
    entry->bindings.emplace(vector, std::move(binding));
    return OkStatus();
  }

 private:
  std::string Path(std::string_view name) const { return env::JoinPath(options_.directory, name); }
  std::string FolderOf(const Uuid& uuid) const {
    return env::JoinPath(Path("collections"), uuid.ToString());
  }
  CollectionOptions OptionsOf(const Entry& entry) const {
    return {.directory = FolderOf(entry.uuid),
            .uuid = entry.uuid,
            .head_rows_max = options_.head_rows_max,
            .head_bytes_max = options_.head_bytes_max};
  }
  CollectionEnvironment CollectionParts() {
    return {environment_.fs, environment_.random, background_, environment_.log};
  }

  std::shared_ptr<Entry> FindEntry(std::string_view name) const {
    MutexLock lock(entries_mutex_);
    auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : it->second;
  }

  // Opens the catalog and replays what the system log has beyond it. A damaged catalog is made anew
  // from the whole log.
  Status OpenCatalog() {
    Result<std::unique_ptr<catalog::Catalog>> opened = catalog::Catalog::Open(Path("catalog.db"));
    if (opened.ok()) {
      catalog_ = std::move(opened).value();
      return OpenSystemLog();
    }
    const Status& status = opened.status();
    if (status.code() != ErrorCode::kCorruption) return status;
    environment_.log.Write(LogLevel::kWarning, "catalog_rebuilt", status.message());
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::string path = Path("catalog.db") + suffix;
      AKIDB_ASSIGN_OR_RETURN(bool exists, environment_.fs.Exists(path));
      if (exists) AKIDB_RETURN_IF_ERROR(environment_.fs.Remove(path));
    }
    AKIDB_ASSIGN_OR_RETURN(catalog_, catalog::Catalog::Open(Path("catalog.db")));
    return OpenSystemLog();
  }

  // The whole log is read, so that a rebuilt catalog is a full one; the view skips what it has.
  Status OpenSystemLog() {
    uint64_t applied = catalog_->applied_seq();
    auto replay = [&](const storage::LogRecord& record) -> Status {
      if (record.seq <= applied) return OkStatus();
      AKIDB_ASSIGN_OR_RETURN(SystemRecord decoded, DecodeSystemRecord(record.type, record.body));
      return ApplyToCatalog(record.seq, decoded);
    };
    storage::LogOptions options;
    options.directory = Path("system");
    options.file_bytes_max = kSystemLogFileBytes;
    storage::LogRecoveryReport report;
    AKIDB_ASSIGN_OR_RETURN(
        system_log_, storage::Log::Open({environment_.fs, environment_.random, environment_.log},
                                        std::move(options), replay, &report));
    if (report.last_seq < applied) {
      return CorruptionError("the system log ends at record " + std::to_string(report.last_seq) +
                             ", but the catalog holds record " + std::to_string(applied));
    }
    return OkStatus();
  }

  // Writes the record to the system log, waits until it is durable, updates the view.
  Status Apply(const SystemRecord& record) AKIDB_REQUIRES(change_mutex_) {
    AKIDB_ASSIGN_OR_RETURN(uint64_t seq, system_log_->Enqueue(static_cast<uint8_t>(TypeOf(record)),
                                                              EncodeSystemRecord(record)));
    AKIDB_RETURN_IF_ERROR(system_log_->Wait(seq));
    return ApplyToCatalog(seq, record);
  }

  Status ApplyToCatalog(uint64_t seq, const SystemRecord& record) {
    if (const auto* create = std::get_if<CreateCollectionRecord>(&record)) {
      return catalog_->AddCollection(seq, {create->uuid, create->name, create->config_json});
    }
    if (const auto* remove = std::get_if<DeleteCollectionRecord>(&record)) {
      return catalog_->RemoveCollection(seq, remove->uuid);
    }
    const auto& bind = std::get<BindModelRecord>(record);
    return catalog_->BindModel(seq, {bind.uuid, bind.vector_name, bind.model_id, bind.fingerprint});
  }

  Status LoadEntries() {
    AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::CollectionRow> rows, catalog_->Collections());
    AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::ModelBinding> bindings, catalog_->ModelBindings());
    MutexLock lock(entries_mutex_);
    for (catalog::CollectionRow& row : rows) {
      auto entry = std::make_shared<Entry>();
      entry->uuid = row.uuid;
      AKIDB_ASSIGN_OR_RETURN(entry->config, CollectionConfigFromJson(row.config_json));
      for (const catalog::ModelBinding& binding : bindings) {
        if (binding.collection == row.uuid) entry->bindings.emplace(binding.vector_name, binding);
      }
      entries_.emplace(std::move(row.name), std::move(entry));
    }
    return OkStatus();
  }

  // Folders of collections whose creation was not finished or whose deletion was.
  Status RemoveOrphans() {
    std::set<std::string> known;
    {
      MutexLock lock(entries_mutex_);
      for (const auto& [name, entry] : entries_) known.insert(entry->uuid.ToString());
    }
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> folders,
                           environment_.fs.List(Path("collections")));
    for (const std::string& folder : folders) {
      if (known.count(folder) == 0 && Uuid::Parse(folder)) {
        AKIDB_RETURN_IF_ERROR(
            environment_.fs.RemoveAll(env::JoinPath(Path("collections"), folder)));
      }
    }
    return OkStatus();
  }

  const DatabaseOptions options_;
  const DatabaseEnvironment environment_;
  std::unique_ptr<env::FileLock> lock_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<storage::Log> system_log_;
  Mutex change_mutex_;  // one change of the catalog at a time; held over its sync, never by readers
  mutable Mutex entries_mutex_;
  // Entries are shared with requests that open their collection.
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_
      AKIDB_GUARDED_BY(entries_mutex_);
  Executor background_;
};

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(DatabaseOptions options,
                                                 const DatabaseEnvironment& environment) {
  auto database = std::make_unique<DatabaseImpl>(std::move(options), environment);
  AKIDB_RETURN_IF_ERROR(database->Start());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace akidb::engine
