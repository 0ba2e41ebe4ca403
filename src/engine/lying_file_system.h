// Seeded bugs for crash tests: a file system that reports some syncs as done and doesn't do them.
// A harness that finds nothing wrong with it is itself wrong.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "engine/forwarding_file_system.h"

namespace akidb::engine {

class LyingFileSystem final : public ForwardingFileSystem {
 public:
  // `lies` says of the path of a file or folder whether its sync is left out.
  using Lies = std::function<bool(const std::string& path)>;

  LyingFileSystem(env::FileSystem& truth, Lies lies)
      : ForwardingFileSystem(truth), lies_(std::move(lies)) {}

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, ForwardingFileSystem::Open(path, mode));
    if (!lies_(path)) return file;
    return std::unique_ptr<env::File>(std::make_unique<LyingFile>(std::move(file)));
  }
  Status SyncDirectory(const std::string& path) override {
    return lies_(path) ? OkStatus() : ForwardingFileSystem::SyncDirectory(path);
  }

 private:
  class LyingFile final : public ForwardingFile {
   public:
    using ForwardingFile::ForwardingFile;
    Status SyncData() override { return OkStatus(); }
  };

  const Lies lies_;
};

}  // namespace akidb::engine
