#include "cli/folder_snapshots.h"

#include <algorithm>
#include <utility>

#include "base/utc_time.h"
#include "cli/interrupt.h"
#include "engine/folder_storage.h"
#include "env/clock.h"

namespace akidb::cli {

using storage::SnapshotFolder;

namespace {

Result<SnapshotFacts> FactsOfStorage(SnapshotFolder& folder, const std::string& name) {
  AKIDB_ASSIGN_OR_RETURN(const engine::FolderStorage storage,
                         engine::ReadFolderStorage(folder, name));
  const engine::StorageContents& contents = storage.contents;
  SnapshotFacts facts{name, 0, UtcTimeText(contents.created_s), ToHex(storage.sha256), {}};
  for (const engine::StoredCollection& one : contents.collections) facts.bytes += one.file.bytes;
  return facts;
}

Status Stopped() { return CancelledError("stopped"); }

struct MadeCollections {
  MadeStorage made;  // but for the storage's own
  std::vector<engine::StoredCollection> stored;
};

// Of every collection that is still there.
Result<MadeCollections> CreateEach(SnapshotPlace& place,
                                   const std::vector<std::string>& collections,
                                   SnapshotFolder& folder, const ByteProgress& progress) {
  MadeCollections each;
  for (const std::string& collection : collections) {
    if (Interrupted()) return Stopped();
    const uint64_t before = folder.copied();
    Result<SnapshotFacts> facts = place.CreateIn(collection, folder, progress);
    if (facts.status().code() == ErrorCode::kCancelled) return facts.status();
    if (facts.status().code() == ErrorCode::kNotFound) {
      AKIDB_ASSIGN_OR_RETURN(const bool is_there, place.HasCollection(collection));
      if (!is_there) continue;  // deleted meanwhile
    }
    if (!facts.ok()) {
      each.made.failed.push_back({collection, facts.status()});
      continue;
    }
    facts->copied = folder.copied() - before;
    AKIDB_ASSIGN_OR_RETURN(const Sha256Digest hash, folder.HashOfList(facts->name));
    each.stored.push_back({collection, {facts->name, facts->bytes, hash}});
    each.made.collections.push_back(std::move(*facts));
  }
  return each;
}

}  // namespace

Result<SnapshotFacts> CreateInFolder(SnapshotPlace& place, const std::string& collection,
                                     const std::string& directory, const ByteProgress& progress) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::OpenToChange(*fs, directory));
  return place.CreateIn(collection, *folder, progress);
}

Result<MadeStorage> CreateAllInFolder(SnapshotPlace& place, const std::string& directory,
                                      const ByteProgress& progress) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::OpenToChange(*fs, directory));
  AKIDB_ASSIGN_OR_RETURN(const StorageNames before, place.Names());
  engine::StorageContents contents;
  const int64_t now_us = env::MakeSystemClock()->UnixMicros();
  contents.created_s = static_cast<uint64_t>(std::max<int64_t>(0, now_us) / 1'000'000);
  AKIDB_ASSIGN_OR_RETURN(MadeCollections each,
                         CreateEach(place, before.collections, *folder, progress));
  MadeStorage made = std::move(each.made);
  contents.collections = std::move(each.stored);
  if (contents.collections.empty() && !made.failed.empty()) return made;
  AKIDB_ASSIGN_OR_RETURN(StorageNames after, place.Names());
  std::erase_if(after.aliases, [&](const engine::StoredAlias& alias) {
    return std::ranges::none_of(contents.collections,
                                [&](const auto& one) { return one.name == alias.collection; });
  });
  contents.aliases = std::move(after.aliases);
  AKIDB_ASSIGN_OR_RETURN(const std::string name, engine::AddFolderStorage(*folder, contents));
  AKIDB_ASSIGN_OR_RETURN(made.storage, FactsOfStorage(*folder, name));
  made.storage.copied = folder->copied();
  return made;
}

Result<std::vector<SnapshotFacts>> ListFolder(const std::string& directory,
                                              const FolderSelection& selection) {
  const std::string& collection = selection.collection;
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::Open(*fs, directory));
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> names, folder->List());
  std::vector<SnapshotFacts> snapshots;
  for (const std::string& name : names) {
    if (selection.storages) break;
    const Result<storage::SnapshotContents> contents = folder->Contents(name);
    if (contents.status().code() == ErrorCode::kNotFound) continue;  // deleted meanwhile
    if (contents.ok() && !collection.empty() && contents->collection != collection) continue;
    Result<SnapshotFacts> facts = FactsIn(*folder, name);
    snapshots.push_back(facts.ok() ? std::move(*facts) : SnapshotFacts{name, 0, "", "", {}});
  }
  if (!collection.empty()) return snapshots;
  AKIDB_ASSIGN_OR_RETURN(const std::vector<std::string> storages, folder->Storages());
  for (const std::string& name : storages) {
    Result<SnapshotFacts> facts = FactsOfStorage(*folder, name);
    if (facts.status().code() == ErrorCode::kNotFound) continue;
    snapshots.push_back(facts.ok() ? std::move(*facts) : SnapshotFacts{name, 0, "", "", {}});
  }
  return snapshots;
}

Status RestoreAllFromFolder(SnapshotPlace& place, const FolderSnapshotName& snapshot,
                            const std::function<Status(const std::string&)>& may_restore,
                            const ByteProgress& progress) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  AKIDB_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFolder> folder,
                         SnapshotFolder::Open(*fs, snapshot.directory));
  AKIDB_ASSIGN_OR_RETURN(const engine::FolderStorage storage,
                         engine::ReadFolderStorage(*folder, snapshot.name));
  AKIDB_RETURN_IF_ERROR(engine::CheckFolderStorage(storage));
  for (const engine::StoredCollection& collection : storage.contents.collections) {
    AKIDB_RETURN_IF_ERROR(may_restore(collection.name));
  }
  for (const engine::StoredCollection& collection : storage.contents.collections) {
    if (Interrupted()) return Stopped();
    const std::string& name = collection.file.name;
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> archive, folder->OpenArchive(name));
    AKIDB_RETURN_IF_ERROR(place.RestoreArchive(collection.name, std::move(archive), name, progress)
                              .WithContext("collection `" + collection.name + "`"));
  }
  for (const engine::StoredAlias& alias : storage.contents.aliases) {
    AKIDB_RETURN_IF_ERROR(place.SetAlias(alias.name, alias.collection));
  }
  return OkStatus();
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
  const Status removed = engine::RemoveFolderStorage(*folder, snapshot.name);
  if (removed.code() != ErrorCode::kNotFound) return removed;
  AKIDB_ASSIGN_OR_RETURN(const std::string needs_it,
                         engine::FolderStorageWith(*folder, snapshot.name));
  if (needs_it.empty()) return folder->Remove(snapshot.name);
  return InvalidArgumentError(snapshot.name + " is a part of " + needs_it +
                              ", of the whole storage: delete that");
}

}  // namespace akidb::cli
