// A snapshot that is being received: a file that is removed unless it is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/sha256.h"
#include "base/status.h"
#include "env/file_system.h"

namespace akidb::engine {

// Not thread-safe.
class SnapshotUpload {
 public:
  // Makes the file, in a folder that is there. `fs` outlives the object.
  static Result<std::unique_ptr<SnapshotUpload>> Create(env::FileSystem& fs, std::string path);
  ~SnapshotUpload();
  SnapshotUpload(const SnapshotUpload&) = delete;
  SnapshotUpload& operator=(const SnapshotUpload&) = delete;

  // kStorageFull.
  Status Append(std::span<const std::byte> piece);
  // All has come: it can be read, and is durable.
  Status Finish();
  // It has got another name: it is no longer ours to remove.
  void Release() { path_.clear(); }

  const std::string& path() const { return path_; }
  uint64_t bytes() const { return bytes_; }
  Sha256Digest hash() const { return hash_.Digest(); }

 private:
  SnapshotUpload(env::FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  env::FileSystem& fs_;
  std::string path_;
  std::unique_ptr<env::File> file_;
  uint64_t bytes_ = 0;
  Sha256 hash_;
};

}  // namespace akidb::engine
