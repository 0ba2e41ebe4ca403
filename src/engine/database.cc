#include "engine/database.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "base/mutex.h"
#include "catalog/catalog.h"
#include "engine/alarms.h"
#include "engine/data_folder.h"
#include "engine/space_reserve.h"
#include "engine/system_records.h"
#include "engine/vector_index.h"
#include "engine/vector_schema.h"
#include "storage/wal/log.h"
#include "types/collection_config_json.h"

namespace akidb::engine {
namespace {

constexpr size_t kNameBytesMax = 255;
constexpr uint64_t kSystemLogFileBytes = 1 << 20;
// Merges give way to everything else.
constexpr int kOptimizerNice = 10;

// One collection as the database knows it; opened when first asked for.
struct Entry {
  std::string name;
  Uuid uuid;
  // By vector name. Written under change_mutex_ and entries_mutex_, read under either.
  std::map<std::string, catalog::ModelBinding> bindings;
  Mutex open_mutex;  // one opening at a time; the others wait for it
  // Shared with the requests that use it.
  std::shared_ptr<Collection> collection AKIDB_GUARDED_BY(open_mutex);
  // The same, for who doesn't wait for an opening. Guarded by entries_mutex_.
  std::weak_ptr<Collection> opened;
  // Damage, which another try would find again.
  Status quarantine AKIDB_GUARDED_BY(open_mutex);
  bool deleted AKIDB_GUARDED_BY(open_mutex) = false;
};

// Whether opening again would fail again, whatever else happens on this machine.
bool IsLasting(ErrorCode code) {
  return code == ErrorCode::kCorruption || code == ErrorCode::kUnsupported;
}

Status NoSuchCollection(std::string_view name) {
  return NotFoundError("Collection `" + std::string(name) + "` doesn't exist!");
}

Status CheckName(const std::string& name) {
  if (name.empty() || name.size() > kNameBytesMax) {
    return ValidationError("[collection_name: must have 1 to 255 bytes, has " +
                           std::to_string(name.size()) + "]");
  }
  static constexpr std::string_view kForbidden("<>:\"/\\|?*");
  if (name.find_first_of(kForbidden) != std::string::npos) {
    return ValidationError("[collection_name: `" + name +
                           "` holds a character that names can't have: one of <>:\"/\\|?*]");
  }
  // A name is printed in logs and on terminals.
  auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(name.begin(), name.end(), is_control)) {
    return ValidationError("[collection_name: holds a control character]");
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

class DatabaseImpl final : public Database {
 public:
  DatabaseImpl(DatabaseOptions options, const DatabaseEnvironment& environment)
      : options_(std::move(options)),
        environment_(environment),
        reserve_(environment.fs, environment.log, Path("reserve")),
        indexer_(MakeVectorIndexer(
            {.threads = options_.index_threads, .memory_max = options_.index_memory_max},
            environment.log)),
        background_({.name = "background", .threads = options_.background_threads}),
        optimizer_(
            {.name = "optimizer", .threads = options_.optimizer_threads, .nice = kOptimizerNice}),
        short_merges_({.name = "short_merges", .nice = kOptimizerNice}),
        alarm_thread_([this] { alarms_.Run(); }) {}

  ~DatabaseImpl() override {
    {
      // Ends what the background does for them; queued tasks then find nothing to do.
      MutexLock lock(entries_mutex_);
      aliases_.clear();
      entries_.clear();
    }
    alarms_.Stop();
    alarm_thread_.join();
    optimizer_.Stop();
    short_merges_.Stop();
    background_.Stop();
  }

  Status Start() {
    AKIDB_ASSIGN_OR_RETURN(lock_, ClaimFolder(environment_.fs, options_.directory));
    reserve_.ReleaseIfFull();
    AKIDB_RETURN_IF_ERROR(environment_.fs.CreateDirectories(Path("collections")));
    AKIDB_RETURN_IF_ERROR(CheckSystemLogIsThere());
    AKIDB_RETURN_IF_ERROR(OpenCatalog());
    // Whatever this or a start that was cut off has made in it.
    AKIDB_RETURN_IF_ERROR(environment_.fs.SyncDirectory(options_.directory));
    AKIDB_RETURN_IF_ERROR(LoadEntries());
    RemoveOrphans();
    reserve_.Hold();
    return OkStatus();
  }

  Status CreateCollection(const std::string& name, const CollectionConfig& config) override {
    AKIDB_RETURN_IF_ERROR(CheckName(name));
    AKIDB_RETURN_IF_ERROR(CheckConfig(config));
    AKIDB_RETURN_IF_ERROR(reserve_.CheckHeld());
    MutexLock change(change_mutex_);
    if (CollectionExists(name)) {
      return AlreadyExistsError("Collection `" + name + "` already exists!");
    }
    std::array<std::byte, 16> random;
    environment_.random.Fill(random);
    auto entry = std::make_shared<Entry>();
    entry->name = name;
    entry->uuid = Uuid::FromRandom(random);
    Result<std::shared_ptr<Collection>> collection =
        Collection::Create(OptionsOf(*entry), config, CollectionParts());
    if (!collection.ok()) {
      // No record names it: what is left now would be removed by the next start.
      static_cast<void>(environment_.fs.RemoveAll(FolderOf(entry->uuid)));
      return collection.status();
    }
    AKIDB_RETURN_IF_ERROR(
        Apply(CreateCollectionRecord{entry->uuid, name, CollectionConfigToJson(config)}));
    MutexLock opening(entry->open_mutex);
    MutexLock lock(entries_mutex_);
    SetOpened(*entry, std::move(collection).value());
    entries_[name] = entry;
    return OkStatus();
  }

  Result<bool> DeleteCollection(const std::string& name) override {
    std::shared_ptr<Entry> entry;
    {
      MutexLock change(change_mutex_);
      entry = FindEntry(name);
      if (!entry || entry->name != name) return false;
      AKIDB_RETURN_IF_ERROR(Apply(DeleteCollectionRecord{entry->uuid}));
      MutexLock lock(entries_mutex_);
      entries_.erase(name);
      std::erase_if(aliases_, [&](const auto& alias) { return alias.second == entry; });
    }
    // It is gone; a new one of this name has another folder.
    std::shared_ptr<Collection> collection;
    {
      // Waits for an opening that is under way; none begins later.
      MutexLock lock(entry->open_mutex);
      entry->deleted = true;
      collection = std::exchange(entry->collection, nullptr);
    }
    if (collection) collection->Drop();
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

  bool CollectionExists(std::string_view name) const override { return FindEntry(name) != nullptr; }

  Status ChangeAliases(std::span<const AliasChange> changes) override {
    MutexLock change(change_mutex_);
    Aliased aliases;
    {
      MutexLock lock(entries_mutex_);
      aliases = aliases_;
    }
    for (const AliasChange& one : changes) AKIDB_RETURN_IF_ERROR(ChangeAlias(one, aliases));
    SetAliasesRecord record;
    {
      MutexLock lock(entries_mutex_);
      for (const auto& [name, entry] : aliases) {
        auto present = aliases_.find(name);
        if (present != aliases_.end() && present->second == entry) continue;
        record.items.push_back({name, entry->uuid});
      }
      for (const auto& [name, entry] : aliases_) {
        if (!aliases.contains(name)) record.items.push_back({name, std::nullopt});
      }
    }
    if (record.items.empty()) return OkStatus();
    AKIDB_RETURN_IF_ERROR(Apply(record));
    MutexLock lock(entries_mutex_);
    aliases_ = std::move(aliases);
    return OkStatus();
  }

  std::vector<Alias> Aliases() const override {
    MutexLock lock(entries_mutex_);
    std::vector<Alias> aliases;
    for (const auto& [name, entry] : aliases_) aliases.push_back({name, entry->name});
    return aliases;
  }

  Result<std::shared_ptr<Collection>> FindCollection(std::string_view name) override {
    std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) return NoSuchCollection(name);
    MutexLock lock(entry->open_mutex);
    if (entry->collection) return entry->collection;
    if (entry->deleted) return NoSuchCollection(name);
    if (!entry->quarantine.ok()) return entry->quarantine;
    Result<std::shared_ptr<Collection>> opened =
        reserve_.Retry([&] { return Collection::Open(OptionsOf(*entry), CollectionParts()); });
    if (opened.ok()) {
      MutexLock entries(entries_mutex_);
      SetOpened(*entry, std::move(opened).value());
      return entry->collection;
    }
    const Status& failure = opened.status();
    const bool lasting = IsLasting(failure.code());
    environment_.log.Write(LogLevel::kError,
                           lasting ? "collection_quarantined" : "collection_not_opened",
                           failure.message(), {{"collection", name}});
    if (failure.code() == ErrorCode::kStorageFull) return failure;
    Status unavailable = UnavailableError(
        "Collection `" + std::string(name) +
        (lasting ? "` is quarantined: " : "` could not be opened: ") + failure.ToString());
    if (lasting) entry->quarantine = unavailable;
    return unavailable;
  }

  Status ChangeVectors(std::string_view name, const OptionsChange& change) override {
    // Whoever is first opens it.
    AKIDB_RETURN_IF_ERROR(FindCollection(name).status());
    const std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) return NoSuchCollection(name);
    const OptionsChange checked = [&](CollectionConfig& config) -> Status {
      AKIDB_RETURN_IF_ERROR(change(config));
      return CheckConfig(config);
    };
    {
      MutexLock lock(entry->open_mutex);
      if (!entry->collection) return NoSuchCollection(name);
      AKIDB_RETURN_IF_ERROR(entry->collection->Retire(checked));
      entry->collection = nullptr;
    }
    return FindCollection(name).status();
  }

  std::vector<OpenedCollection> OpenedCollections() const override {
    MutexLock lock(entries_mutex_);
    std::vector<OpenedCollection> opened;
    for (const auto& [name, entry] : entries_) {
      if (auto collection = entry->opened.lock()) opened.push_back({name, std::move(collection)});
    }
    return opened;
  }

  Status BindModel(std::string_view collection, std::string_view vector_name,
                   std::string_view model_id, std::string_view fingerprint) override {
    // Nearly always: bound long ago, and a binding never changes. Takes no turn with the changes.
    std::optional<BoundModel> known = ModelOf(collection, vector_name);
    if (known && known->fingerprint == fingerprint) return OkStatus();
    MutexLock change(change_mutex_);
    std::shared_ptr<Entry> entry = FindEntry(collection);
    if (!entry) return NoSuchCollection(collection);
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
    MutexLock lock(entries_mutex_);
    entry->bindings.emplace(vector, std::move(binding));
    return OkStatus();
  }

  std::optional<BoundModel> ModelOf(std::string_view collection,
                                    std::string_view vector_name) const override {
    MutexLock lock(entries_mutex_);
    const std::shared_ptr<Entry> entry = EntryOf(collection);
    if (!entry) return std::nullopt;
    auto bound = entry->bindings.find(std::string(vector_name));
    if (bound == entry->bindings.end()) return std::nullopt;
    return BoundModel{bound->second.model_id, bound->second.fingerprint};
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
    return {.fs = environment_.fs,
            .random = environment_.random,
            .background = background_,
            .log = environment_.log,
            .reserve = &reserve_,
            .optimizer = &optimizer_,
            .alarms = &alarms_,
            .indexer = indexer_.get(),
            .short_merges = &short_merges_};
  }

  void SetOpened(Entry& entry, std::shared_ptr<Collection> collection)
      AKIDB_REQUIRES(entry.open_mutex, entries_mutex_) {
    entry.opened = collection;
    entry.collection = std::move(collection);
  }

  // By name. Shared with `entries_`.
  using Aliased = std::map<std::string, std::shared_ptr<Entry>, std::less<>>;

  // By the collection's name or an alias; null when there is neither.
  std::shared_ptr<Entry> FindEntry(std::string_view name) const {
    MutexLock lock(entries_mutex_);
    return EntryOf(name);
  }
  std::shared_ptr<Entry> EntryOf(std::string_view name) const AKIDB_REQUIRES(entries_mutex_) {
    auto it = entries_.find(name);
    if (it != entries_.end()) return it->second;
    auto alias = aliases_.find(name);
    return alias == aliases_.end() ? nullptr : alias->second;
  }

  // One change to `aliases`, which are to be.
  Status ChangeAlias(const AliasChange& change, Aliased& aliases) const
      AKIDB_EXCLUDES(entries_mutex_) {
    if (const auto* remove = std::get_if<DeleteAlias>(&change)) {
      aliases.erase(remove->alias);
      return OkStatus();
    }
    std::shared_ptr<Entry> entry;
    std::string name;
    if (const auto* create = std::get_if<CreateAlias>(&change)) {
      name = create->alias;
      entry = FindEntry(create->collection);
      if (!entry) return NoSuchCollection(create->collection);
    } else {
      const auto& rename = std::get<RenameAlias>(change);
      name = rename.new_alias;
      auto present = aliases.find(rename.old_alias);
      if (present == aliases.end()) {
        return NotFoundError("Alias `" + rename.old_alias + "` doesn't exist!");
      }
      entry = present->second;
      aliases.erase(present);
    }
    AKIDB_RETURN_IF_ERROR(CheckName(name));
    MutexLock lock(entries_mutex_);
    if (entries_.contains(name)) {
      return InvalidArgumentError("Alias `" + name + "` can't have the name of a collection");
    }
    aliases[name] = std::move(entry);
    return OkStatus();
  }

  // The folder of a collection is made after the system log and before the record that names it. So
  // folders without a log are no orphans of ours: something has taken the log away, and with it the
  // only proof of what they are.
  Status CheckSystemLogIsThere() {
    AKIDB_ASSIGN_OR_RETURN(bool exists, environment_.fs.Exists(Path("system")));
    if (exists) {
      AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> files, environment_.fs.List(Path("system")));
      if (!files.empty()) return OkStatus();
    }
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> folders,
                           environment_.fs.List(Path("collections")));
    for (const std::string& folder : folders) {
      if (!Uuid::Parse(folder)) continue;
      return CorruptionError("the system log is missing from " + Path("system") + ", but " +
                             Path("collections") +
                             " holds collections; restore system/ from the same copy");
    }
    return OkStatus();
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

  // Writes the record to the system log and waits until it is durable: then it counts. The view
  // follows at once or, if the catalog can't be written now, before the next change.
  Status Apply(const SystemRecord& record) AKIDB_REQUIRES(change_mutex_) {
    AKIDB_RETURN_IF_ERROR(CatchUp());
    AKIDB_ASSIGN_OR_RETURN(uint64_t seq, reserve_.Retry([&] {
      return system_log_->Enqueue(static_cast<uint8_t>(TypeOf(record)), EncodeSystemRecord(record));
    }));
    AKIDB_RETURN_IF_ERROR(system_log_->Wait(seq));
    not_in_catalog_.emplace_back(seq, record);
    if (Status status = CatchUp(); !status.ok()) {
      environment_.log.Write(LogLevel::kWarning, "catalog_behind", status.message());
    }
    return OkStatus();
  }

  Status CatchUp() AKIDB_REQUIRES(change_mutex_) {
    for (; !not_in_catalog_.empty(); not_in_catalog_.pop_front()) {
      const auto& [seq, record] = not_in_catalog_.front();
      AKIDB_RETURN_IF_ERROR(reserve_.Retry([&] { return ApplyToCatalog(seq, record); }));
    }
    return OkStatus();
  }

  Status ApplyToCatalog(uint64_t seq, const SystemRecord& record) {
    if (const auto* create = std::get_if<CreateCollectionRecord>(&record)) {
      return catalog_->AddCollection(seq, {create->uuid, create->name, create->config_json});
    }
    if (const auto* remove = std::get_if<DeleteCollectionRecord>(&record)) {
      return catalog_->RemoveCollection(seq, remove->uuid);
    }
    if (const auto* set = std::get_if<SetAliasesRecord>(&record)) {
      std::vector<catalog::AliasRow> rows;
      for (const SetAliasesRecord::Item& item : set->items) {
        rows.push_back({item.alias, item.collection});
      }
      return catalog_->SetAliases(seq, rows);
    }
    const auto& bind = std::get<BindModelRecord>(record);
    return catalog_->BindModel(seq, {bind.uuid, bind.vector_name, bind.model_id, bind.fingerprint});
  }

  Status LoadEntries() {
    AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::CollectionRow> rows, catalog_->Collections());
    AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::ModelBinding> bindings, catalog_->ModelBindings());
    AKIDB_ASSIGN_OR_RETURN(std::vector<catalog::AliasRow> aliases, catalog_->Aliases());
    std::map<Uuid, std::shared_ptr<Entry>> by_uuid;
    MutexLock lock(entries_mutex_);
    for (catalog::CollectionRow& row : rows) {
      auto entry = std::make_shared<Entry>();
      entry->name = row.name;
      entry->uuid = row.uuid;
      by_uuid[row.uuid] = entry;
      entries_.emplace(std::move(row.name), std::move(entry));
    }
    for (catalog::AliasRow& alias : aliases) {
      auto found = by_uuid.find(*alias.collection);
      if (found != by_uuid.end()) aliases_.emplace(std::move(alias.name), found->second);
    }
    for (catalog::ModelBinding& binding : bindings) {
      auto found = by_uuid.find(binding.collection);
      if (found == by_uuid.end()) continue;
      std::string vector = binding.vector_name;
      found->second->bindings.emplace(std::move(vector), std::move(binding));
    }
    return OkStatus();
  }

  // Folders of collections whose creation was not finished or whose deletion was. What can't be
  // removed now harms nobody and is tried again at the next start.
  void RemoveOrphans() {
    std::set<std::string> known;
    {
      MutexLock lock(entries_mutex_);
      for (const auto& [name, entry] : entries_) known.insert(entry->uuid.ToString());
    }
    Result<std::vector<std::string>> folders = environment_.fs.List(Path("collections"));
    Status status = folders.status();
    for (size_t i = 0; status.ok() && i < folders->size(); ++i) {
      const std::string& folder = (*folders)[i];
      if (known.count(folder) > 0 || !Uuid::Parse(folder)) continue;
      environment_.log.Write(LogLevel::kInfo, "orphan_removed",
                             "removes the folder of a collection that was not made or was deleted",
                             {{"collection", folder}});
      status = environment_.fs.RemoveAll(env::JoinPath(Path("collections"), folder));
    }
    if (!status.ok()) {
      environment_.log.Write(LogLevel::kWarning, "orphans_left", status.message());
    }
  }

  const DatabaseOptions options_;
  const DatabaseEnvironment environment_;
  std::unique_ptr<env::FileLock> lock_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<storage::Log> system_log_;
  SpaceReserve reserve_;
  Mutex change_mutex_;  // one change of the catalog at a time; held over its sync, never by readers
  // Durable in the log, oldest first.
  std::deque<std::pair<uint64_t, SystemRecord>> not_in_catalog_ AKIDB_GUARDED_BY(change_mutex_);
  mutable Mutex entries_mutex_;
  // Entries are shared with requests that open their collection.
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_
      AKIDB_GUARDED_BY(entries_mutex_);
  Aliased aliases_ AKIDB_GUARDED_BY(entries_mutex_);
  const std::unique_ptr<SegmentIndexer> indexer_;
  Executor background_;
  Executor optimizer_;
  Executor short_merges_;
  const std::unique_ptr<env::Clock> clock_ = env::MakeSystemClock();
  Alarms alarms_{*clock_};
  std::thread alarm_thread_;
};

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(DatabaseOptions options,
                                                 const DatabaseEnvironment& environment) {
  auto database = std::make_unique<DatabaseImpl>(std::move(options), environment);
  AKIDB_RETURN_IF_ERROR(database->Start());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace akidb::engine
