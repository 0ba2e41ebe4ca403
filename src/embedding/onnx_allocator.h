// Memory of sessions on the processor, in place of the library's own allocator.
//
// That one asks for aligned blocks, which glibc cuts out of larger ones: a block that was freed is
// then too small for the next one of its size, and runs that come and go take several times what
// they use. Here the alignment is part of the block. Figures: docs/internals/embedding.md, Memory.
#pragma once

#include <memory>

struct OrtAllocator;
struct OrtMemoryInfo;

namespace akidb::embedding {

// A struct of the C API (onnxruntime_c_api.h, OrtAllocator). Thread-safe.
class OnnxAllocator {
 public:
  // `memory` is the processor's, and outlives it.
  explicit OnnxAllocator(const OrtMemoryInfo* memory);
  ~OnnxAllocator();
  OnnxAllocator(const OnnxAllocator&) = delete;
  OnnxAllocator& operator=(const OnnxAllocator&) = delete;

  OrtAllocator* get() const;

  // Aligned to 64 bytes. Null for no bytes; throws std::bad_alloc, as the library's own does.
  static void* Allocate(size_t bytes);
  static void Free(void* block);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace akidb::embedding
