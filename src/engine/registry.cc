#include "engine/registry.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/data_folder.h"
#include "engine/folder_fit.h"
#include "env/permission.h"
#include "storage/wal/log_format.h"
#include "storage/wal/log_repair.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kSystemLogFileBytes = 1 << 20;
constexpr char kRestore[] = "; restore system/ and catalog.db from one backup of this folder";

uint64_t BytesInLog(size_t body_bytes) { return storage::kFragmentHeaderBytes + body_bytes; }

}  // namespace

// Opens the system log, and makes the catalog hold what the log says, whatever it held: a page of
// it may be right and too old.
class Registry::Recovery {
 public:
  explicit Recovery(Registry& registry)
      : registry_(registry), folder_(registry.Path(kSystemFolderName)) {}

  Status Run() {
    if (registry_.catalog_) applied_ = registry_.catalog_->applied_seq();
    AKIDB_RETURN_IF_ERROR(FindCheckpoint());
    AKIDB_RETURN_IF_ERROR(FindFirstRecord());
    AKIDB_RETURN_IF_ERROR(CheckFit());
    AKIDB_RETURN_IF_ERROR(OpenLog());
    AKIDB_RETURN_IF_ERROR(FillCatalog());
    registry_.state_ = std::move(state_);
    if (!checkpoint_damage_.ok()) registry_.TryToCompact();
    return OkStatus();
  }

 private:
  // A damaged one is as good as none: the catalog may have what it had.
  Status FindCheckpoint() {
    Result<std::optional<SystemState>> read =
        ReadSystemCheckpoint(registry_.environment_.fs, folder_);
    if (read.ok()) {
      has_checkpoint_ = read->has_value();
      if (!has_checkpoint_) return OkStatus();
      state_ = std::move(**read);
      registry_.compact_at_bytes_ =
          std::max(registry_.log_bytes_max_, 2 * uint64_t{EncodeSystemCheckpoint(state_).size()});
      return OkStatus();
    }
    checkpoint_damage_ = read.status();
    if (checkpoint_damage_.code() != ErrorCode::kCorruption) return checkpoint_damage_;
    registry_.environment_.log.Write(LogLevel::kWarning, "system_checkpoint_damaged",
                                     checkpoint_damage_.message());
    return OkStatus();
  }

  // The log begins behind a checkpoint, or with record 1. The folder of a collection is made after
  // the log and before the record that names it. So folders without a log are no orphans of ours:
  // something has taken the log away, and with it the only proof of what they are.
  Status FindFirstRecord() {
    env::FileSystem& fs = registry_.environment_.fs;
    AKIDB_ASSIGN_OR_RETURN(const std::optional<uint64_t> first, storage::FirstSeqIn(fs, folder_));
    if (has_checkpoint_) {
      start_after_ = state_.seq;
    } else if (first && *first > 1) {
      start_after_ = *first - 1;
      if (applied_ < start_after_) {
        return CorruptionError("the system log begins with record " + std::to_string(*first) +
                               ", and its checkpoint is missing or damaged" +
                               (checkpoint_damage_.ok() ? "" : ": ") +
                               std::string(checkpoint_damage_.message()) + CatalogTrouble() +
                               kRestore + ", or ask `akidb repair`");
      }
      AKIDB_RETURN_IF_ERROR(TakeCatalog());
      if (checkpoint_damage_.ok()) {
        checkpoint_damage_ =
            CorruptionError(env::JoinPath(folder_, kSystemCheckpointName) + " is missing");
        registry_.environment_.log.Write(LogLevel::kWarning, "system_checkpoint_damaged",
                                         checkpoint_damage_.message());
      }
    }
    has_log_ = first.has_value();
    if (has_log_) return OkStatus();
    if (has_checkpoint_ || !checkpoint_damage_.ok()) return Missing();
    AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> folders,
                           fs.List(registry_.Path(kCollectionsFolderName)));
    const bool holds_collections = std::any_of(folders.begin(), folders.end(), Uuid::Parse);
    return holds_collections ? Missing() : OkStatus();
  }

  Status TakeCatalog() {
    AKIDB_ASSIGN_OR_RETURN(state_, StateOf(*registry_.catalog_));
    AKIDB_ASSIGN_OR_RETURN(const FolderFit fit,
                           FitOf(registry_.environment_.fs, registry_.directory_, state_, {}));
    if (!fit.FoldersAreThere()) {
      return CorruptionError("the system's checkpoint is missing or damaged, and " +
                             registry_.Path(kCatalogName) + " is of another folder");
    }
    return OkStatus();
  }

  // Before a folder is set aside: the list may be that of another folder. And before the log is
  // opened, which may change it: with the right files put back the folder must be as it was.
  Status CheckFit() const {
    SystemState state = state_;
    std::set<Uuid> taken_away;
    const auto replay = [&](const storage::LogRecord& record) {
      return TakeInto(record, state, taken_away);
    };
    env::FileSystem& fs = registry_.environment_.fs;
    const auto damage = storage::FindLogDamage(fs, Options(), replay);
    const bool is_damaged =
        damage.ok() ? damage->has_value() : damage.status().code() == ErrorCode::kCorruption;
    if (is_damaged) return OkStatus();  // opening it tells
    AKIDB_RETURN_IF_ERROR(damage.status());
    AKIDB_ASSIGN_OR_RETURN(const FolderFit fit, FitOf(fs, registry_.directory_, state, taken_away));
    if (fit.strays.empty() || fit.IsLikely()) return OkStatus();
    return CorruptionError(folder_ + " seems to be of another data folder: it " + fit.ToString() +
                           kRestore + ", or ask `akidb repair`");
  }

  // Of what is said of missing parts of the list.
  std::string CatalogTrouble() const {
    if (registry_.catalog_) return "";
    return "; " + std::string(kCatalogName) +
           " can't be asked: " + std::string(registry_.catalog_failure_.message());
  }

  Status Missing() const {
    return CorruptionError("the system log is missing from " + folder_ +
                           "; `akidb repair` brings back what " + kCatalogName +
                           " has of it; otherwise" + (kRestore + 1));
  }

  storage::LogOptions Options() const {
    storage::LogOptions options;
    options.directory = folder_;
    options.start_after_seq = start_after_;
    options.file_bytes_max = kSystemLogFileBytes;
    options.synced_seq = applied_;
    options.create = !has_log_;
    return options;
  }

  // All of it is read, also what the catalog has, so that damage is found.
  Status OpenLog() {
    storage::LogRecoveryReport report;
    const storage::LogEnvironment& environment = registry_.environment_;
    Result<std::unique_ptr<storage::Log>> log = storage::Log::Open(
        {environment.fs, environment.random, environment.log}, Options(),
        [&](const storage::LogRecord& record) { return Take(record); }, &report);
    if (log.status().code() == ErrorCode::kCorruption) return LogIsDamaged(log.status());
    AKIDB_ASSIGN_OR_RETURN(registry_.log_, std::move(log));
    last_seq_ = report.last_seq;
    registry_.torn_records_ = report.torn_records;
    if (last_seq_ >= applied_) return OkStatus();
    return CorruptionError("the system log ends at record " + std::to_string(last_seq_) +
                           ", but the catalog holds record " + std::to_string(applied_));
  }

  // Who reads it learns who says so, and what to do.
  Status LogIsDamaged(const Status& damage) const {
    const std::string witness = applied_ == 0
                                    ? CatalogTrouble()
                                    : "; " + registry_.Path(kCatalogName) + " goes up to record " +
                                          std::to_string(applied_);
    return CorruptionError(std::string(damage.message()) + witness + "; ask `akidb repair`");
  }

  Status Take(const storage::LogRecord& record) {
    registry_.log_bytes_ += BytesInLog(record.body.size());
    return TakeInto(record, state_, registry_.taken_away_);
  }

  static Status TakeInto(const storage::LogRecord& record, SystemState& state,
                         std::set<Uuid>& taken_away) {
    AKIDB_ASSIGN_OR_RETURN(const SystemRecord decoded,
                           DecodeSystemRecord(record.type, record.body));
    NoteTakenAway(decoded, taken_away);
    return record.seq <= state.seq ? OkStatus() : state.Apply(record.seq, decoded);
  }

  Status FillCatalog() {
    Result<SystemState> held = registry_.catalog_ ? StateOf(*registry_.catalog_)
                                                  : Result<SystemState>(registry_.catalog_failure_);
    if (held.ok() && *held == state_) return OkStatus();
    Status status = held.status();
    if (held.ok() && held->seq == state_.seq) {
      status = CorruptionError("the catalog doesn't hold what the system log says");
    } else if (held.ok()) {
      status = LoadState(state_, *registry_.catalog_);
    }
    if (registry_.catalog_ && status.code() != ErrorCode::kCorruption) return status;
    AKIDB_RETURN_IF_ERROR(registry_.MakeCatalogAnew(status));
    return LoadState(state_, *registry_.catalog_);
  }

  Registry& registry_;
  const std::string folder_;
  uint64_t applied_ = 0;  // by the catalog
  bool has_checkpoint_ = false;
  Status checkpoint_damage_ = OkStatus();
  uint64_t start_after_ = 0;
  bool has_log_ = false;
  uint64_t last_seq_ = 0;
  SystemState state_;
};

Result<std::unique_ptr<Registry>> Registry::Open(const std::string& directory,
                                                 const storage::LogEnvironment& environment,
                                                 SpaceReserve& reserve, uint64_t log_bytes_max) {
  std::unique_ptr<Registry> registry(new Registry(directory, environment, reserve, log_bytes_max));
  AKIDB_RETURN_IF_ERROR(registry->OpenCatalog());
  AKIDB_RETURN_IF_ERROR(Recovery(*registry).Run());
  return registry;
}

Status Registry::OpenCatalog() {
  const std::string path = Path(kCatalogName);
  AKIDB_ASSIGN_OR_RETURN(const bool exists, environment_.fs.Exists(path));
  if (!exists) {
    catalog_failure_ = NotFoundError(path + " is missing");
    return OkStatus();
  }
  Result<std::unique_ptr<catalog::Catalog>> opened = catalog::Catalog::Open(environment_.fs, path);
  const ErrorCode code = opened.status().code();
  if (code == ErrorCode::kCorruption ||
      (code == ErrorCode::kIo && !env::LacksPermission(opened.status()))) {
    catalog_failure_ = opened.status();
    return OkStatus();
  }
  AKIDB_ASSIGN_OR_RETURN(catalog_, std::move(opened));
  return OkStatus();
}

// The database last: without it the others mean nothing. What this object has made itself it may
// also remove.
Status Registry::MakeCatalogAnew(const Status& reason) {
  const bool was_missing = reason.code() == ErrorCode::kNotFound;
  if (!was_missing) {
    environment_.log.Write(LogLevel::kWarning, "catalog_rebuilt", reason.message());
  }
  catalog_.reset();
  AKIDB_ASSIGN_OR_RETURN(const bool has_wal, environment_.fs.Exists(Path(kCatalogName) + "-wal"));
  if ((!was_missing || has_wal) && !catalog_is_own_) {
    if (catalog_keep_.empty()) {
      AKIDB_ASSIGN_OR_RETURN(catalog_keep_, reserve_.Retry([&] {
        return MakeKeepFolder(environment_.fs, directory_);
      }));
    }
    for (const char* suffix : {"-shm", "-wal", ""}) {
      const std::string path = Path(kCatalogName) + suffix;
      AKIDB_RETURN_IF_ERROR(MoveDurably(environment_.fs, path, catalog_keep_));
    }
  }
  catalog_is_own_ = true;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const Status removed = environment_.fs.Remove(Path(kCatalogName) + suffix);
    if (!removed.ok() && removed.code() != ErrorCode::kNotFound) return removed;
  }
  AKIDB_ASSIGN_OR_RETURN(catalog_, catalog::Catalog::Open(environment_.fs, Path(kCatalogName)));
  return OkStatus();
}

Status Registry::Apply(const SystemRecord& record) {
  in_doubt_ = false;
  const std::vector<std::byte> body = EncodeSystemRecord(record);
  AKIDB_ASSIGN_OR_RETURN(uint64_t seq, reserve_.Retry([&] {
    return log_->Enqueue(static_cast<uint8_t>(TypeOf(record)), body);
  }));
  in_doubt_ = true;
  AKIDB_RETURN_IF_ERROR(log_->Wait(seq));
  in_doubt_ = false;
  log_bytes_ += BytesInLog(body.size());
  AKIDB_RETURN_IF_ERROR(state_.Apply(seq, record));
  if (Status status = UpdateCatalog(record); !status.ok()) {
    catalog_failed_ = true;
    environment_.log.Write(LogLevel::kWarning, "catalog_behind", status.message());
  }
  if (log_bytes_ > compact_at_bytes_) TryToCompact();
  return OkStatus();
}

Status Registry::UpdateCatalog(const SystemRecord& record) {
  if (catalog_failed_) {
    catalog_.reset();
    AKIDB_RETURN_IF_ERROR(OpenCatalog());
    if (!catalog_) AKIDB_RETURN_IF_ERROR(MakeCatalogAnew(catalog_failure_));
    catalog_failed_ = false;
  }
  return reserve_.Retry([&] {
    const bool is_next = catalog_->applied_seq() + 1 == state_.seq;
    return is_next ? ApplyToCatalog(state_.seq, record, *catalog_) : LoadState(state_, *catalog_);
  });
}

// The log is longer than it need be then, and nothing else is wrong.
void Registry::TryToCompact() {
  const Status status = Compact();
  if (status.ok()) return;
  compact_at_bytes_ = log_bytes_ + log_bytes_max_;
  environment_.log.Write(LogLevel::kWarning, "system_log_not_cut", status.message());
}

Status Registry::Compact() {
  AKIDB_RETURN_IF_ERROR(RaiseFolderVersion(environment_.fs, directory_));
  AKIDB_ASSIGN_OR_RETURN(const uint64_t bytes,
                         PublishSystemCheckpoint(environment_.fs, Path(kSystemFolderName), state_));
  log_->Rotate();
  AKIDB_RETURN_IF_ERROR(log_->CutBefore(state_.seq));
  log_bytes_ = 0;
  compact_at_bytes_ = std::max(log_bytes_max_, 2 * bytes);
  return OkStatus();
}

}  // namespace akidb::engine
