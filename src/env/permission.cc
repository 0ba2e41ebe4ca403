#include "env/permission.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace akidb::env {

bool LacksPermission(const Status& status) {
  if (status.code() != ErrorCode::kIo) return false;
  for (const int error : {EACCES, EPERM}) {
    // As ErrnoStatus puts it at the end; callers add what stands before.
    if (status.message().ends_with(": " + std::generic_category().message(error))) return true;
  }
  return false;
}

}  // namespace akidb::env
