#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "env/file_system.h"
#include "env/io_uring_pool.h"
#include "env/posix_calls.h"
#include "env/posix_mapped_file.h"

namespace akidb::env {
namespace {

// The kernel moves at most 2 GiB - 4 KiB in one call anyway.
constexpr size_t kTransferBytesMax = size_t{1} << 30;
constexpr mode_t kDirectoryMode = 0750;

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadNoLink:
      return O_RDONLY | O_NOFOLLOW | O_NONBLOCK;  // nor waits for the other end of a pipe
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
    size_t done = 0;
    while (done < out.size()) {
      size_t count = std::min(out.size() - done, kTransferBytesMax);
      ssize_t got = Retry([&] {
        return pread(descriptor_.get(), out.data() + done, count,
                     static_cast<off_t>(offset + done));
      });
      if (got < 0) return ErrnoStatus("can't read", path_, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Status WriteAt(uint64_t offset, std::span<const std::byte> data) override {
    for (size_t done = 0; done < data.size();) {
      size_t count = std::min(data.size() - done, kTransferBytesMax);
      ssize_t put = Retry([&] {
        return pwrite(descriptor_.get(), data.data() + done, count,
                      static_cast<off_t>(offset + done));
      });
      if (put < 0) return ErrnoStatus("can't write", path_, errno);
      if (put == 0) return IoError("can't write " + path_ + ": the system took no bytes");
      done += static_cast<size_t>(put);
    }
    return OkStatus();
  }

  Status Allocate(uint64_t bytes) override {
    int result =
        Retry([&] { return fallocate(descriptor_.get(), 0, 0, static_cast<off_t>(bytes)); });
    if (result == 0) return OkStatus();
    if (errno == EOPNOTSUPP || errno == ENOSYS) return FillWithZeros(bytes);
    return ErrnoStatus("can't reserve space for", path_, errno);
  }

  Status Truncate(uint64_t bytes) override {
    if (Retry([&] { return ftruncate(descriptor_.get(), static_cast<off_t>(bytes)); }) == 0) {
      return OkStatus();
    }
    return ErrnoStatus("can't truncate", path_, errno);
  }

  Status SyncData() override {
    if (Retry([&] { return fdatasync(descriptor_.get()); }) == 0) return OkStatus();
    return ErrnoStatus("can't sync", path_, errno);
  }

  void StartWriteback(FileRange range) override {
    // Without a flag to wait, the call takes no error of the device from the later sync. Its own
    // tell only that the hint isn't known here.
    static_cast<void>(Retry([&] {
      return sync_file_range(descriptor_.get(), static_cast<off_t>(range.offset),
                             static_cast<off_t>(range.bytes), SYNC_FILE_RANGE_WRITE);
    }));
  }

  Result<uint64_t> Size() override {
    AKIDB_ASSIGN_OR_RETURN(struct stat info, Stat(descriptor_, path_));
    return static_cast<uint64_t>(info.st_size);
  }

  Status DropCache() override {
    int error = posix_fadvise(descriptor_.get(), 0, 0, POSIX_FADV_DONTNEED);
    return error == 0 ? OkStatus() : ErrnoStatus("can't drop the cache of", path_, error);
  }

 private:
  // For file systems without fallocate: only written blocks are certain.
  Status FillWithZeros(uint64_t bytes) {
    static constexpr std::byte kZeros[64 << 10]{};
    AKIDB_ASSIGN_OR_RETURN(uint64_t size, Size());
    for (; size < bytes; size += std::min<uint64_t>(bytes - size, sizeof kZeros)) {
      std::span<const std::byte> zeros(kZeros);
      AKIDB_RETURN_IF_ERROR(
          WriteAt(size, zeros.first(std::min<uint64_t>(bytes - size, zeros.size()))));
    }
    return OkStatus();
  }

  const Descriptor descriptor_;
  const std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;  // the lock goes when it is closed
};

class PosixFileSystem final : public FileSystem {
 public:
  // `rings` may be null.
  explicit PosixFileSystem(std::shared_ptr<IoUringPool> rings) : rings_(std::move(rings)) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    AKIDB_ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, FlagsOf(mode)));
    AKIDB_ASSIGN_OR_RETURN(struct stat info, Stat(descriptor, path));
    if (!S_ISREG(info.st_mode)) return IoError(path + " is not a regular file");
    return std::make_unique<PosixFile>(std::move(descriptor), path);
  }

  Result<std::unique_ptr<MappedFile>> Map(const std::string& path) override {
    return PosixMappedFile::Open(path, rings_);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return OkStatus();
    return ErrnoStatus("can't rename " + from + " to", to, errno);
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) == 0) return OkStatus();
    return ErrnoStatus("can't remove", path, errno);
  }

  Status RemoveAll(const std::string& path) override {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) {
      return errno == ENOENT ? OkStatus() : ErrnoStatus("can't stat", path, errno);
    }
    if (!S_ISDIR(info.st_mode)) return Remove(path);
    AKIDB_ASSIGN_OR_RETURN(std::vector<std::string> names, List(path));
    // As deep as our own folders are; a link is removed, never followed.
    for (const std::string& name : names) {
      AKIDB_RETURN_IF_ERROR(RemoveAll(JoinPath(path, name)));
    }
    if (rmdir(path.c_str()) == 0 || errno == ENOENT) return OkStatus();
    return ErrnoStatus("can't remove folder", path, errno);
  }

  Status CreateDirectories(const std::string& path) override {
    if (mkdir(path.c_str(), kDirectoryMode) == 0) return OkStatus();
    int error = errno;
    if (error == ENOENT && path != "/" && path != ".") {
      AKIDB_RETURN_IF_ERROR(CreateDirectories(DirectoryOf(path)));
      if (mkdir(path.c_str(), kDirectoryMode) == 0) return OkStatus();
      error = errno;
    }
    struct stat info {};
    if (error == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return OkStatus();
    }
    return ErrnoStatus("can't create folder", path, error);
  }

  Status SyncDirectory(const std::string& path) override {
    AKIDB_ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDONLY | O_DIRECTORY));
    if (Retry([&] { return fsync(descriptor.get()); }) == 0) return OkStatus();
    return ErrnoStatus("can't sync folder", path, errno);
  }

  Result<std::vector<std::string>> List(const std::string& path) override {
    std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
    if (!directory) return ErrnoStatus("can't list", path, errno);
    std::vector<std::string> names;
    errno = 0;
    while (dirent* entry = readdir(directory.get())) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return ErrnoStatus("can't list", path, errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat info {};
    if (stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrnoStatus("can't stat", path, errno);
  }

  Result<bool> IsDirectory(const std::string& path) override {
    struct stat info {};
    if (lstat(path.c_str(), &info) == 0) return S_ISDIR(info.st_mode);
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrnoStatus("can't stat", path, errno);
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    AKIDB_ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDWR | O_CREAT));
    // Of the open file, not of the process: two openings in one process exclude each other too.
    if (Retry([&] { return flock(descriptor.get(), LOCK_EX | LOCK_NB); }) == 0) {
      return std::make_unique<PosixFileLock>(std::move(descriptor));
    }
    if (errno == EWOULDBLOCK) return BusyError(path + " is locked by another process");
    return ErrnoStatus("can't lock", path, errno);
  }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info {};
    if (Retry([&] { return statvfs(path.c_str(), &info); }) != 0) {
      return ErrnoStatus("can't read the free space of", path, errno);
    }
    return uint64_t{info.f_bavail} * info.f_frsize;
  }

 private:
  const std::shared_ptr<IoUringPool> rings_;  // shared with maps, which may live longer
};

}  // namespace

std::unique_ptr<FileSystem> MakePosixFileSystem(FetchWay way) {
  return std::make_unique<PosixFileSystem>(way == FetchWay::kBest ? std::make_shared<IoUringPool>()
                                                                  : nullptr);
}

}  // namespace akidb::env
