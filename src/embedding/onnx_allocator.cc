#include "embedding/onnx_allocator.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

#include "embedding/onnx_runtime_slots.h"

// The members that version 18 has, in the order of the header.
struct OrtAllocator {
  uint32_t version;
  void* (*Alloc)(OrtAllocator*, size_t bytes);
  void (*Free)(OrtAllocator*, void* block);
  const OrtMemoryInfo* (*Info)(const OrtAllocator*);
  void* (*Reserve)(OrtAllocator*, size_t bytes);  // while a session is made
};

namespace akidb::embedding {
namespace {

constexpr size_t kAlignment = 64;  // that kernels with AVX-512 want

}  // namespace

struct OnnxAllocator::Parts {
  OrtAllocator base;  // first: the library hands its address back
  const OrtMemoryInfo* memory;
};

OnnxAllocator::OnnxAllocator(const OrtMemoryInfo* memory) : parts_(std::make_unique<Parts>()) {
  parts_->memory = memory;
  parts_->base.version = kOrtApiVersion;
  parts_->base.Alloc = [](OrtAllocator*, size_t bytes) { return Allocate(bytes); };
  parts_->base.Reserve = parts_->base.Alloc;
  parts_->base.Free = [](OrtAllocator*, void* block) { OnnxAllocator::Free(block); };
  parts_->base.Info = [](const OrtAllocator* base) {
    return reinterpret_cast<const Parts*>(base)->memory;
  };
}

OnnxAllocator::~OnnxAllocator() = default;

OrtAllocator* OnnxAllocator::get() const { return &parts_->base; }

// What malloc gave lies before the block.
void* OnnxAllocator::Allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes > std::numeric_limits<size_t>::max() - kAlignment) throw std::bad_alloc();
  void* const whole = std::malloc(bytes + kAlignment);
  if (whole == nullptr) throw std::bad_alloc();
  // malloc aligns to 16 bytes: there is always room for a pointer.
  const size_t skipped = kAlignment - reinterpret_cast<uintptr_t>(whole) % kAlignment;
  char* const block = static_cast<char*>(whole) + skipped;
  reinterpret_cast<void**>(block)[-1] = whole;
  return block;
}

void OnnxAllocator::Free(void* block) {
  if (block != nullptr) std::free(static_cast<void**>(block)[-1]);
}

}  // namespace akidb::embedding
