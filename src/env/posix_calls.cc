#include "env/posix_calls.h"

#include <system_error>

namespace akidb::env {
namespace {

constexpr mode_t kFileMode = 0640;

}  // namespace

Status ErrnoStatus(std::string_view what, const std::string& path, int error) {
  std::string message(what);
  message.append(" ").append(path).append(": ").append(std::generic_category().message(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return NotFoundError(std::move(message));
    case EEXIST:
      return AlreadyExistsError(std::move(message));
    case ENOSPC:
    case EDQUOT:
      return StorageFullError(std::move(message));
    default:
      return IoError(std::move(message));
  }
}

Result<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  int fd = Retry([&] { return open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, kFileMode); });
  if (fd < 0 && errno == ELOOP && (flags & O_NOFOLLOW) != 0) {
    return CorruptionError(path + " is a link, which isn't followed here");
  }
  if (fd < 0) return ErrnoStatus("can't open", path, errno);
  return Descriptor(fd);
}

Result<struct stat> Stat(const Descriptor& descriptor, const std::string& path) {
  struct stat info {};
  if (fstat(descriptor.get(), &info) != 0) return ErrnoStatus("can't stat", path, errno);
  return info;
}

}  // namespace akidb::env
