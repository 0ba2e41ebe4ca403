// A file system that passes everything on to another one. Those that read slowly, or lie about
// syncs in a test, override what they need.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "env/file_system.h"

namespace akidb::engine {

class ForwardingFile : public env::File {
 public:
  explicit ForwardingFile(std::unique_ptr<env::File> truth) : truth_(std::move(truth)) {}

  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
    return truth_->ReadAt(offset, out);
  }
  Status WriteAt(uint64_t offset, std::span<const std::byte> data) override {
    return truth_->WriteAt(offset, data);
  }
  Status Allocate(uint64_t bytes) override { return truth_->Allocate(bytes); }
  Status Truncate(uint64_t bytes) override { return truth_->Truncate(bytes); }
  Status SyncData() override { return truth_->SyncData(); }
  void StartWriteback(env::FileRange range) override { truth_->StartWriteback(range); }
  Result<uint64_t> Size() override { return truth_->Size(); }
  Status DropCache() override { return truth_->DropCache(); }

 private:
  const std::unique_ptr<env::File> truth_;
};

class ForwardingFileSystem : public env::FileSystem {
 public:
  explicit ForwardingFileSystem(env::FileSystem& truth) : truth_(truth) {}

  Result<std::unique_ptr<env::File>> Open(const std::string& path, env::OpenMode mode) override {
    return truth_.Open(path, mode);
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
  Status SyncDirectory(const std::string& path) override { return truth_.SyncDirectory(path); }
  Result<std::vector<std::string>> List(const std::string& path) override {
    return truth_.List(path);
  }
  Result<bool> Exists(const std::string& path) override { return truth_.Exists(path); }
  Result<bool> IsDirectory(const std::string& path) override { return truth_.IsDirectory(path); }
  Result<std::unique_ptr<env::FileLock>> Lock(const std::string& path) override {
    return truth_.Lock(path);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override { return truth_.FreeBytes(path); }

 private:
  env::FileSystem& truth_;
};

}  // namespace akidb::engine
