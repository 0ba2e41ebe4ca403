// What is left of a folder's list of collections where the system log, its checkpoint or the
// catalog is damaged: each tells what the others may have lost.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"
#include "engine/folder_fit.h"
#include "engine/system_state.h"
#include "env/file_system.h"
#include "storage/wal/log_repair.h"

namespace akidb::engine {

struct SystemDamage {
  std::string what;  // file, place and reason
  std::string lost;  // by mending it
  bool mendable = true;
};

// Of a data folder that no process uses, for the life of the object. Not thread-safe.
class SystemRepair {
 public:
  // Reads log and checkpoint whole, and the catalog. kIo: the log can't be read, or permission is
  // missing; kUnsupported: of a newer version.
  static Result<std::unique_ptr<SystemRepair>> Examine(env::FileSystem& fs,
                                                       const std::string& folder);

  const std::optional<SystemDamage>& damage() const { return damage_; }
  // All that is known: what Mend makes count, and without damage what counts.
  const SystemState& state() const { return state_; }
  // Whether there is a catalog that tells of another folder's collections, and that a start would
  // believe to know more than the log.
  bool foreign_catalog() const { return foreign_seq_ > state_.seq; }
  // Why the catalog can't be read; "": it can, or there is none.
  const std::string& unreadable_catalog() const { return unreadable_catalog_; }
  // Whether only the catalog knows it.
  bool only_in_catalog() const { return only_in_catalog_; }

  // Makes the state count: as a checkpoint, behind which a damaged log begins anew. Of that, and of
  // a list that is another folder's, the files go to the folder `keep`/system. May be repeated
  // after any error and any power cut.
  Status Mend(const storage::LogEnvironment& environment, const std::string& keep);

 private:
  SystemRepair(env::FileSystem& fs, std::string folder) : fs_(fs), folder_(std::move(folder)) {}

  std::string SystemFolder() const { return env::JoinPath(folder_, kSystemFolderName); }
  Status ReadCatalog();
  Status ReadCheckpoint();
  Status ReadLog();
  Result<bool> HoldsCollections() const;
  Status TakeBest();
  void JudgeFit();
  void JudgeCheckpoint();
  void JudgeLog();
  std::string WhatIsMoved() const;
  Status KeepLog(const std::string& keep);
  Status BeginLogAnew(const storage::LogEnvironment& environment);

  env::FileSystem& fs_;
  const std::string folder_;
  std::optional<SystemState> catalog_;     // nothing: missing, or damaged
  std::optional<SystemState> checkpoint_;  // likewise
  uint64_t foreign_seq_ = 0;               // of a catalog that is of another folder
  std::string unreadable_catalog_;
  std::string checkpoint_damage_;
  std::string record_damage_;            // of a record of the log that is none of ours
  std::optional<uint64_t> first_seq_;    // of the log
  std::optional<SystemState> from_log_;  // nothing: it begins behind all that is known
  std::optional<storage::LogDamage> log_damage_;
  bool log_missing_ = false;
  bool holds_collections_ = false;  // folders of collections are there
  std::set<Uuid> taken_away_;       // by records of the log
  SystemState state_;
  FolderFit fit_;              // of it
  bool is_foreign_ = false;    // log and checkpoint seem to be of another folder
  std::string foreign_names_;  // how then
  bool only_in_catalog_ = false;
  std::optional<SystemDamage> damage_;
};

}  // namespace akidb::engine
