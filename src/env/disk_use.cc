#include "env/disk_use.h"

#include <sys/statvfs.h>

namespace akidb::env {

std::optional<uint64_t> DiskUsePercent(const std::string& path) {
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0 || info.f_blocks == 0) return std::nullopt;
  const uint64_t free = info.f_bavail < info.f_blocks ? info.f_bavail : info.f_blocks;
  return (info.f_blocks - free) * 100 / info.f_blocks;
}

}  // namespace akidb::env
