// A snapshot of a whole storage in a folder of snapshots: which snapshots of collections belong to
// it, and the aliases (docs/format/snapshot_folder.md). The collections' are in the folder before.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/storage_snapshot.h"
#include "storage/snapshot/snapshot_folder.h"

namespace akidb::engine {

struct FolderStorage {
  std::string name;
  Sha256Digest sha256{};  // of its list
  // A collection's `file`: the name of its snapshot in the folder, "" where it is missing; bytes of
  // all its files, and the hash of its list.
  StorageContents contents;
};

// Durable when it returns ok. `contents`: as above, without the names. Gives its name.
Result<std::string> AddFolderStorage(storage::SnapshotFolder& folder,
                                     const StorageContents& contents);
// kNotFound; kCorruption; kUnsupported.
Result<FolderStorage> ReadFolderStorage(storage::SnapshotFolder& folder, std::string_view name);
// kCorruption, naming the first collection that is missing.
Status CheckFolderStorage(const FolderStorage& storage);
// And the snapshots of its collections that no other has. kNotFound.
Status RemoveFolderStorage(storage::SnapshotFolder& folder, std::string_view name);
// The first snapshot of a storage that needs this one of a collection; "": none does.
Result<std::string> FolderStorageWith(storage::SnapshotFolder& folder, std::string_view name);

}  // namespace akidb::engine
