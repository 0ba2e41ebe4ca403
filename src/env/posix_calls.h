// What the posix forms of env's interfaces share: opening, and errors of system calls.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "env/descriptor.h"

namespace akidb::env {

// "<what> <path>: <the system's text>", with the code that file_system.h says.
Status ErrnoStatus(std::string_view what, const std::string& path, int error);

// Calls f again while a signal interrupts it.
template <typename F>
auto Retry(F&& f) {
  auto result = f();
  while (result == -1 && errno == EINTR) result = f();
  return result;
}

Result<Descriptor> OpenDescriptor(const std::string& path, int flags);
Result<struct stat> Stat(const Descriptor& descriptor, const std::string& path);

}  // namespace akidb::env
