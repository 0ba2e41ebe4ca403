#include "engine/database.h"

#include <algorithm>
#include <thread>

#include "base/mutex.h"
#include "engine/alarms.h"
#include "engine/background_recovery.h"
#include "engine/collection_checks.h"
#include "engine/data_folder.h"
#include "engine/database_entry.h"
#include "engine/orphan_folders.h"
#include "engine/random_uuid.h"
#include "engine/registry.h"
#include "engine/snapshot_restore.h"
#include "engine/space_reserve.h"
#include "engine/storage_snapshot.h"
#include "engine/system_records.h"
#include "engine/vector_index.h"
#include "engine/vector_schema.h"
#include "engine/work_folder.h"
#include "types/collection_config_json.h"

namespace akidb::engine {
namespace {

// Merges give way to everything else.
constexpr int kOptimizerNice = 10;

using Entry = DatabaseEntry;

class DatabaseImpl final : public Database {
 public:
  DatabaseImpl(DatabaseOptions options, const DatabaseEnvironment& environment)
      : options_(std::move(options)),
        environment_(environment),
        snapshots_(environment.fs, environment.random, Path("snapshots")),
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
    recovery_.Stop();
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
    AKIDB_ASSIGN_OR_RETURN(registry_, Registry::Open(options_.directory, Parts(), reserve_,
                                                     options_.system_log_bytes_max));
    if (Status failure = registry_->log_failure(); !failure.ok()) SetSystemTrouble(failure);
    torn_tails_.logs = registry_->torn_records() > 0 ? 1 : 0;
    torn_tails_.records = registry_->torn_records();
    // Whatever this or a start that was cut off has made in it.
    AKIDB_RETURN_IF_ERROR(environment_.fs.SyncDirectory(options_.directory));
    AKIDB_ASSIGN_OR_RETURN(DatabaseEntries entries, LoadEntries(registry_->catalog()));
    {
      MutexLock lock(entries_mutex_);
      entries_ = std::move(entries.collections);
      aliases_ = std::move(entries.aliases);
    }
    RemoveOrphanFolders(Parts(), options_.directory, *registry_);
    if (Status status = snapshots_.RemoveLeftovers(); !status.ok()) {
      environment_.log.Write(LogLevel::kWarning, "snapshot_files_left", status.message());
    }
    reserve_.Hold();
    return OkStatus();
  }

  Status CreateCollection(const std::string& name, const CollectionConfig& config) override {
    AKIDB_RETURN_IF_ERROR(CheckCollectionName(name));
    AKIDB_RETURN_IF_ERROR(CheckVectorConfigs(config));
    AKIDB_RETURN_IF_ERROR(reserve_.CheckHeld());
    MutexLock change(change_mutex_);
    if (CollectionExists(name)) {
      const Status known = CheckKnown();
      return known.ok() ? AlreadyExistsError("Collection `" + name + "` already exists!") : known;
    }
    auto entry = std::make_shared<Entry>();
    entry->name = name;
    entry->uuid = RandomUuid(environment_.random);
    Result<std::shared_ptr<Collection>> collection =
        Collection::Create(OptionsOf(*entry), config, CollectionParts());
    if (!collection.ok()) {
      // No record names it: what is left now would be removed by the next start.
      UndoCreation(Parts(), FolderOf(entry->uuid));
      return collection.status();
    }
    const Status applied =
        Apply(CreateCollectionRecord{entry->uuid, name, CollectionConfigToJson(config)}, nullptr);
    if (!applied.ok() && !registry_->is_in_doubt()) {
      (*collection)->Drop();
      UndoCreation(Parts(), FolderOf(entry->uuid));
    }
    AKIDB_RETURN_IF_ERROR(applied);
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
      const Status known = CheckKnown();
      if (!entry || entry->name != name) return known.ok() ? Result<bool>(false) : known;
      AKIDB_RETURN_IF_ERROR(Apply(DeleteCollectionRecord{entry->uuid}, entry.get()));
      MutexLock lock(entries_mutex_);
      entries_.erase(name);
      std::erase_if(aliases_, [&](const auto& alias) { return alias.second == entry; });
    }
    Discard(*entry);
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
    EntriesByName before;
    {
      MutexLock lock(entries_mutex_);
      before = aliases_;
    }
    EntriesByName aliases = before;
    const auto find = [this](std::string_view name) { return FindEntry(name); };
    for (const AliasChange& one : changes) AKIDB_RETURN_IF_ERROR(ChangeAlias(one, find, aliases));
    const SetAliasesRecord record = AliasesFrom(before, aliases);
    if (record.items.empty()) return CheckKnown();
    AKIDB_RETURN_IF_ERROR(Apply(record, nullptr));
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
    return entry ? OpenEntry(name, *entry) : NoSuchCollection(name);
  }

  Status ChangeVectors(std::string_view name, const OptionsChange& change) override {
    // Whoever is first opens it.
    AKIDB_RETURN_IF_ERROR(FindCollection(name).status());
    const std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) return NoSuchCollection(name);
    const OptionsChange checked = [&](CollectionConfig& config) -> Status {
      AKIDB_RETURN_IF_ERROR(change(config));
      return CheckVectorConfigs(config);
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

  void RecoverInBackground() override {
    recovery_.Begin(ListCollections(), options_.recovery_threads,
                    [this](const std::string& name) { return Recover(name); });
  }

  RecoveryReport recovery() const override { return recovery_.report(); }

  std::vector<NamedState> States() const override {
    MutexLock lock(entries_mutex_);
    std::vector<NamedState> states;
    for (const auto& [name, of] : entries_) states.push_back({name, of->state, of->trouble});
    return states;
  }

  std::string SystemTrouble() const override {
    MutexLock lock(entries_mutex_);
    return system_trouble_;
  }

  Status BindModel(const Uuid& collection, std::string_view vector_name, std::string_view model_id,
                   std::string_view fingerprint) override {
    // Nearly always: bound long ago, and a binding never changes. Takes no turn with the changes.
    AKIDB_ASSIGN_OR_RETURN(const std::optional<BoundModel> known, ModelOf(collection, vector_name));
    if (known && known->fingerprint == fingerprint) return OkStatus();
    MutexLock change(change_mutex_);
    const std::shared_ptr<Entry> entry = FindEntry(collection);
    if (!entry) return NoSuchCollection(collection.ToString());
    const BindModelRecord record{entry->uuid, std::string(vector_name), std::string(model_id),
                                 std::string(fingerprint)};
    AKIDB_ASSIGN_OR_RETURN(const bool is_bound, IsBoundAs(record, *entry));
    if (is_bound) return OkStatus();
    AKIDB_RETURN_IF_ERROR(Apply(record, nullptr));
    MutexLock lock(entries_mutex_);
    Bind(record, *entry);
    return OkStatus();
  }

  Result<SnapshotInfo> CreateSnapshot(const RequestContext& context,
                                      std::string_view name) override {
    const std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) return NoSuchCollection(name);
    AKIDB_ASSIGN_OR_RETURN(const std::string path, snapshots_.NewPath(entry->name, NowSeconds()));
    AKIDB_ASSIGN_OR_RETURN(
        const storage::FileRef written,
        WriteSnapshotOf(context, *entry, {.path = path, .collection = entry->name}));
    return snapshots_.Register(path, written);
  }

  Result<storage::FileRef> CreateFolderSnapshot(const RequestContext& context,
                                                std::string_view name,
                                                storage::SnapshotFolder& folder) override {
    const std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) return NoSuchCollection(name);
    return WriteSnapshotOf(context, *entry,
                           {.path = env::JoinPath(folder.path(), "snapshot"),
                            .collection = entry->name,
                            .folder = &folder});
  }

  Result<SnapshotInfo> CreateStorageSnapshot(const RequestContext& context) override {
    MutexLock one_at_a_time(storage_snapshot_mutex_);
    StorageContents contents;
    contents.created_s = NowSeconds();
    AKIDB_ASSIGN_OR_RETURN(const std::string path,
                           snapshots_.NewPath(SnapshotStore::kWholeStorage, contents.created_s));
    WorkFolder work(environment_.fs, path + ".work.tmp");
    AKIDB_RETURN_IF_ERROR(work.Create());
    for (const std::string& name : ListCollections()) {
      const std::shared_ptr<Entry> entry = FindEntry(name);
      if (!entry) continue;  // deleted meanwhile
      const std::string file = StoredSnapshotName(contents.collections.size());
      Result<storage::FileRef> written = WriteSnapshotOf(
          context, *entry, {.path = env::JoinPath(work.path(), file), .collection = name});
      if (!written.ok() && FindEntry(name) != entry) continue;  // deleted meanwhile
      if (!written.ok()) return written.status().WithContext("collection `" + name + "`");
      contents.collections.push_back({name, {file, written->bytes, written->sha256}});
    }
    for (const Alias& alias : Aliases()) contents.aliases.push_back({alias.name, alias.collection});
    AKIDB_ASSIGN_OR_RETURN(
        const storage::FileRef written,
        WriteStorageSnapshot(context, environment_.fs, {path, work.path(), contents}));
    return snapshots_.Register(path, written);
  }

  Status RestoreSnapshot(const RequestContext& context, const std::string& name,
                         const std::string& path) override {
    AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SnapshotFile> snapshot,
                           storage::SnapshotFile::Open(environment_.fs, path));
    return RestoreSnapshot(context, name, *snapshot);
  }

  Status RestoreSnapshot(const RequestContext& context, const std::string& name,
                         storage::SnapshotFile& snapshot) override {
    AKIDB_RETURN_IF_ERROR(CheckCollectionName(name));
    AKIDB_RETURN_IF_ERROR(reserve_.CheckHeld());
    auto entry = std::make_shared<Entry>();
    const Result<std::string> present = NameOf(name);  // of an alias, too
    entry->name = present.ok() ? *present : name;
    entry->uuid = RandomUuid(environment_.random);
    MarkUnneeded(Parts(), FolderOf(entry->uuid));
    Result<std::shared_ptr<Collection>> collection = MakeRestored(context, snapshot, *entry);
    bool may_count = false;
    Status status = collection.status();
    if (status.ok()) status = Install(entry, std::move(collection).value(), may_count);
    // No record names it: what is left now would be removed by the next start.
    if (!status.ok() && !may_count) {
      static_cast<void>(RemoveUnneeded(Parts(), FolderOf(entry->uuid)));
    }
    if (status.ok()) UnmarkUnneeded(Parts(), FolderOf(entry->uuid));
    return status;
  }

  SnapshotStore& snapshots() override { return snapshots_; }

  Result<std::string> NameOf(std::string_view name) const override {
    const std::shared_ptr<Entry> entry = FindEntry(name);
    return entry ? Result<std::string>(entry->name) : NoSuchCollection(name);
  }

  std::optional<BoundModel> ModelOf(std::string_view collection,
                                    std::string_view vector_name) const override {
    MutexLock lock(entries_mutex_);
    return ModelIn(EntryOf(collection).get(), vector_name);
  }
  Result<std::optional<BoundModel>> ModelOf(const Uuid& collection,
                                            std::string_view vector_name) const override {
    MutexLock lock(entries_mutex_);
    const std::shared_ptr<Entry> entry = EntryWith(collection, entries_);
    if (!entry) return NoSuchCollection(collection.ToString());
    return ModelIn(entry.get(), vector_name);
  }

 private:
  std::string Path(std::string_view name) const { return env::JoinPath(options_.directory, name); }
  std::string FolderOf(const Uuid& uuid) const {
    return env::JoinPath(Path("collections"), uuid.ToString());
  }
  storage::LogEnvironment Parts() const {
    return {environment_.fs, environment_.random, environment_.log};
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
            .short_merges = &short_merges_,
            .torn_tails = &torn_tails_};
  }

  // `name` is what it was asked for by.
  Result<std::shared_ptr<Collection>> OpenEntry(std::string_view name, Entry& entry) {
    entry.asked_for = true;  // before the wait: what recovery is opening stays open
    MutexLock lock(entry.open_mutex);
    return OpenLocked(name, entry, {});
  }
  // Null where nobody has asked for it, and nothing is wrong: it was recovered, and is closed.
  Result<std::shared_ptr<Collection>> OpenLocked(std::string_view name, Entry& entry,
                                                 const std::function<bool()>& give_way)
      AKIDB_REQUIRES(entry.open_mutex) {
    if (entry.collection) return entry.collection;
    if (entry.deleted) return NoSuchCollection(name);
    if (!entry.quarantine.ok()) return entry.quarantine;
    SetState(entry, CollectionState::kRecovering);
    Result<std::shared_ptr<Collection>> opened = reserve_.Retry(
        [&] { return OpenCollection(OptionsOf(entry), CollectionParts(), give_way); });
    if (opened.ok() && !entry.asked_for && TroubleOf((*opened)->stats()).empty()) {
      opened->reset();  // closes it, and notes where its log ends
      SetState(entry, CollectionState::kClosed);
      return opened;
    }
    if (opened.ok()) {
      MutexLock entries(entries_mutex_);
      SetOpened(entry, std::move(opened).value());
      return entry.collection;
    }
    const Status& failure = opened.status();
    if (failure.code() == ErrorCode::kCancelled) return failure;  // somebody else opens it
    const bool lasting = IsLasting(failure.code());
    SetState(entry, lasting ? CollectionState::kQuarantined : CollectionState::kUnavailable,
             failure.ToString());
    Status unavailable = TellNotOpened(environment_.log, name, failure);
    if (failure.code() == ErrorCode::kStorageFull) return failure;
    if (lasting) entry.quarantine = unavailable;
    return unavailable;
  }

  // In the background. Holds no lock while it looks: whatever happens to the collection meanwhile,
  // OpenEntry knows.
  BackgroundRecovery::Outcome Recover(const std::string& name) {
    using Outcome = BackgroundRecovery::Outcome;
    const std::shared_ptr<Entry> entry = FindEntry(name);
    if (!entry) return Outcome::kNothingToDo;
    {
      MutexLock lock(entries_mutex_);
      if (entry->state != CollectionState::kClosed) return Outcome::kNothingToDo;
    }
    if (WasClosedCleanly(environment_.fs, FolderOf(entry->uuid), entry->uuid)) {
      return Outcome::kNothingToDo;
    }
    // Who waits for it opens it with more insistence on the processor than this thread.
    const auto give_way = [&] { return recovery_.stopping() || entry->asked_for; };
    MutexLock opening(entry->open_mutex);
    if (give_way()) return Outcome::kNothingToDo;
    return BackgroundRecovery::OutcomeOf(OpenLocked(name, *entry, give_way).status());
  }

  uint64_t NowSeconds() const {
    env::Clock& calendar = environment_.calendar ? *environment_.calendar : *clock_;
    return static_cast<uint64_t>(std::max<int64_t>(0, calendar.UnixMicros()) / 1'000'000);
  }

  // kNotFound also when the collection is deleted meanwhile.
  Result<storage::FileRef> WriteSnapshotOf(const RequestContext& context, Entry& entry,
                                           SnapshotOrder order) {
    MutexLock one_at_a_time(entry.snapshot_mutex);
    for (;;) {
      AKIDB_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                             OpenEntry(entry.name, entry));
      order.created_s = NowSeconds();
      {
        MutexLock lock(entries_mutex_);
        order.models = ModelsOf(entry);
      }
      Result<storage::FileRef> written = collection->WriteSnapshot(context, order);
      if (written.ok()) return written;
      // Its files may have gone under it: it was deleted, or opened anew with other vectors.
      MutexLock lock(entry.open_mutex);
      if (entry.deleted) return NoSuchCollection(entry.name);
      if (entry.collection == collection) return written.status();
    }
  }

  // The collection that the snapshot becomes, in the folder of `entry`, which is filled
  // in; nothing names it yet.
  Result<std::shared_ptr<Collection>> MakeRestored(const RequestContext& context,
                                                   storage::SnapshotFile& snapshot, Entry& entry) {
    AKIDB_ASSIGN_OR_RETURN(const SnapshotSummary summary,
                           RestoreSnapshotFiles(context, environment_.fs,
                                                {snapshot, FolderOf(entry.uuid), entry.uuid}));
    AKIDB_RETURN_IF_ERROR(CheckVectorConfigs(summary.config));
    AKIDB_RETURN_IF_ERROR(BindModelsOf(summary.contents, entry));
    AKIDB_ASSIGN_OR_RETURN(std::shared_ptr<Collection> collection,
                           Collection::Open(OptionsOf(entry), CollectionParts()));
    if (collection->stats().last_seq == summary.contents.seq) return collection;
    return CorruptionError("the snapshot ends at write " +
                           std::to_string(collection->stats().last_seq) + ", not at " +
                           std::to_string(summary.contents.seq) + " as its list says");
  }

  // By the record `entry`, unless it is null, goes. Where only the next start can tell whether the
  // record counts, it takes no more writes: they would go with it.
  Status Apply(const SystemRecord& record, Entry* entry) AKIDB_REQUIRES(change_mutex_) {
    if (entry != nullptr) MarkUnneeded(Parts(), FolderOf(entry->uuid));
    const Status status = registry_->Apply(record);
    if (!status.ok() && entry) entry->asked_for = true;  // before the wait for it
    // The log may also have died behind a change that counts.
    if (Status failure = registry_->log_failure(); !failure.ok()) SetSystemTrouble(failure);
    if (status.ok() || entry == nullptr) return status;
    MutexLock lock(entry->open_mutex);
    const bool in_doubt = registry_->is_in_doubt();
    if (!in_doubt && entry->doubt.empty()) UnmarkUnneeded(Parts(), FolderOf(entry->uuid));
    if (!in_doubt) return status;
    entry->doubt = "only the next start can tell whether the collection was deleted or replaced: " +
                   std::string(status.message());
    if (entry->collection) entry->collection->RefuseWrites(entry->doubt);
    return status;
  }

  // Makes it count under its name. What had the name is discarded. `may_count`: after an error it
  // may, from the next start on.
  Status Install(std::shared_ptr<Entry> entry, std::shared_ptr<Collection> collection,
                 bool& may_count) {
    std::shared_ptr<Entry> replaced;
    {
      MutexLock change(change_mutex_);
      if (auto present = FindEntry(entry->name)) {
        if (present->name != entry->name) {
          return InvalidArgumentError("Collection `" + entry->name +
                                      "` can't have the name of an alias");
        }
        replaced = std::move(present);
      }
      const ReplaceCollectionRecord record =
          RecordOf(*entry, CollectionConfigToJson(collection->config()), replaced.get());
      const Status applied = Apply(record, replaced.get());
      may_count = registry_->is_in_doubt();
      AKIDB_RETURN_IF_ERROR(applied);
      MutexLock opening(entry->open_mutex);
      MutexLock lock(entries_mutex_);
      SetOpened(*entry, std::move(collection));
      for (auto& [alias, target] : aliases_) {
        if (target == replaced) target = entry;
      }
      entries_[entry->name] = std::move(entry);
    }
    if (replaced) Discard(*replaced);
    return OkStatus();
  }

  // Of a collection that no record names any more. Another one of its name has another folder.
  void Discard(Entry& entry) {
    std::shared_ptr<Collection> collection;
    {
      // Waits for an opening that is under way; none begins later.
      entry.asked_for = true;
      MutexLock lock(entry.open_mutex);
      entry.deleted = true;
      collection = std::exchange(entry.collection, nullptr);
    }
    if (collection) collection->Drop();
    if (Status removed = RemoveUnneeded(Parts(), FolderOf(entry.uuid)); !removed.ok()) {
      environment_.log.Write(LogLevel::kWarning, "collection_files_left", removed.message(),
                             {{"collection", entry.name}});
    }
  }

  void SetOpened(Entry& entry, std::shared_ptr<Collection> collection)
      AKIDB_REQUIRES(entry.open_mutex, entries_mutex_) {
    entry.opened = collection;
    entry.collection = std::move(collection);
    entry.state = CollectionState::kReady;
    entry.trouble.clear();
    if (!entry.doubt.empty()) entry.collection->RefuseWrites(entry.doubt);
  }
  void SetSystemTrouble(const Status& failure) {
    MutexLock lock(entries_mutex_);
    system_trouble_ = failure.message();
  }
  // Before something is said to be so already: the next start may find it otherwise.
  Status CheckKnown() const {
    MutexLock lock(entries_mutex_);
    return system_trouble_.empty() ? OkStatus() : UnavailableError(system_trouble_);
  }
  void SetState(Entry& entry, CollectionState state, std::string trouble = {}) {
    MutexLock lock(entries_mutex_);
    entry.state = state;
    entry.trouble = std::move(trouble);
  }

  // By the collection's name or an alias; null when there is neither.
  std::shared_ptr<Entry> FindEntry(std::string_view name) const {
    MutexLock lock(entries_mutex_);
    return EntryOf(name);
  }
  std::shared_ptr<Entry> FindEntry(const Uuid& uuid) const {
    MutexLock lock(entries_mutex_);
    return EntryWith(uuid, entries_);
  }
  std::shared_ptr<Entry> EntryOf(std::string_view name) const AKIDB_REQUIRES(entries_mutex_) {
    auto it = entries_.find(name);
    if (it != entries_.end()) return it->second;
    auto alias = aliases_.find(name);
    return alias == aliases_.end() ? nullptr : alias->second;
  }

  const DatabaseOptions options_;
  const DatabaseEnvironment environment_;
  std::unique_ptr<env::FileLock> lock_;
  SnapshotStore snapshots_;
  Mutex storage_snapshot_mutex_;  // one of the whole at a time
  SpaceReserve reserve_;
  Mutex change_mutex_;                  // one change of the registry at a time; held over its sync
  std::unique_ptr<Registry> registry_;  // set once; changed under change_mutex_
  mutable Mutex entries_mutex_;
  EntriesByName entries_ AKIDB_GUARDED_BY(entries_mutex_);
  EntriesByName aliases_ AKIDB_GUARDED_BY(entries_mutex_);
  std::string system_trouble_ AKIDB_GUARDED_BY(entries_mutex_);
  const std::unique_ptr<SegmentIndexer> indexer_;
  Executor background_;
  Executor optimizer_;
  Executor short_merges_;
  const std::unique_ptr<env::Clock> clock_ = env::MakeSystemClock();
  TornTails torn_tails_;
  Alarms alarms_{*clock_};
  std::thread alarm_thread_;
  BackgroundRecovery recovery_{environment_.log, torn_tails_};
};

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(DatabaseOptions options,
                                                 const DatabaseEnvironment& environment) {
  auto database = std::make_unique<DatabaseImpl>(std::move(options), environment);
  AKIDB_RETURN_IF_ERROR(database->Start());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace akidb::engine
