#include "cli/folder_snapshots.h"

#include <utility>

namespace akidb::cli {

using storage::SnapshotFolder;

Result<SnapshotFacts> CreateInFolder(SnapshotPlace& place, const std::string& collection,
                                     const std::string& directory, const ByteProgress& progress) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::OpenToChange(*fs, directory));
  return place.CreateIn(collection, *folder, progress);
}

Result<std::vector<SnapshotFacts>> ListFolder(const std::string& directory,
                                              const std::string& collection) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::Open(*fs, directory));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, folder->List());
  std::vector<SnapshotFacts> snapshots;
  for (const std::string& name : names) {
    const Result<storage::SnapshotContents> contents = folder->Contents(name);
    if (contents.status().code() == ErrorCode::kNotFound) continue;  // deleted meanwhile
    if (contents.ok() && !collection.empty() && contents->collection != collection) continue;
    Result<SnapshotFacts> facts = FactsIn(*folder, name);
    snapshots.push_back(facts.ok() ? std::move(*facts) : SnapshotFacts{name, 0, "", "", {}});
  }
  return snapshots;
}

Status RestoreFromFolder(SnapshotPlace& place, const std::string& collection,
                         const FolderSnapshotName& snapshot, const ByteProgress& progress) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::Open(*fs, snapshot.directory));
  AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> archive, folder->OpenArchive(snapshot.name));
  return place.RestoreArchive(collection, std::move(archive), snapshot.name, progress);
}

Status DeleteFromFolder(const FolderSnapshotName& snapshot) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  // Nothing is made where none is.
  AKIDB_RETURN_IF_ERROR(SnapshotFolder::Open(*fs, snapshot.directory).status());
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::OpenToChange(*fs, snapshot.directory));
  return folder->Remove(snapshot.name);
}

}  // namespace akidb::cli
