// What is in a snapshot, checked to the last byte, and its files made a collection's folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "env/file_system.h"
#include "storage/snapshot/snapshot_file.h"
#include "storage/snapshot/snapshot_folder.h"
#include "storage/snapshot/snapshot_format.h"
#include "types/collection_config.h"
#include "types/uuid.h"

namespace akidb::engine {

struct SnapshotSummary {
  storage::SnapshotContents contents;
  CollectionConfig config;
  uint64_t bytes = 0;  // of the archive
};

// Told now and then how many bytes have been read.
using SnapshotProgress = std::function<void(uint64_t bytes)>;

// Reads all of it. kCorruption: no snapshot, or a damaged one; kUnsupported: a newer one.
Result<SnapshotSummary> VerifySnapshot(const RequestContext& context, env::FileSystem& fs,
                                       const std::string& path,
                                       const SnapshotProgress& progress = {});

struct DamagedSnapshot {
  std::string name;
  std::string what;
};

struct FolderVerdict {
  size_t snapshots = 0;  // of collections, and of whole storages
  size_t files = 0;      // of them, each counted once
  uint64_t bytes = 0;    // of these files
  std::vector<DamagedSnapshot> damaged;
};

// Reads every file that a snapshot of the folder names, once. Damage is in the verdict; an error
// is what kept it from being looked for.
Result<FolderVerdict> VerifySnapshotFolder(const RequestContext& context,
                                           storage::SnapshotFolder& folder,
                                           const SnapshotProgress& progress = {});

struct RestoreOrder {
  storage::SnapshotFile& snapshot;  // just opened; is read
  std::string directory;            // of the collection to be; must not exist
  Uuid uuid;                        // its uuid
};

// Makes the folder, in which Collection::Open finds what the snapshot holds; durable when it
// returns. Errors as above; also kStorageFull. After an error what was made of the folder is to be
// removed.
Result<SnapshotSummary> RestoreSnapshotFiles(const RequestContext& context, env::FileSystem& fs,
                                             const RestoreOrder& order);

}  // namespace akidb::engine
