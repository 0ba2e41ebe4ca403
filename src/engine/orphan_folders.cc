#include "engine/orphan_folders.h"

#include <optional>
#include <set>
#include <vector>

#include "engine/data_folder.h"
#include "storage/manifest/manifest.h"
#include "storage/wal/log_repair.h"

namespace akidb::engine {
namespace {

constexpr std::string_view kMark = ".unneeded";

Status SetAside(const storage::LogEnvironment& environment, const std::string& directory,
                const std::string& collection) {
  AKIDB_ASSIGN_OR_RETURN(const std::string keep, MakeKeepFolder(environment.fs, directory));
  environment.log.Write(LogLevel::kWarning, "orphan_set_aside",
                        "nothing names the folder of a collection that holds something",
                        {{"folder", collection}, {"to", keep}});
  const std::string kept = env::JoinPath(keep, kCollectionsFolderName);
  AKIDB_RETURN_IF_ERROR(environment.fs.CreateDirectories(kept));
  AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(keep));
  return MoveDurably(environment.fs, collection, kept);
}

// A collection that was never made to its end, or that nothing was ever written to. Where that
// can't be told it holds something.
Result<bool> HoldsNothing(env::FileSystem& fs, const std::string& folder, const Uuid& uuid) {
  AKIDB_ASSIGN_OR_RETURN(const bool finished, fs.Exists(env::JoinPath(folder, "CURRENT")));
  if (!finished) return true;
  const Result<std::vector<std::string>> segments =
      fs.List(env::JoinPath(folder, storage::kSegmentFolder));
  const bool is_known = segments.ok() || segments.status().code() == ErrorCode::kNotFound;
  if (!is_known || (segments.ok() && !segments->empty())) return false;
  storage::LogOptions log;
  log.collection_uuid = uuid;
  log.directory = env::JoinPath(folder, "log");
  bool has_records = false;
  const auto look = [&](const storage::LogRecord&) {
    has_records = true;
    return CancelledError("seen");
  };
  const Result<std::optional<storage::LogDamage>> damage = storage::FindLogDamage(fs, log, look);
  return !has_records && damage.ok() && !*damage;
}

Status RemoveAll(const storage::LogEnvironment& environment, const std::string& directory,
                 const Registry& registry) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<catalog::CollectionRow> rows,
                         registry.catalog().Collections());
  std::set<Uuid> known;
  for (const catalog::CollectionRow& row : rows) known.insert(row.uuid);
  const std::string collections = env::JoinPath(directory, kCollectionsFolderName);
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, environment.fs.List(collections));
  bool changed = false;
  for (const std::string& name : names) {
    changed |= name.ends_with(kMark);
    const std::optional<Uuid> uuid = Uuid::Parse(name);
    if (!uuid || known.contains(*uuid)) continue;
    const std::string folder = env::JoinPath(collections, name);
    AKIDB_ASSIGN_OR_RETURN(const bool unfinished, HoldsNothing(environment.fs, folder, *uuid));
    AKIDB_ASSIGN_OR_RETURN(const bool marked, environment.fs.Exists(folder + std::string(kMark)));
    if (!unfinished && !marked && !registry.taken_away().contains(*uuid)) {
      AKIDB_RETURN_IF_ERROR(SetAside(environment, directory, folder));
      continue;
    }
    environment.log.Write(LogLevel::kInfo, "orphan_removed",
                          "removes the folder of a collection that was not made or was deleted",
                          {{"collection", name}});
    AKIDB_RETURN_IF_ERROR(environment.fs.RemoveAll(folder));
    changed = true;
  }
  // Before the marks go, and the records that the log still has of it.
  if (changed) AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(collections));
  // What was marked has gone, or is named.
  std::vector<std::string> marks = names;
  std::erase_if(marks, [](const std::string& name) { return !name.ends_with(kMark); });
  // Not before that is durable.
  if (!marks.empty()) AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(collections));
  for (const std::string& mark : marks) {
    AKIDB_RETURN_IF_ERROR(environment.fs.Remove(env::JoinPath(collections, mark)));
  }
  return OkStatus();
}

}  // namespace

void MarkUnneeded(const storage::LogEnvironment& environment, const std::string& folder) {
  const std::string mark = folder + std::string(kMark);
  Status status = environment.fs.Open(mark, env::OpenMode::kCreate).status();
  if (status.ok() || status.code() == ErrorCode::kAlreadyExists) {
    status = environment.fs.SyncDirectory(env::DirectoryOf(mark));
  }
  if (status.ok()) return;
  environment.log.Write(LogLevel::kWarning, "collection_not_marked", status.message());
}

Status RemoveUnneeded(const storage::LogEnvironment& environment, const std::string& folder) {
  AKIDB_RETURN_IF_ERROR(environment.fs.RemoveAll(folder));
  AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(env::DirectoryOf(folder)));
  UnmarkUnneeded(environment, folder);
  return OkStatus();
}

void UnmarkUnneeded(const storage::LogEnvironment& environment, const std::string& folder) {
  // First it must be durable that the folder has gone: the mark is what tells of its remains.
  Status status = environment.fs.SyncDirectory(env::DirectoryOf(folder));
  if (status.ok()) status = environment.fs.Remove(folder + std::string(kMark));
  if (status.ok() || status.code() == ErrorCode::kNotFound) return;
  environment.log.Write(LogLevel::kWarning, "collection_not_marked", status.message());
}

void UndoCreation(const storage::LogEnvironment& environment, const std::string& folder) {
  MarkUnneeded(environment, folder);
  const Status status = RemoveUnneeded(environment, folder);
  if (status.ok()) return;
  environment.log.Write(LogLevel::kWarning, "collection_files_left", status.message());
}

void RemoveOrphanFolders(const storage::LogEnvironment& environment, const std::string& directory,
                         const Registry& registry) {
  const Status status = RemoveAll(environment, directory, registry);
  if (status.ok()) return;
  environment.log.Write(LogLevel::kWarning, "orphans_left", status.message());
}

}  // namespace akidb::engine
