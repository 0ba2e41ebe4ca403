#include "engine/space_reserve.h"

namespace akidb::engine {

SpaceReserve::SpaceReserve(env::FileSystem& fs, Logger& log, std::string path)
    : fs_(fs), log_(log), path_(std::move(path)) {}

Status SpaceReserve::Take() {
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs_.Exists(path_));
  AKIDB_ASSIGN_OR_RETURN(
      std::unique_ptr<env::File> file,
      fs_.Open(path_, exists ? env::OpenMode::kReadWrite : env::OpenMode::kCreate));
  AKIDB_RETURN_IF_ERROR(file->Allocate(kBytes));
  held_ = true;
  return OkStatus();
}

void SpaceReserve::Hold() {
  MutexLock lock(mutex_);
  if (held_) return;
  Status taken = Take();
  if (taken.ok()) return;
  // A part of it helps nobody.
  static_cast<void>(fs_.Remove(path_));
  log_.Write(LogLevel::kWarning, "reserve_not_held", taken.message(), {{"bytes", kBytes}});
}

Status SpaceReserve::CheckHeld() {
  MutexLock lock(mutex_);
  if (held_) return OkStatus();
  Status taken = Take();
  if (taken.ok()) return OkStatus();
  static_cast<void>(fs_.Remove(path_));
  return StorageFullError("less than " + std::to_string(kBytes) + " bytes are free for " + path_ +
                          "; delete data or make room");
}

bool SpaceReserve::Release() {
  MutexLock lock(mutex_);
  held_ = false;
  Status removed = fs_.Remove(path_);
  if (!removed.ok()) return false;
  log_.Write(LogLevel::kWarning, "reserve_released",
             "the disk is full; until there is room again, only deletes are taken",
             {{"bytes", kBytes}});
  return true;
}

void SpaceReserve::ReleaseIfFull() {
  Result<uint64_t> room = fs_.FreeBytes(env::DirectoryOf(path_));
  if (room.ok() && *room < kBytes) static_cast<void>(Release());
}

}  // namespace akidb::engine
