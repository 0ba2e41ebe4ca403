#include "engine/system_repair.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "catalog/catalog_copy.h"
#include "engine/data_folder.h"
#include "engine/folder_fit.h"
#include "env/permission.h"
#include "storage/wal/log_format.h"

namespace akidb::engine {
namespace {

constexpr char kNothingIsKnown[] =
    "nothing tells which collections these are: only a copy of system/ or of catalog.db, or of the "
    "whole folder, does";

}  // namespace

Result<std::unique_ptr<SystemRepair>> SystemRepair::Examine(env::FileSystem& fs,
                                                            const std::string& folder) {
  std::unique_ptr<SystemRepair> repair(new SystemRepair(fs, folder));
  AKIDB_RETURN_IF_ERROR(repair->ReadCatalog());
  AKIDB_RETURN_IF_ERROR(repair->ReadCheckpoint());
  AKIDB_RETURN_IF_ERROR(repair->ReadLog());
  AKIDB_RETURN_IF_ERROR(repair->TakeBest());
  repair->JudgeLog();
  if (!repair->damage_) repair->JudgeFit();
  if (!repair->damage_) repair->JudgeCheckpoint();
  return repair;
}

// One that is damaged, or of another folder, says nothing, and is made anew.
Status SystemRepair::ReadCatalog() {
  const std::string path = env::JoinPath(folder_, kCatalogName);
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(path));
  if (!exists) return OkStatus();
  const Result<catalog::CatalogCopy> copy = catalog::CatalogCopy::Open(fs_, path);
  Result<SystemState> state = copy.ok() ? StateOf(copy->catalog()) : copy.status();
  if (state.status().code() == ErrorCode::kCorruption) return OkStatus();
  if (state.status().code() == ErrorCode::kTooLarge ||
      (state.status().code() == ErrorCode::kIo && !env::LacksPermission(state.status()))) {
    unreadable_catalog_ = state.status().message();
    return OkStatus();
  }
  AKIDB_RETURN_IF_ERROR(state.status());
  if (state->seq == 0) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(const FolderFit fit, FitOf(fs_, folder_, *state, {}));
  if (fit.IsLikely()) {
    catalog_ = std::move(state).value();
  } else {
    foreign_seq_ = state->seq;
  }
  return OkStatus();
}

Status SystemRepair::ReadCheckpoint() {
  Result<std::optional<SystemState>> read = ReadSystemCheckpoint(fs_, SystemFolder());
  if (read.status().code() == ErrorCode::kUnsupported) return read.status();
  if (read.ok()) {
    checkpoint_ = std::move(read).value();
  } else {
    checkpoint_damage_ = read.status().message();
  }
  return OkStatus();
}

Status SystemRepair::ReadLog() {
  AKIDB_ASSIGN_OR_RETURN(first_seq_, storage::FirstSeqIn(fs_, SystemFolder()));
  AKIDB_ASSIGN_OR_RETURN(holds_collections_, HoldsCollections());
  const uint64_t begin = checkpoint_ ? checkpoint_->seq : first_seq_ ? *first_seq_ - 1 : 0;
  if (checkpoint_ || begin == 0) {
    from_log_ = checkpoint_.value_or(SystemState{});
  } else if (catalog_ && catalog_->seq >= begin) {
    from_log_ = catalog_;
  }
  if (begin > 0 && !checkpoint_ && checkpoint_damage_.empty()) {
    checkpoint_damage_ = env::JoinPath(SystemFolder(), kSystemCheckpointName) + " is missing";
  }
  if (!first_seq_) {
    log_missing_ = checkpoint_ || catalog_ || !checkpoint_damage_.empty() || holds_collections_;
    return OkStatus();
  }
  storage::LogOptions options;
  options.directory = SystemFolder();
  options.start_after_seq = begin;
  options.synced_seq = catalog_ ? catalog_->seq : 0;
  const auto replay = [this](const storage::LogRecord& record) -> Status {
    const Result<SystemRecord> decoded = DecodeSystemRecord(record.type, record.body);
    if (decoded.status().code() == ErrorCode::kUnsupported) return decoded.status();
    if (decoded.ok()) NoteTakenAway(*decoded, taken_away_);
    if (!from_log_ || record.seq <= from_log_->seq || !record_damage_.empty()) return OkStatus();
    const Status status = decoded.ok() ? from_log_->Apply(record.seq, *decoded) : decoded.status();
    if (!status.ok()) {
      record_damage_ =
          "record " + std::to_string(record.seq) + ": " + std::string(status.message());
    }
    return OkStatus();
  };
  AKIDB_ASSIGN_OR_RETURN(log_damage_, storage::FindLogDamage(fs_, options, replay));
  return OkStatus();
}

Result<bool> SystemRepair::HoldsCollections() const {
  const std::string path = env::JoinPath(folder_, kCollectionsFolderName);
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(path));
  if (!exists) return false;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(path));
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return Uuid::Parse(name).has_value(); });
}

Status SystemRepair::TakeBest() {
  const bool catalog_is_base =
      !checkpoint_ && !checkpoint_damage_.empty() && first_seq_ && *first_seq_ > 1;
  only_in_catalog_ =
      catalog_ && (!from_log_ || catalog_is_base || log_missing_ || catalog_->seq > from_log_->seq);
  if (only_in_catalog_ && (!from_log_ || catalog_->seq > from_log_->seq)) {
    state_ = *catalog_;
  } else if (from_log_) {
    state_ = *from_log_;
  }
  AKIDB_ASSIGN_OR_RETURN(fit_, FitOf(fs_, folder_, state_, taken_away_));
  if (fit_.strays.empty() || fit_.IsLikely()) return OkStatus();
  // Of another folder; the catalog, if there is one, isn't.
  is_foreign_ = true;
  foreign_names_ = fit_.ToString();
  if (!catalog_) return OkStatus();
  state_ = *catalog_;
  only_in_catalog_ = true;
  AKIDB_ASSIGN_OR_RETURN(fit_, FitOf(fs_, folder_, state_, taken_away_));
  return OkStatus();
}

void SystemRepair::JudgeLog() {
  const bool behind_all = first_seq_ && !from_log_;
  if (!log_damage_ && !log_missing_ && !behind_all && record_damage_.empty()) return;
  const uint64_t known = state_.seq;
  SystemDamage damage;
  damage.what =
      log_missing_  ? SystemFolder() + " is missing, or its log is"
      : log_damage_ ? log_damage_->what
      : !record_damage_.empty()
          ? SystemFolder() + ": " + record_damage_
          : checkpoint_damage_ + ", and the log begins with record " + std::to_string(*first_seq_);
  if (state_.collections.empty() && holds_collections_ && !checkpoint_ && !catalog_) {
    damage.lost = kNothingIsKnown;
    damage.mendable = false;
    damage_ = std::move(damage);
    return;
  }
  damage.lost =
      "every change of collections, aliases and models after record " + std::to_string(known);
  const uint64_t seen = log_damage_  ? log_damage_->last_seq + log_damage_->records_behind
                        : behind_all ? *first_seq_ - 1
                                     : known;
  if (seen <= known && only_in_catalog_) {
    damage.lost = "as far as is known nothing: " + std::string(kCatalogName) +
                  " has every change up to record " + std::to_string(known);
  } else {
    if (seen > known) damage.lost += ": at least " + std::to_string(seen - known);
    if (log_damage_) damage.lost += " (" + std::to_string(log_damage_->bytes_behind) + " bytes)";
  }
  damage.lost += WhatIsMoved();
  damage_ = std::move(damage);
}

std::string SystemRepair::WhatIsMoved() const {
  if (fit_.unnamed.empty()) return "";
  return "; of what it doesn't name nothing is served any more, and moved aside are " +
         ListFolders(fit_.unnamed);
}

// A start would set too much aside.
void SystemRepair::JudgeFit() {
  if (!is_foreign_) return;
  damage_ = {SystemFolder() + " seems to be of another data folder: it " + foreign_names_,
             only_in_catalog_ ? "changes that " + std::string(kCatalogName) +
                                    " doesn't know: it is this folder's, and counts from now on"
                              : "better restore system/ and catalog.db from one backup of this "
                                "folder: mending makes this list count",
             true};
  damage_->lost += WhatIsMoved();
}

// The next start would make it anew, too.
void SystemRepair::JudgeCheckpoint() {
  if (checkpoint_damage_.empty()) return;
  damage_ = {checkpoint_damage_,
             "nothing: log and " + std::string(kCatalogName) + " have what it had", true};
}

Status SystemRepair::Mend(const storage::LogEnvironment& environment, const std::string& keep) {
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(SystemFolder()));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(folder_));
  AKIDB_RETURN_IF_ERROR(RaiseFolderVersion(fs_, folder_));
  const bool log_is_whole = first_seq_ && from_log_ && !log_damage_ && record_damage_.empty() &&
                            !(is_foreign_ && only_in_catalog_);
  // Behind the checkpoint of what the catalog knows records of another folder would count. While
  // the catalog has it all, the rest may be missing.
  const bool catalog_has_it = only_in_catalog_ && state_ == *catalog_;
  if (!log_is_whole && catalog_has_it) {
    AKIDB_RETURN_IF_ERROR(KeepLog(keep));
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, env::JoinPath(SystemFolder(), kSystemCheckpointName),
                                      env::JoinPath(keep, kSystemFolderName)));
  }
  AKIDB_RETURN_IF_ERROR(PublishSystemCheckpoint(fs_, SystemFolder(), state_).status());
  if (!log_is_whole) {
    AKIDB_RETURN_IF_ERROR(KeepLog(keep));
    AKIDB_RETURN_IF_ERROR(BeginLogAnew(environment));
  }
  only_in_catalog_ = false;
  return OkStatus();
}

// From its end: a log that loses its last files only is no other one.
Status SystemRepair::KeepLog(const std::string& keep) {
  const std::string kept = env::JoinPath(keep, kSystemFolderName);
  AKIDB_RETURN_IF_ERROR(fs_.CreateDirectories(kept));
  AKIDB_RETURN_IF_ERROR(fs_.SyncDirectory(keep));
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, fs_.List(SystemFolder()));
  std::erase_if(names, [](const std::string& name) { return !storage::ParseLogFileName(name); });
  std::sort(names.begin(), names.end(), std::greater<>());
  for (const std::string& name : names) {
    AKIDB_RETURN_IF_ERROR(MoveDurably(fs_, env::JoinPath(SystemFolder(), name), kept));
  }
  return OkStatus();
}

Status SystemRepair::BeginLogAnew(const storage::LogEnvironment& environment) {
  storage::LogOptions options;
  options.directory = SystemFolder();
  options.start_after_seq = state_.seq;
  const auto nothing = [](const storage::LogRecord&) { return OkStatus(); };
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<storage::Log> log,
                         storage::Log::Open(environment, options, nothing, nullptr));
  return log->Close();
}

}  // namespace akidb::engine
