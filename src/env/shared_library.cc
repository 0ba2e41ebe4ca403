#include "env/shared_library.h"

#include <dlfcn.h>

namespace akidb::env {

std::optional<SharedLibrary> SharedLibrary::Open(std::span<const char* const> names) {
  for (const char* name : names) {
    // Local: its symbols must not replace ours.
    void* handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) return SharedLibrary(name, handle);
  }
  return std::nullopt;
}

void* SharedLibrary::Address(const char* symbol) const { return ::dlsym(handle_, symbol); }

}  // namespace akidb::env
