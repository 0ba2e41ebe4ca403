#include "engine/orphan_folders.h"

#include <algorithm>
#include <vector>

#include "engine/data_folder.h"
#include "engine/folder_fit.h"

namespace akidb::engine {
namespace {

// Where folders of one start go; made for the first.
class KeepFolder {
 public:
  KeepFolder(const storage::LogEnvironment& environment, const std::string& directory)
      : environment_(environment), directory_(directory) {}

  Status Take(const std::string& collection) {
    if (kept_.empty()) AKIDB_RETURN_IF_ERROR(Make());
    environment_.log.Write(LogLevel::kWarning, "orphan_set_aside",
                           "nothing names the folder of a collection that holds something",
                           {{"folder", collection}, {"to", kept_}});
    return MoveDurably(environment_.fs, collection, kept_);
  }

 private:
  Status Make() {
    AKIDB_ASSIGN_OR_RETURN(const std::string keep, MakeKeepFolder(environment_.fs, directory_));
    const std::string kept = env::JoinPath(keep, kCollectionsFolderName);
    AKIDB_RETURN_IF_ERROR(environment_.fs.CreateDirectories(kept));
    AKIDB_RETURN_IF_ERROR(environment_.fs.SyncDirectory(keep));
    kept_ = kept;
    return OkStatus();
  }

  const storage::LogEnvironment& environment_;
  const std::string& directory_;
  std::string kept_;
};

// Of collections that are named: their deletion hasn't come to pass. With another list they would
// be deleted for the mark.
Status RemoveMarksOfNamed(const storage::LogEnvironment& environment,
                          const std::string& collections, const Registry& registry) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, environment.fs.List(collections));
  Status first = OkStatus();
  bool has_removed = false;
  for (const std::string& name : names) {
    if (!name.ends_with(kUnneededMark)) continue;
    const auto uuid = Uuid::Parse(name.substr(0, name.size() - kUnneededMark.size()));
    if (!uuid || !registry.state().collections.contains(*uuid)) continue;
    const Status status = environment.fs.Remove(env::JoinPath(collections, name));
    has_removed |= status.ok();
    if (first.ok()) first = status;
  }
  if (has_removed) AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(collections));
  return first;
}

// The first error; one folder that can't be moved or removed doesn't keep the others.
Status RemoveAll(const storage::LogEnvironment& environment, const std::string& directory,
                 const Registry& registry) {
  AKIDB_ASSIGN_OR_RETURN(const FolderFit fit,
                         FitOf(environment.fs, directory, registry.state(), registry.taken_away()));
  const std::string collections = env::JoinPath(directory, kCollectionsFolderName);
  KeepFolder keep(environment, directory);
  Status first = RemoveMarksOfNamed(environment, collections, registry);
  for (const std::string& name : fit.unnamed) {
    const std::string folder = env::JoinPath(collections, name);
    const bool is_stray = std::binary_search(fit.strays.begin(), fit.strays.end(), name);
    if (!is_stray) {
      environment.log.Write(LogLevel::kInfo, "orphan_removed",
                            "removes the folder of a collection that was not made or was deleted",
                            {{"collection", name}});
    }
    const Status status = is_stray ? keep.Take(folder) : environment.fs.RemoveAll(folder);
    // Half removed, it may look as if it had lost something.
    if (!status.ok() && !is_stray) MarkUnneeded(environment, folder);
    if (first.ok()) first = status;
  }
  AKIDB_RETURN_IF_ERROR(first);
  // What was marked has gone.
  AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> marks, environment.fs.List(collections));
  std::erase_if(marks, [](const std::string& name) { return !name.ends_with(kUnneededMark); });
  // Not before that is durable, nor may the records go that the log still has of it.
  if (!fit.unnamed.empty() || !marks.empty()) {
    AKIDB_RETURN_IF_ERROR(environment.fs.SyncDirectory(collections));
  }
  for (const std::string& mark : marks) {
    AKIDB_RETURN_IF_ERROR(environment.fs.Remove(env::JoinPath(collections, mark)));
  }
  return OkStatus();
}

}  // namespace

void MarkUnneeded(const storage::LogEnvironment& environment, const std::string& folder) {
  const std::string mark = folder + std::string(kUnneededMark);
  Status status = environment.fs.Open(mark, env::OpenMode::kCreate).status();
  if (status.ok() || status.code() == ErrorCode::kAlreadyExists) {
    status = environment.fs.SyncDirectory(env::DirectoryOf(mark));
  }
  if (status.ok()) return;
  environment.log.Write(LogLevel::kWarning, "collection_not_marked", status.message());
}

Status RemoveUnneeded(const storage::LogEnvironment& environment, const std::string& folder) {
  AKIDB_RETURN_IF_ERROR(environment.fs.RemoveAll(folder));
  UnmarkUnneeded(environment, folder);
  return OkStatus();
}

void UnmarkUnneeded(const storage::LogEnvironment& environment, const std::string& folder) {
  // First it must be durable that the folder has gone: the mark is what tells of its remains.
  Status status = environment.fs.SyncDirectory(env::DirectoryOf(folder));
  if (status.ok()) status = environment.fs.Remove(folder + std::string(kUnneededMark));
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
