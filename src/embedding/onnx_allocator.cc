#include "embedding/onnx_allocator.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

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

// Of the calling thread's Counting; null where there is none.
thread_local const std::shared_ptr<OnnxAllocator::LiveBytes>* counted = nullptr;

// Lies before a block.
struct BlockHeader {
  void* whole;  // that malloc gave
  size_t bytes;
  std::shared_ptr<OnnxAllocator::LiveBytes> live;
};
constexpr size_t kExtra = sizeof(BlockHeader) + kAlignment;

}  // namespace

OnnxAllocator::Counting::Counting(std::shared_ptr<LiveBytes> live)
    : live_(std::move(live)), around_(std::exchange(counted, &live_)) {}

OnnxAllocator::Counting::~Counting() { counted = around_; }

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

void* OnnxAllocator::Allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes > std::numeric_limits<size_t>::max() - kExtra) throw std::bad_alloc();
  void* const whole = std::malloc(bytes + kExtra);
  if (whole == nullptr) throw std::bad_alloc();
  const uintptr_t least = reinterpret_cast<uintptr_t>(whole) + sizeof(BlockHeader);
  const size_t skipped = sizeof(BlockHeader) + (kAlignment - least % kAlignment) % kAlignment;
  char* const block = static_cast<char*>(whole) + skipped;
  BlockHeader header{whole, bytes, counted != nullptr ? *counted : nullptr};
  if (header.live != nullptr) *header.live += bytes;
  std::construct_at(reinterpret_cast<BlockHeader*>(block) - 1, std::move(header));
  return block;
}

void OnnxAllocator::Free(void* block) {
  if (block == nullptr) return;
  BlockHeader* const header = static_cast<BlockHeader*>(block) - 1;
  void* const whole = header->whole;
  if (header->live != nullptr) *header->live -= header->bytes;
  std::destroy_at(header);
  std::free(whole);
}

}  // namespace akidb::embedding
