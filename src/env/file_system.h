// Files, as storage needs them. Two forms: posix (MakePosixFileSystem) and simulated
// (env/simulated_file_system.h), whose disk keeps synced and unsynced state apart.
//
// Errors: kNotFound, kAlreadyExists, kStorageFull (ENOSPC, EDQUOT), kBusy (lock held), kIo for the
// rest; messages name the path and the operating system's text. Thread-safe, but for one File's
// writes, which the owner serialises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace akidb::env {

enum class OpenMode : unsigned char {
  kRead,        // must exist
  kReadNoLink,  // likewise; kCorruption where the last part of the path is a link
  kReadWrite,   // must exist
  kCreate,      // must not exist; readable and writable
};

// Part of a file.
struct FileRange {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  friend bool operator==(const FileRange&, const FileRange&) = default;
};

class File {
 public:
  virtual ~File() = default;

  // Reads up to out.size() bytes at `offset`; fewer only at the end of the file. Returns the count.
  virtual Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) = 0;
  // Writes all of `data` at `offset`, growing the file when needed. After an error the bytes at
  // `offset` are undefined.
  virtual Status WriteAt(uint64_t offset, std::span<const std::byte> data) = 0;
  // Reserves disk space for [0, bytes) and sets the size to at least `bytes`; new bytes are zero.
  virtual Status Allocate(uint64_t bytes) = 0;
  virtual Status Truncate(uint64_t bytes) = 0;
  // Makes the content, and the size, durable (fdatasync). After an error nothing is known of what
  // was written since the last success, and a retry proves nothing: give the file up.
  virtual Status SyncData() = 0;
  // Asks the system to begin with writing what stands in the range to the device, so that a later
  // SyncData finds less to do. Nothing is durable by it, and what fails is told by that SyncData.
  virtual void StartWriteback(FileRange range) = 0;
  virtual Result<uint64_t> Size() = 0;
  // Drops the page cache of this file, so that the next read comes from the device.
  virtual Status DropCache() = 0;
};

// Read-only view of a whole file. The bytes stay valid as long as the object. Thread-safe.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual std::span<const std::byte> bytes() const = 0;

  // Reads those of the ranges, all within bytes(), that are not in memory: many at once, so that
  // the caller waits once and not for each of them. Returns how many of them were not. What has
  // been read may be lost again where memory is short, and is then read when it is touched. kIo
  // when a range can't be read, or the file has become shorter: touching it would end the process.
  // About 1 us a range that is in memory.
  virtual Result<size_t> Fetch(std::span<const FileRange> ranges) const = 0;
  // The whole pages of the range no longer count as memory of this process. The system keeps them
  // as long as it has room, and they may be touched again.
  virtual void Release(FileRange range) const = 0;
};

// Holds the lock while it lives.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::unique_ptr<MappedFile>> Map(const std::string& path) = 0;
  // Atomic; replaces `to`. Durable only after SyncDirectory of the folder(s).
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;
  // Removes a folder and all below it. Missing is ok.
  virtual Status RemoveAll(const std::string& path) = 0;
  // With parents. Existing is ok.
  virtual Status CreateDirectories(const std::string& path) = 0;
  // Makes creations, removals and renames in this folder durable.
  virtual Status SyncDirectory(const std::string& path) = 0;
  // Names (not paths) of the entries, sorted.
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  // Whether it is one, and no link to one. False, too, where nothing is.
  virtual Result<bool> IsDirectory(const std::string& path) = 0;
  // Takes an exclusive advisory lock on `path`, creating the file; kBusy when another has it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  // Bytes that this process may still write to the file system of `path`.
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;
};

// How MappedFile::Fetch reads.
enum class FetchWay : unsigned char {
  kBest,       // io_uring where the kernel allows it, else as below
  kReadAhead,  // asks the kernel for each range (madvise), then waits for each
};

std::unique_ptr<FileSystem> MakePosixFileSystem(FetchWay way = FetchWay::kBest);

// The whole file as a string; kTooLarge above `bytes_max`.
Result<std::string> ReadWholeFile(FileSystem& fs, const std::string& path, uint64_t bytes_max);

// Writes `data` so that after a power cut `path` holds either its old content or all of `data`:
// temporary file, sync, rename, folder sync.
Status WriteFileAtomically(FileSystem& fs, const std::string& path,
                           std::span<const std::byte> data);

// Folder part of a path ("a/b/c" -> "a/b"; "c" -> ".").
std::string DirectoryOf(const std::string& path);
std::string JoinPath(std::string_view directory, std::string_view name);

}  // namespace akidb::env
