#include "env/shared_memory.h"

#include <sys/mman.h>

#include "env/posix_calls.h"

namespace akidb::env {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Status Refused(std::string_view what, int error) {
  Status status = ErrnoStatus(what, "shared memory", error);
  if (error != ENOMEM && error != EMFILE && error != ENFILE) return status;
  return ResourceExhaustedError(std::string(status.message()));
}

}  // namespace

Result<SharedMemory> SharedMemory::Create(size_t bytes) {
  Descriptor descriptor(::memfd_create("akidb", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (descriptor.get() < 0) return Refused("can't make", errno);
  if (Retry([&] { return ::ftruncate(descriptor.get(), static_cast<off_t>(bytes)); }) != 0 ||
      ::fcntl(descriptor.get(), F_ADD_SEALS, kSeals) != 0) {
    return Refused("can't size", errno);
  }
  return Map(std::move(descriptor), bytes);
}

Result<SharedMemory> SharedMemory::Open(Descriptor descriptor) {
  const int seals = ::fcntl(descriptor.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return CorruptionError("what was sent is not shared memory of a fixed size");
  }
  AKIDB_ASSIGN_OR_RETURN(const struct stat info, Stat(descriptor, "shared memory"));
  return Map(std::move(descriptor), static_cast<size_t>(info.st_size));
}

Result<SharedMemory> SharedMemory::Map(Descriptor descriptor, size_t bytes) {
  void* start =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.get(), /*offset=*/0);
  if (start == MAP_FAILED) return Refused("can't map", errno);
  return SharedMemory(std::move(descriptor), {static_cast<std::byte*>(start), bytes});
}

SharedMemory::~SharedMemory() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace akidb::env
