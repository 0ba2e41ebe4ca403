// Snapshots in a folder that share what is the same in them: docs/format/snapshot_folder.md. What
// is read of it is taken on trust as little as an archive. Not thread-safe; several objects, in
// this process or others, may use one folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/request_context.h"
#include "base/sha256.h"
#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/snapshot/snapshot_file.h"
#include "storage/snapshot/snapshot_format.h"

namespace akidb::storage {

inline constexpr size_t kFolderSnapshotsMax = 10'000;

class SnapshotFolder {
 public:
  // To read. kNotFound; kCorruption: no such folder, or a damaged one; kUnsupported: a newer one.
  static Result<std::unique_ptr<SnapshotFolder>> Open(env::FileSystem& fs, std::string path);
  // To add and delete: alone while the object lives, else kBusy. Makes the folder where it is
  // missing or empty; kInvalidArgument where it holds something else. Removes what was left over.
  static Result<std::unique_ptr<SnapshotFolder>> OpenToChange(env::FileSystem& fs,
                                                              std::string path);

  const std::string& path() const { return path_; }

  // By ascending name: kCorruption beyond kFolderSnapshotsMax.
  Result<std::vector<std::string>> List();
  // kNotFound; kCorruption; kUnsupported.
  Result<SnapshotContents> Contents(std::string_view name);
  // Of the list, by which two snapshots are told apart.
  Result<Sha256Digest> HashOfList(std::string_view name);
  // The archive that it would be.
  Result<std::unique_ptr<env::File>> OpenArchive(std::string_view name);
  // Reads a file of a snapshot: kCorruption unless it is what its name and size say.
  Status CheckFile(const RequestContext& context, const FileRef& file);
  // All of one, of bounded size.
  Result<std::vector<std::byte>> ReadFile(const FileRef& file);

  // To be called after OpenToChange. Durable when they return ok; else nothing is to be seen of it.
  // Both give the snapshot's name, the bytes of all its files, and its list's hash. kStorageFull.
  Result<FileRef> Add(const RequestContext& context, const SnapshotContents& contents,
                      const std::function<SnapshotSource(const FileRef&)>& source_of);
  // What an archive holds.
  Result<FileRef> Import(const RequestContext& context, SnapshotFile& archive);
  // And the files that no other has. After an error that isn't kNotFound it may be there or not.
  Status Remove(std::string_view name);
  // Of each, whatever becomes of the others; the first error.
  Status Remove(const std::vector<std::string>& names);

  // Snapshots of a whole storage: which snapshots of the folder belong together, in a form that is
  // the caller's (docs/format/snapshot_folder.md). By ascending name, as many as of the others.
  Result<std::vector<std::string>> Storages();
  // kNotFound; kCorruption.
  Result<std::vector<std::byte>> ReadStorage(std::string_view name);
  // To be called after OpenToChange; durable when they return ok. The first takes the place of one
  // of that name.
  Status PutStorage(std::string_view name, std::span<const std::byte> bytes);
  Status RemoveStorage(std::string_view name);

  // Bytes of files that this object has written.
  uint64_t copied() const { return copied_; }

 private:
  class Writer;
  class Importer;

  SnapshotFolder(env::FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  std::string FilesFolder() const { return env::JoinPath(path_, "files"); }
  std::string ListsFolder() const { return env::JoinPath(path_, "snapshots"); }
  std::string ListPath(std::string_view name) const;
  std::string PathOf(std::string_view name, std::string_view suffix) const;
  Status CheckFormat();
  Status CheckFolders();
  Status Make();
  Result<std::vector<std::byte>> ReadList(std::string_view name);
  Result<std::vector<std::byte>> Read(std::string_view name, std::string_view suffix);
  Result<std::vector<std::string>> ListOf(std::string_view suffix);
  Status RemoveOne(std::string_view name, std::string_view suffix);
  // Names of the files that some list names.
  Result<std::set<std::string>> Named();
  Status RemoveTemporaries();
  Status RemoveUnnamed();
  // Whether it needn't be copied.
  Result<bool> Has(const FileRef& file);
  Status CheckRoom(const SnapshotContents& contents);
  Status Copy(const RequestContext& context, const FileRef& file, const SnapshotSource& source);
  Result<FileRef> Publish(const SnapshotContents& contents);

  env::FileSystem& fs_;
  const std::string path_;
  std::unique_ptr<env::FileLock> lock_;  // of who changes it
  uint64_t copied_ = 0;
};

}  // namespace akidb::storage
