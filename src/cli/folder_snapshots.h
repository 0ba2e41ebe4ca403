// `akidb snapshot` with --directory: docs/ops/snapshots.md. Errors: those of
// storage/snapshot/snapshot_folder.h and of the place.
#pragma once

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
// By ascending name; `collection`: only its own, empty: all. Of a damaged one only the name is
// known.
Result<std::vector<SnapshotFacts>> ListFolder(const std::string& directory,
                                              const std::string& collection);
Status RestoreFromFolder(SnapshotPlace& place, const std::string& collection,
                         const FolderSnapshotName& snapshot, const ByteProgress& progress);
Status DeleteFromFolder(const FolderSnapshotName& snapshot);

}  // namespace akidb::cli
