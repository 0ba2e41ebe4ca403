#include "engine/registry.h"

#include <utility>
#include <vector>

namespace akidb::engine {
namespace {

constexpr uint64_t kSystemLogFileBytes = 1 << 20;

std::vector<catalog::ModelBinding> BindingsOf(const ReplaceCollectionRecord& record) {
  std::vector<catalog::ModelBinding> bindings;
  for (const ReplaceCollectionRecord::Model& model : record.models) {
    bindings.push_back({record.uuid, model.vector_name, model.model_id, model.fingerprint});
  }
  return bindings;
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::Open(const std::string& directory,
                                                 const storage::LogEnvironment& environment,
                                                 SpaceReserve& reserve) {
  std::unique_ptr<Registry> registry(new Registry(directory, environment, reserve));
  AKIDB_RETURN_IF_ERROR(registry->CheckSystemLogIsThere());
  AKIDB_RETURN_IF_ERROR(registry->OpenCatalog());
  return registry;
}

// The folder of a collection is made after the system log and before the record that names it. So
// folders without a log are no orphans of ours: something has taken the log away, and with it the
// only proof of what they are.
Status Registry::CheckSystemLogIsThere() {
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
Status Registry::OpenCatalog() {
  Result<std::unique_ptr<catalog::Catalog>> opened =
      catalog::Catalog::Open(environment_.fs, Path("catalog.db"));
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
  AKIDB_ASSIGN_OR_RETURN(catalog_, catalog::Catalog::Open(environment_.fs, Path("catalog.db")));
  return OpenSystemLog();
}

// The whole log is read, so that a rebuilt catalog is a full one; the view skips what it has.
Status Registry::OpenSystemLog() {
  const uint64_t applied = catalog_->applied_seq();
  catalog_was_empty_ = applied == 0;
  auto replay = [&](const storage::LogRecord& record) -> Status {
    if (record.seq <= applied) return OkStatus();
    AKIDB_ASSIGN_OR_RETURN(SystemRecord decoded, DecodeSystemRecord(record.type, record.body));
    if (catalog_was_empty_) NoteTakenAway(decoded);
    return ApplyToCatalog(record.seq, decoded);
  };
  storage::LogOptions options;
  options.directory = Path("system");
  options.file_bytes_max = kSystemLogFileBytes;
  options.synced_seq = applied;
  storage::LogRecoveryReport report;
  AKIDB_ASSIGN_OR_RETURN(
      log_, storage::Log::Open({environment_.fs, environment_.random, environment_.log},
                               std::move(options), replay, &report));
  if (report.last_seq < applied) {
    return CorruptionError("the system log ends at record " + std::to_string(report.last_seq) +
                           ", but the catalog holds record " + std::to_string(applied));
  }
  return OkStatus();
}

void Registry::NoteTakenAway(const SystemRecord& record) {
  if (const auto* removed = std::get_if<DeleteCollectionRecord>(&record)) {
    taken_away_.insert(removed->uuid);
  } else if (const auto* replace = std::get_if<ReplaceCollectionRecord>(&record)) {
    if (replace->replaced) taken_away_.insert(*replace->replaced);
  }
}

Status Registry::Apply(const SystemRecord& record) {
  AKIDB_RETURN_IF_ERROR(CatchUp());
  AKIDB_ASSIGN_OR_RETURN(uint64_t seq, reserve_.Retry([&] {
    return log_->Enqueue(static_cast<uint8_t>(TypeOf(record)), EncodeSystemRecord(record));
  }));
  AKIDB_RETURN_IF_ERROR(log_->Wait(seq));
  not_in_catalog_.emplace_back(seq, record);
  if (Status status = CatchUp(); !status.ok()) {
    environment_.log.Write(LogLevel::kWarning, "catalog_behind", status.message());
  }
  return OkStatus();
}

Status Registry::CatchUp() {
  for (; !not_in_catalog_.empty(); not_in_catalog_.pop_front()) {
    const auto& [seq, record] = not_in_catalog_.front();
    AKIDB_RETURN_IF_ERROR(reserve_.Retry([&] { return ApplyToCatalog(seq, record); }));
  }
  return OkStatus();
}

Status Registry::ApplyToCatalog(uint64_t seq, const SystemRecord& record) {
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
  if (const auto* replace = std::get_if<ReplaceCollectionRecord>(&record)) {
    return catalog_->ReplaceCollection(seq,
                                       {.row = {replace->uuid, replace->name, replace->config_json},
                                        .replaced = replace->replaced,
                                        .models = BindingsOf(*replace)});
  }
  const auto& bind = std::get<BindModelRecord>(record);
  return catalog_->BindModel(seq, {bind.uuid, bind.vector_name, bind.model_id, bind.fingerprint});
}

}  // namespace akidb::engine
