// A whole snapshot: the list and the files it names, in one archive. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/request_context.h"
#include "base/status.h"
#include "env/file_system.h"
#include "storage/snapshot/archive.h"
#include "storage/snapshot/snapshot_format.h"

namespace akidb::storage {

// Where a file of a snapshot's list lies. What is sealed, a segment or a delta, is checked by its
// own checksums, which costs a tenth of the hash that the list names; everything else by this hash.
struct SnapshotSource {
  std::string path;
  bool sealed = false;
};

// A snapshot to be written.
struct SnapshotFileOrder {
  std::string path;
  const SnapshotContents& contents;
  std::function<SnapshotSource(const FileRef&)> source_of;
};

// Each file must be as long as the list says, and whole, else kCorruption and no archive. Durable
// when it returns ok. One read and one write of all bytes. Gives the size and hash of the archive.
Result<FileRef> WriteSnapshotFile(const RequestContext& context, env::FileSystem& fs,
                                  const SnapshotFileOrder& order);

// The files of a snapshot, one after the other.
class SnapshotVisitor {
 public:
  virtual ~SnapshotVisitor() = default;
  virtual Status Begin(const FileRef& file) = 0;
  virtual Status Append(std::span<const std::byte> bytes) = 0;
  // All of it was there, and has its hash.
  virtual Status End() = 0;
};

class SnapshotFile {
 public:
  // Reads the list. kCorruption: no snapshot, or a damaged one; kUnsupported: a newer one.
  static Result<std::unique_ptr<SnapshotFile>> Open(env::FileSystem& fs, const std::string& path);
  // Of a file that is read from its beginning to its end, once. `path`: for messages.
  static Result<std::unique_ptr<SnapshotFile>> Open(std::unique_ptr<env::File> file,
                                                    const std::string& path);

  const SnapshotContents& contents() const { return contents_; }
  uint64_t bytes() const { return archive_->bytes(); }
  // Once. Ok when every byte of the archive is as it was written.
  Status Read(const RequestContext& context, SnapshotVisitor& visitor);

 private:
  explicit SnapshotFile(std::string path) : path_(std::move(path)) {}
  Status ReadList();
  Status ReadOne(const RequestContext& context, const FileRef& file, SnapshotVisitor& visitor);

  const std::string path_;
  std::unique_ptr<ArchiveReader> archive_;
  SnapshotContents contents_;
};

// Of a whole file.
Result<Sha256Digest> HashFile(const RequestContext& context, env::FileSystem& fs,
                              const std::string& path);

}  // namespace akidb::storage
