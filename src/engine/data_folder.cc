#include "engine/data_folder.h"

#include <algorithm>
#include <span>
#include <vector>

#include "engine/system_state.h"
#include "types/uuid.h"

namespace akidb::engine {
namespace {

constexpr std::string_view kFirstVersion = "1\n";
constexpr std::string_view kCheckpointVersion = "2\n";
constexpr char kKeepFolder[] = "repaired";

// Makes the folder and its missing parents, each durable in its own parent.
Status CreateDurably(env::FileSystem& fs, const std::string& folder) {
  std::vector<std::string> missing;
  for (std::string path = folder;; path = env::DirectoryOf(path)) {
    AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(path));
    if (exists || path == env::DirectoryOf(path)) break;
    missing.push_back(path);
  }
  AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(folder));
  for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
    AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(env::DirectoryOf(*path)));
  }
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<env::FileLock>> LockFolder(env::FileSystem& fs, const std::string& folder) {
  Result<std::unique_ptr<env::FileLock>> lock = fs.Lock(env::JoinPath(folder, "LOCK"));
  if (lock.ok() || lock.status().code() != ErrorCode::kBusy) return lock;
  return BusyError("data folder " + folder + " is in use by another process");
}

Status WriteFolderVersion(env::FileSystem& fs, const std::string& folder) {
  const std::string system = env::JoinPath(folder, kSystemFolderName);
  AKIDB_ASSIGN_OR_RETURN(const bool checkpoint,
                         fs.Exists(env::JoinPath(system, kSystemCheckpointName)));
  const std::string_view version = checkpoint ? kCheckpointVersion : kFirstVersion;
  return env::WriteFileAtomically(fs, env::JoinPath(folder, "VERSION"),
                                  std::as_bytes(std::span(version)));
}

Result<std::unique_ptr<env::FileLock>> ClaimFolder(env::FileSystem& fs, const std::string& folder) {
  AKIDB_RETURN_IF_ERROR(CreateDurably(fs, folder));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::FileLock> lock, LockFolder(fs, folder));
  std::string path = env::JoinPath(folder, "VERSION");
  AKIDB_ASSIGN_OR_RETURN(bool exists, fs.Exists(path));
  if (!exists) {
    // An earlier start may have been cut off between making the folder and syncing its parent.
    AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(env::DirectoryOf(folder)));
    AKIDB_RETURN_IF_ERROR(WriteFolderVersion(fs, folder));
    return lock;
  }
  AKIDB_ASSIGN_OR_RETURN(std::string version, env::ReadWholeFile(fs, path, 64));
  AKIDB_RETURN_IF_ERROR(CheckFolderVersion(folder, version));
  return lock;
}

Status RaiseFolderVersion(env::FileSystem& fs, const std::string& folder) {
  const std::string path = env::JoinPath(folder, "VERSION");
  const Result<std::string> version = env::ReadWholeFile(fs, path, 64);
  // An earlier attempt may have been cut off, or have failed, before its name was durable.
  if (version.ok() && *version == kCheckpointVersion) return fs.SyncDirectory(folder);
  return env::WriteFileAtomically(fs, path, std::as_bytes(std::span(kCheckpointVersion)));
}

Result<std::string> MakeKeepFolder(env::FileSystem& fs, const std::string& folder) {
  const std::string parent = env::JoinPath(folder, kKeepFolder);
  for (uint64_t number = 1;; ++number) {
    std::string keep = env::JoinPath(parent, std::to_string(number));
    AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(keep));
    if (exists) continue;
    AKIDB_RETURN_IF_ERROR(fs.CreateDirectories(keep));
    AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(folder));
    AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(parent));
    return keep;
  }
}

Status MoveDurably(env::FileSystem& fs, const std::string& from, const std::string& to_folder) {
  AKIDB_ASSIGN_OR_RETURN(const bool exists, fs.Exists(from));
  if (!exists) return OkStatus();
  AKIDB_RETURN_IF_ERROR(
      fs.Rename(from, env::JoinPath(to_folder, from.substr(from.rfind('/') + 1))));
  AKIDB_RETURN_IF_ERROR(fs.SyncDirectory(to_folder));
  return fs.SyncDirectory(env::DirectoryOf(from));
}

Status CheckFolderVersion(const std::string& folder, std::string_view version) {
  if (version == kFirstVersion || version == kCheckpointVersion) return OkStatus();
  const std::string_view number = version.substr(0, version.find('\n'));
  const bool is_number =
      !number.empty() && number.front() != '0' &&
      std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || version.size() != number.size() + 1 || number == "1" || number == "2") {
    return CorruptionError(env::JoinPath(folder, "VERSION") +
                           " is damaged: `1` or `2` and a newline were expected");
  }
  return UnsupportedError(
      "data folder " + folder + " is of version " + std::string(number) +
      "; this program reads up to version 2. Use a newer akidb, or another folder");
}

}  // namespace akidb::engine
