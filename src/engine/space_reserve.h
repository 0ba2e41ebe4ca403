// A file that holds disk space back, so that on a full disk deletes can still be logged and logs
// still be recovered: docs/format/data_folder.md, `reserve`. One a data folder. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "base/mutex.h"
#include "base/status.h"
#include "env/file_system.h"

namespace akidb::engine {

class SpaceReserve {
 public:
  static constexpr uint64_t kBytes = uint64_t{4} << 20;

  // Both outlive the object. Touches no file yet.
  SpaceReserve(env::FileSystem& fs, Logger& log, std::string path);

  // Takes the space if it isn't held. Not having it is no error; writes that bring data are refused
  // until it is held again.
  void Hold();
  // Ok while the space is held, or can be taken now; else kStorageFull.
  Status CheckHeld();
  // Gives the space to who has nothing left. False when there was none to give.
  bool Release();
  // Before anything is opened: gives the space away if less than kBytes are free beside it.
  void ReleaseIfFull();

  // Runs `operation`; when that finds the disk full, gives the space away and runs it once more.
  template <typename Operation>
  auto Retry(const Operation& operation) {
    auto result = operation();
    if (!result.ok() && CodeOf(result) == ErrorCode::kStorageFull && Release()) return operation();
    return result;
  }

 private:
  static ErrorCode CodeOf(const Status& status) { return status.code(); }
  template <typename T>
  static ErrorCode CodeOf(const Result<T>& result) {
    return result.status().code();
  }
  Status Take() AKIDB_REQUIRES(mutex_);

  env::FileSystem& fs_;
  Logger& log_;
  const std::string path_;
  Mutex mutex_;
  bool held_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb::engine
