// A snapshot of a whole data folder: snapshots of its collections and their other names in one
// archive (docs/format/snapshot.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/request_context.h"
#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"

namespace akidb::engine {

struct StoredCollection {
  std::string name;
  storage::FileRef file;  // its snapshot, called as in the archive
};
struct StoredAlias {
  std::string name;
  std::string collection;
};

struct StorageContents {
  uint64_t created_s = 0;  // since 1970-01-01 UTC
  std::vector<StoredCollection> collections;
  std::vector<StoredAlias> aliases;
};

// The list at the beginning of the archive. The names of files are not in it. kCorruption;
// kUnsupported: a newer one.
std::vector<std::byte> EncodeStorageContents(const StorageContents& contents);
Result<StorageContents> DecodeStorageContents(std::span<const std::byte> bytes);

// "1.snapshot" for 0
std::string StoredSnapshotName(size_t index);

// Whether the file begins as one does.
bool IsStorageSnapshot(env::FileSystem& fs, const std::string& path);

// Makes `path` of the snapshots in `folder`. kCorruption: one of them is not what `contents` says.
// Gives size and hash of the whole. Durable when it returns ok.
struct StorageSnapshotOrder {
  std::string path;
  std::string folder;
  const StorageContents& contents;
};
Result<storage::FileRef> WriteStorageSnapshot(const RequestContext& context, env::FileSystem& fs,
                                              const StorageSnapshotOrder& order);

// The list at its beginning. kCorruption: no such snapshot, or a damaged one; kUnsupported: a newer
// one.
Result<StorageContents> ReadStorageContents(env::FileSystem& fs, const std::string& path);

// Reads all of it. Writes the snapshots of the collections into `folder`, under their names in the
// archive; empty: only looks. Errors likewise; kStorageFull.
Result<StorageContents> UnpackStorageSnapshot(const RequestContext& context, env::FileSystem& fs,
                                              const std::string& path, const std::string& folder);

}  // namespace akidb::engine
