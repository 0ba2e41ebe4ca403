#include "engine/folder_storage.h"

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

// The lists that a snapshot of a storage needs; none where it is so damaged that nobody can use it.
Result<std::set<Sha256Digest>> NeededBy(storage::SnapshotFolder& folder, const std::string& name) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::byte> list, folder.ReadStorage(name));
  const Result<StorageContents> contents = DecodeStorageContents(list);
  std::set<Sha256Digest> needed;
  if (contents.status().code() == ErrorCode::kCorruption) return needed;
  if (!contents.ok()) return contents.status().WithContext(name);
  for (const StoredCollection& one : contents->collections) needed.insert(one.file.sha256);
  return needed;
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
  std::set<Sha256Digest> needed;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> others, folder.Storages());
  for (const std::string& other : others) {
    AKIDB_ASSIGN_OR_RETURN(std::set<Sha256Digest> more, NeededBy(folder, other));
    needed.merge(more);
  }
  std::set<std::string> mine;
  for (const StoredCollection& collection : storage->contents.collections) {
    const bool goes = !collection.file.name.empty() && !needed.contains(collection.file.sha256);
    if (goes) mine.insert(collection.file.name);
  }
  return folder.Remove(std::vector<std::string>(mine.begin(), mine.end()));
}

Result<std::string> FolderStorageWith(storage::SnapshotFolder& folder, std::string_view name) {
  const Result<Sha256Digest> hash = folder.HashOfList(name);
  if (hash.status().code() == ErrorCode::kCorruption) return std::string();  // none can use it
  AKIDB_RETURN_IF_ERROR(hash.status());
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> storages, folder.Storages());
  for (const std::string& storage : storages) {
    AKIDB_ASSIGN_OR_RETURN(const std::set<Sha256Digest> needed, NeededBy(folder, storage));
    if (needed.contains(*hash)) return storage;
  }
  return std::string();
}

}  // namespace akidb::engine
