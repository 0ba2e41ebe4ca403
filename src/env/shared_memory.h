// Memory that several processes see. Its size is sealed: no process that has it can take pages away
// beneath the others, who would be ended by SIGBUS.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/status.h"
#include "env/descriptor.h"

namespace akidb::env {

class SharedMemory {
 public:
  // Zeros, which take room as they are touched. kResourceExhausted, kIo.
  static Result<SharedMemory> Create(size_t bytes);
  // What another process made and sent. kCorruption: it is no shared memory, or can still shrink.
  static Result<SharedMemory> Open(Descriptor descriptor);

  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept
      : descriptor_(std::move(other.descriptor_)), bytes_(std::exchange(other.bytes_, {})) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  // What others write there changes at any moment.
  std::span<std::byte> bytes() const { return bytes_; }
  const Descriptor& descriptor() const { return descriptor_; }  // to be sent

 private:
  SharedMemory(Descriptor descriptor, std::span<std::byte> bytes)
      : descriptor_(std::move(descriptor)), bytes_(bytes) {}
  static Result<SharedMemory> Map(Descriptor descriptor, size_t bytes);

  Descriptor descriptor_;
  std::span<std::byte> bytes_;
};

}  // namespace akidb::env
