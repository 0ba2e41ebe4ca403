// Reads of many ranges of a file at once through io_uring (io_uring(7)), for what they leave in the
// page cache.
//
// A few rings, made when they are first needed: no thread, no descriptor and no memory before. Each
// has at most 64 reads under way. Thread-safe; one caller holds a ring for the whole of a call.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "env/file_system.h"

namespace akidb::env {

class IoUringPool {
 public:
  IoUringPool();
  ~IoUringPool();
  IoUringPool(const IoUringPool&) = delete;
  IoUringPool& operator=(const IoUringPool&) = delete;

  // Reads every byte of the ranges and throws it away. False when that is better done in another
  // way: the kernel, or what confines this process, forbids io_uring, or all rings are busy. kIo,
  // without a path, when a range can't be read or ends beyond the file.
  Result<bool> Read(int descriptor, std::span<const FileRange> ranges) AKIDB_EXCLUDES(mutex_);

  // Descriptors of mapped files that are kept for reading; false when there are enough of them.
  bool TakeDescriptor() AKIDB_EXCLUDES(mutex_);
  void ReturnDescriptor() AKIDB_EXCLUDES(mutex_);

 private:
  class Ring;

  // Null when there is none to be had.
  std::unique_ptr<Ring> Take() AKIDB_EXCLUDES(mutex_);
  void Return(std::unique_ptr<Ring> ring) AKIDB_EXCLUDES(mutex_);

  Mutex mutex_;
  std::vector<std::unique_ptr<Ring>> idle_ AKIDB_GUARDED_BY(mutex_);
  // Given up: the kernel may still write to their memory.
  std::vector<std::unique_ptr<Ring>> broken_ AKIDB_GUARDED_BY(mutex_);
  size_t taken_ AKIDB_GUARDED_BY(mutex_) = 0;
  size_t descriptors_ AKIDB_GUARDED_BY(mutex_) = 0;
  bool forbidden_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb::env
