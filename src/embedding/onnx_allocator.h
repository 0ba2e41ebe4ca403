// Memory of sessions on the processor, in place of the library's own allocator.
//
// That one asks for aligned blocks, which glibc cuts out of larger ones: a block that was freed is
// then too small for the next one of its size, and runs that come and go take several times what
// they use. Here the alignment is part of the block. Figures: docs/internals/embedding.md, Memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
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

  // Of blocks that live; shared by these, as the library may keep one for longer than its session.
  using LiveBytes = std::atomic<uint64_t>;

  // As long as it lives, blocks that its thread allocates are counted there; within one, another
  // takes its place. The library allocates on the thread that calls it: a session with one thread
  // has no other.
  class Counting {
   public:
    explicit Counting(std::shared_ptr<LiveBytes> live);
    ~Counting();
    Counting(const Counting&) = delete;
    Counting& operator=(const Counting&) = delete;

   private:
    const std::shared_ptr<LiveBytes> live_;
    const std::shared_ptr<LiveBytes>* const around_;
  };

  // Aligned to 64 bytes. Null for no bytes; throws std::bad_alloc, as the library's own does.
  static void* Allocate(size_t bytes);
  static void Free(void* block);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace akidb::embedding
