// Seeded bugs for crash tests: a file system that reports some syncs as done and doesn't do them.
// A harness that finds nothing wrong with it is itself wrong.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "env/file_system.h"

namespace akidb::engine {

class LyingFileSystem final : public env::FileSystem {
 public:
  // `lies` says of the path of a file or folder whether its sync is left out.
  using Lies = std::function<bool(const std::string& path)>;

  LyingFileSystem(env::FileSystem& truth, Lies lies) : truth_(truth), lies_(std::move(lies)) {}

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    AKIDB_ASSIGN_OR_RETURN(std::unique_ptr<env::File> file, truth_.Open(path, mode));
    if (!lies_(path)) return file;
    return std::unique_ptr<env::File>(std::make_unique<LyingFile>(std::move(file)));
  }
  Status SyncDirectory(const std::string& path) override {
    return lies_(path) ? OkStatus() : truth_.SyncDirectory(path);
  }

  Result<std::unique_ptr<env::MappedFile>> Map(const std::string& path) override {
    return truth_.Map(path);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return truth_.Rename(from, to);
  }
  Status Remove(const std::string& path) override { return truth_.Remove(path); }
  Status RemoveAll(const std::string& path) override { return truth_.RemoveAll(path); }
  Status CreateDirectories(const std::string& path) override {
    return truth_.CreateDirectories(path);
  }
  Result<std::vector<std::string>> List(const std::string& path) override {
    return truth_.List(path);
  }
  Result<bool> Exists(const std::string& path) override { return truth_.Exists(path); }
  Result<std::unique_ptr<env::FileLock>> Lock(const std::string& path) override {
    return truth_.Lock(path);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override { return truth_.FreeBytes(path); }

 private:
  class LyingFile final : public env::File {
   public:
    explicit LyingFile(std::unique_ptr<env::File> truth) : truth_(std::move(truth)) {}
    Status SyncData() override { return OkStatus(); }

    Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
      return truth_->ReadAt(offset, out);
    }
    Status WriteAt(uint64_t offset, std::span<const std::byte> data) override {
      return truth_->WriteAt(offset, data);
    }
    Status Allocate(uint64_t bytes) override { return truth_->Allocate(bytes); }
    Status Truncate(uint64_t bytes) override { return truth_->Truncate(bytes); }
    Result<uint64_t> Size() override { return truth_->Size(); }
    Status DropCache() override { return truth_->DropCache(); }

   private:
    const std::unique_ptr<env::File> truth_;
  };

  env::FileSystem& truth_;
  const Lies lies_;
};

}  // namespace akidb::engine
