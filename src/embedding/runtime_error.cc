#include "embedding/runtime_error.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace akidb::embedding {
namespace {

// The library has no code for either, so the words of CUDA (cudaGetErrorString), cuBLAS, cuDNN,
// TensorRT and of the library's own allocators are what tells them.
constexpr std::array<std::string_view, 8> kOutOfMemory = {"out of memory",
                                                          "CUDA failure 2:",
                                                          "Failed to allocate memory",
                                                          "bad_alloc",
                                                          "CUBLAS_STATUS_ALLOC_FAILED",
                                                          "CUDNN_STATUS_ALLOC_FAILED",
                                                          "Available memory of",
                                                          "OutOfMemory"};
constexpr std::array<std::string_view, 12> kLost = {
    "illegal memory access", "misaligned address",   "unspecified launch failure",
    "device-side assert",    "illegal instruction",  "invalid program counter",
    "uncorrectable ECC",     "the launch timed out", "CUDA failure 700:",
    "CUDA failure 719:",     "context is destroyed", "hardware stack error"};

template <size_t kCount>
bool ContainsAny(std::string_view text, const std::array<std::string_view, kCount>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

}  // namespace

Status RuntimeError(std::string message) {
  if (ContainsAny(message, kLost)) return UnavailableError(std::move(message));
  if (ContainsAny(message, kOutOfMemory)) return ResourceExhaustedError(std::move(message));
  return InternalError(std::move(message));
}

}  // namespace akidb::embedding
