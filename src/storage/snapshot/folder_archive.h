// The archive that a snapshot of a folder would be, as a file to be read: nothing of it is written
// anywhere. docs/format/snapshot_folder.md. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/snapshot/snapshot_format.h"

namespace akidb::storage {

class FolderArchive final : public env::File {
 public:
  // `list`: a snapshot's, as bytes. `files`: the folder in which each file is called by its hash.
  // `fs` outlives the object. kCorruption: the list; kUnsupported: it is of a newer version.
  static Result<std::unique_ptr<FolderArchive>> Open(env::FileSystem& fs, std::string files,
                                                     std::vector<std::byte> list);

  // kCorruption where a file of the snapshot is missing, a link, or of another size.
  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override;
  Result<uint64_t> Size() override;
  Status DropCache() override;
  // It is only read.
  Status WriteAt(uint64_t offset, std::span<const std::byte> data) override;
  Status Allocate(uint64_t bytes) override;
  Status Truncate(uint64_t bytes) override;
  Status SyncData() override;
  void StartWriteback(env::FileRange range) override;

 private:
  FolderArchive(env::FileSystem& fs, std::string files, std::vector<std::byte> list)
      : fs_(fs), files_(std::move(files)), list_(std::move(list)) {}

  // Entry 0 is the list, entry n the n-th file.
  const std::string& NameOf(size_t entry) const;
  uint64_t BytesOf(size_t entry) const;
  uint64_t EndBefore(size_t entry) const { return entry == 0 ? 0 : ends_[entry - 1]; }
  // Some of the bytes from there on, at least one.
  Result<size_t> ReadSome(uint64_t offset, std::span<std::byte> out);
  Result<size_t> ReadBody(size_t entry, uint64_t offset, std::span<std::byte> out);
  Status OpenFile(size_t entry);

  env::FileSystem& fs_;
  const std::string files_;
  const std::vector<std::byte> list_;
  SnapshotContents contents_;
  std::vector<uint64_t> ends_;  // offsets behind the last byte of each entry
  uint64_t bytes_ = 0;          // of the archive
  size_t opened_ = 0;           // the entry whose file is open
  std::unique_ptr<env::File> file_;
};

// The file of that hash and size in the folder. kCorruption: missing, a link, or of another size.
Result<std::unique_ptr<env::File>> OpenFolderFile(env::FileSystem& fs, const std::string& files,
                                                  const FileRef& file);

}  // namespace akidb::storage
