// `akidb snapshot` with --directory: docs/ops/snapshots.md. Errors: those of
// storage/snapshot/snapshot_folder.h and of the place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/snapshot_place.h"

namespace akidb::cli {

// One snapshot of a folder.
struct FolderSnapshotName {
  std::string directory;
  std::string name;
};

Result<SnapshotFacts> CreateInFolder(SnapshotPlace& place, const std::string& collection,
                                     const std::string& directory, const ByteProgress& progress);

struct FailedCollection {
  std::string name;
  Status status;
};
struct MadeStorage {
  std::vector<SnapshotFacts> collections;
  std::vector<FailedCollection> failed;
  SnapshotFacts storage;  // of those that didn't fail, and their aliases
};
// One of every collection, each of a moment of its own, and one of the whole storage that holds
// them. Of the storage alone when one of a collection fails, unless all do: then none is made.
Result<MadeStorage> CreateAllInFolder(SnapshotPlace& place, const std::string& directory,
                                      const ByteProgress& progress);

// Which snapshots of a folder.
struct FolderSelection {
  std::string collection;  // only its own; empty: all
  bool storages = false;   // only those of the whole storage
};
// By ascending name, those of the whole storage last. Of a damaged one only the name is known.
Result<std::vector<SnapshotFacts>> ListFolder(const std::string& directory,
                                              const FolderSelection& selection);
// Every collection of a snapshot of the whole storage, after `may_restore` has said yes to each of
// them, and the aliases.
Status RestoreAllFromFolder(SnapshotPlace& place, const FolderSnapshotName& snapshot,
                            const std::function<Status(const std::string&)>& may_restore,
                            const ByteProgress& progress);
Status RestoreFromFolder(SnapshotPlace& place, const std::string& collection,
                         const FolderSnapshotName& snapshot, const ByteProgress& progress);
// Of a collection or of the whole storage; the latter with those of its collections.
// kInvalidArgument: one of a collection that one of the whole storage needs.
Status DeleteFromFolder(const FolderSnapshotName& snapshot);

}  // namespace akidb::cli
