#include "engine/folder_storage.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "base/utc_time.h"

namespace akidb::engine {
namespace {

constexpr size_t kIdDigits = 8;  // of a list's hash, at the end of its name

Sha256Digest HashOf(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Digest();
}

// The one with that list; "": there is none.
std::string FindSnapshot(storage::SnapshotFolder& folder, const std::vector<std::string>& names,
                         const Sha256Digest& hash) {
  const std::string id = "-" + ToHex(hash).substr(0, kIdDigits);
  for (const std::string& name : names) {
    if (!name.ends_with(id)) continue;
    const Result<Sha256Digest> found = folder.HashOfList(name);
    if (found.ok() && *found == hash) return name;
  }
  return "";
}

}  // namespace

Result<std::string> AddFolderStorage(storage::SnapshotFolder& folder,
                                     const StorageContents& contents) {
  const std::vector<std::byte> list = EncodeStorageContents(contents);
  const std::string name = "storage" + FormatUtc(contents.created_s, "-%Y-%m-%d-%H-%M-%S-") +
                           ToHex(HashOf(list)).substr(0, kIdDigits);
  AKIDB_RETURN_IF_ERROR(folder.PutStorage(name, list));
  return name;
}

Result<FolderStorage> ReadFolderStorage(storage::SnapshotFolder& folder, std::string_view name) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> list, folder.ReadStorage(name));
  Result<StorageContents> contents = DecodeStorageContents(list);
  if (!contents.ok()) return contents.status().WithContext(std::string(name));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, folder.List());
  for (StoredCollection& collection : contents->collections) {
    collection.file.name = FindSnapshot(folder, names, collection.file.sha256);
  }
  return FolderStorage{std::string(name), HashOf(list), std::move(*contents)};
}

Status CheckFolderStorage(const FolderStorage& storage) {
  for (const StoredCollection& collection : storage.contents.collections) {
    if (!collection.file.name.empty()) continue;
    return CorruptionError(storage.name + ": the snapshot of collection `" + collection.name +
                           "` is missing or damaged");
  }
  return OkStatus();
}

Status RemoveFolderStorage(storage::SnapshotFolder& folder, std::string_view name) {
  const Result<FolderStorage> storage = ReadFolderStorage(folder, name);
  AKIDB_RETURN_IF_ERROR(folder.RemoveStorage(name));
  if (!storage.ok()) {
    return storage.status().WithContext(std::string(name) +
                                        " is deleted; snapshots of its collections are left");
  }
  std::set<std::string> mine;
  for (const StoredCollection& collection : storage->contents.collections) {
    if (!collection.file.name.empty()) mine.insert(collection.file.name);
  }
  for (const std::string& snapshot : mine) {
    AKIDB_ASSIGN_OR_RETURN(const std::string other, FolderStorageWith(folder, snapshot));
    if (!other.empty()) continue;
    AKIDB_RETURN_IF_ERROR(folder.Remove(snapshot));
  }
  return OkStatus();
}

Result<std::string> FolderStorageWith(storage::SnapshotFolder& folder, std::string_view name) {
  const Result<Sha256Digest> hash = folder.HashOfList(name);
  if (hash.status().code() == ErrorCode::kNotFound) return hash.status();
  if (!hash.ok()) return std::string();  // so damaged that none can use it
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> storages, folder.Storages());
  for (const std::string& storage : storages) {
    AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> list, folder.ReadStorage(storage));
    const Result<StorageContents> contents = DecodeStorageContents(list);
    if (!contents.ok()) continue;
    const bool has = std::ranges::any_of(
        contents->collections,
        [&](const StoredCollection& collection) { return collection.file.sha256 == *hash; });
    if (has) return storage;
  }
  return std::string();
}

}  // namespace akidb::engine
