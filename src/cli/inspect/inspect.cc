#include "cli/inspect/inspect.h"

#include <array>
#include <cstring>
#include <memory>

#include "cli/inspect/inspect_parts.h"
#include "engine/storage_snapshot.h"
#include "env/permission.h"
#include "service/quota_file.h"
#include "storage/manifest/manifest_format.h"
#include "storage/snapshot/snapshot_format.h"
#include "storage/wal/log_reader.h"

namespace akidb::cli {
namespace {

constexpr char kSystemFolder[] = "system";

Result<std::string> FirstBytes(env::FileSystem& fs, const std::string& path, size_t count) {
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, fs.Open(path, env::OpenMode::kRead));
  std::string bytes(count, '\0');
  AKIDB_ASSIGN_OR_RETURN(const size_t read,
                         file->ReadAt(0, std::as_writable_bytes(std::span(bytes))));
  bytes.resize(read);
  return bytes;
}

// The system log stands beside VERSION; a collection's in its own folder.
LogKind KindOfLog(const std::string& folder) {
  return NameOf(folder) == kSystemFolder ? LogKind::kSystem : LogKind::kCollection;
}

// A server that has it open writes to it.
Report InspectCatalogAtRest(env::FileSystem& fs, const std::string& path) {
  const std::string lock_path = env::JoinPath(env::DirectoryOf(path), "LOCK");
  const Result<bool> has_lock = fs.Exists(lock_path);
  if (!has_lock.ok() || !*has_lock) return InspectCatalog(fs, path, nullptr);
  const Result<std::unique_ptr<env::FileLock>> lock = fs.Lock(lock_path);
  const bool in_use = !lock.ok() && lock.status().code() == ErrorCode::kBusy;
  return in_use ? CatalogInUse() : InspectCatalog(fs, path, nullptr);
}

Result<Report> InspectFile(env::FileSystem& fs, const std::string& path,
                           const InspectOptions& options) {
  AKIDB_ASSIGN_OR_RETURN(const std::string magic, FirstBytes(fs, path, 8));
  const std::string name = NameOf(path);
  // Those that can't be told by their first bytes, damaged ones among them.
  if (name == kCurrent) return InspectCurrent(fs, path);
  if (name == "VERSION") return InspectVersion(fs, path);
  if (name == service::kQuotaFileName) return InspectQuotas(fs, path);
  if (name == "reserve") return InspectReserve(fs, path);
  if (magic == "SQLite f" || name == kCatalog) return InspectCatalogAtRest(fs, path);
  if (magic == "AKIDBSEG" || magic == "AKIDBDLT" || name.ends_with(".seg") ||
      name.ends_with(".delta")) {
    return InspectSectionFile(fs, path, std::nullopt, options);
  }
  if (magic == "AKIDBSYS" || name == engine::kSystemCheckpointName) {
    return InspectSystemCheckpoint(fs, path);
  }
  if (magic == "AKIDBLOG" || storage::ParseLogFileName(name)) {
    return InspectLogFile(fs, path, KindOfLog(std::string(env::DirectoryOf(path))));
  }
  // The first entry of the archive.
  if (magic == storage::kSnapshotListName) return InspectSnapshot(fs, path, options);
  if (engine::IsStorageSnapshot(fs, path)) return InspectStorageSnapshot(fs, path, options);
  if (magic == "AKIDBSNP") return InspectSnapshotList(fs, path);
  if (magic == "AKIDBMAN" || storage::ParseManifestFileName(name)) {
    return InspectManifestFile(fs, path);
  }
  return InvalidArgumentError(path + ": not a file of AkiDB's, or its first bytes are damaged");
}

}  // namespace

std::string NameOf(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path;
  const size_t slash = path.find_last_of('/', end);
  return path.substr(slash == std::string::npos ? 0 : slash + 1, end - slash);
}

std::string DamageOf(const Status& status, const std::string& path) {
  const std::string message(status.message());
  const std::string before = path + ": ";
  return message.starts_with(before) ? message.substr(before.size()) : message;
}

void Tell(const Status& status, const std::string& path, Report& report) {
  if (env::LacksPermission(status)) {
    report.not_read = "permission is missing: " + DamageOf(status, path);
  } else {
    report.damage = DamageOf(status, path);
  }
}

Result<Report> Inspect(env::FileSystem& fs, const std::string& path,
                       const InspectOptions& options) {
  const Result<std::vector<std::string>> entries = fs.List(path);
  if (!entries.ok()) return InspectFile(fs, path, options);
  bool has_segments = false;
  bool has_logs = false;
  for (const std::string& name : *entries) {
    if (name == "VERSION" || name == "collections") return InspectDataFolder(fs, path, options);
    if (name == "FORMAT") return InspectSnapshotFolder(fs, path, options);
    if (name == kCurrent || storage::ParseManifestFileName(name)) {
      return InspectCollection(fs, path, options);
    }
    has_segments = has_segments || name.ends_with(".seg") || name.ends_with(".delta");
    has_logs = has_logs || name.ends_with(".log");
  }
  SystemLog system;
  if (has_logs && KindOfLog(path) == LogKind::kSystem) return InspectSystemLog(fs, path, system);
  if (has_logs) return InspectLogFolder(fs, path, LogKind::kCollection);
  if (!has_segments) {
    return InvalidArgumentError(path + ": neither a data folder nor a part of one");
  }
  Report report{"folder", NameOf(path), {}, {}, {}};
  for (const std::string& name : *entries) {
    if (!name.ends_with(".seg") && !name.ends_with(".delta")) continue;
    report.parts.push_back(
        InspectSectionFile(fs, env::JoinPath(path, name), std::nullopt, options));
  }
  return report;
}

}  // namespace akidb::cli
