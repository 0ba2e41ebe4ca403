// A file in this process's address space (mmap).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "env/file_system.h"
#include "env/io_uring_pool.h"
#include "env/posix_calls.h"

namespace akidb::env {

class PosixMappedFile final : public MappedFile {
 public:
  // `rings` may be null: then the kernel is asked to read ahead.
  static Result<std::unique_ptr<MappedFile>> Open(const std::string& path,
                                                  std::shared_ptr<IoUringPool> rings);
  ~PosixMappedFile() override;

  std::span<const std::byte> bytes() const override {
    return {static_cast<const std::byte*>(address_), bytes_};
  }
  Result<size_t> Fetch(std::span<const FileRange> ranges) const override;
  void Release(FileRange range) const override;

 private:
  struct Mapping {
    void* address = nullptr;
    struct stat file {};
    bool residency_told = true;
  };

  PosixMappedFile(std::string path, const Mapping& mapping, std::shared_ptr<IoUringPool> rings);
  // The range in whole pages.
  FileRange PagesOf(const FileRange& range) const;
  bool IsResident(const FileRange& range) const;
  Status ReadAhead(std::span<const FileRange> ranges) const;
  // Opened when it is first needed, which for most files is never; null when it can't be.
  const Descriptor* ReadingDescriptor() const;

  const std::string path_;
  void* const address_;  // null when the file is empty
  const size_t bytes_;
  const dev_t device_;
  const ino_t inode_;
  const bool residency_told_;                 // else everything is read
  const std::shared_ptr<IoUringPool> rings_;  // shared with the file system and its other maps
  mutable std::once_flag opened_;
  mutable std::optional<Descriptor> descriptor_;
};

}  // namespace akidb::env
