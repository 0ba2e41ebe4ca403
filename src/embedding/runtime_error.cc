#include "embedding/runtime_error.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace akidb::embedding {
namespace {

// The library has no code for either, so the words of CUDA (cudaGetErrorString), cuBLAS, cuDNN,
// TensorRT and of the library's own allocators are what tells them.
// The last three are the system's, as a dlopen tells them.
constexpr std::array<std::string_view, 11> kOutOfMemory = {"out of memory",
                                                           "CUDA failure 2:",
                                                           "Failed to allocate memory",
                                                           "bad_alloc",
                                                           "CUBLAS_STATUS_ALLOC_FAILED",
                                                           "CUDNN_STATUS_ALLOC_FAILED",
                                                           "Available memory of",
                                                           "OutOfMemory",
                                                           "Cannot allocate memory",
                                                           "Too many open files",
                                                           "Resource temporarily unavailable"};
constexpr std::array<std::string_view, 12> kLost = {
    "illegal memory access", "misaligned address",   "unspecified launch failure",
    "device-side assert",    "illegal instruction",  "invalid program counter",
    "uncorrectable ECC",     "the launch timed out", "CUDA failure 700:",
    "CUDA failure 719:",     "context is destroyed", "hardware stack error"};
// cudaErrorNoDevice, cudaErrorInsufficientDriver.
constexpr std::array<std::string_view, 4> kNoGpu = {
    "no CUDA-capable device", "CUDA failure 100:", "CUDA driver version is insufficient",
    "CUDA failure 35:"};

// OrtErrorCode: those that are about the graph whatever the machine does. A GPU's failures come as
// FAIL, ENGINE_ERROR, RUNTIME_EXCEPTION or EP_FAIL.
constexpr std::array<int, 5> kOfTheGraph = {2,    // INVALID_ARGUMENT
                                            3,    // NO_SUCHFILE
                                            7,    // INVALID_PROTOBUF
                                            9,    // NOT_IMPLEMENTED
                                            10};  // INVALID_GRAPH
// Some of a graph's faults come as FAIL.
constexpr std::array<std::string_view, 5> kGraphFaults = {
    "is not a registered function/op", "No Op registered for", "Type Error:", "invalid model",
    "is under development and support"};  // its version of the operators

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

Status ProviderError(std::string message) {
  Status status = RuntimeError(std::move(message));
  if (status.code() != ErrorCode::kInternal) return status;
  return UnsupportedError(std::string(status.message()));
}

Status SessionError(RuntimeFailure failure) {
  Status status = RuntimeError(std::move(failure.message));
  if (status.code() != ErrorCode::kInternal) return status;
  const std::string_view message = status.message();
  if (ContainsAny(message, kNoGpu)) return UnsupportedError(std::string(message));
  const bool of_the_graph =
      std::find(kOfTheGraph.begin(), kOfTheGraph.end(), failure.code) != kOfTheGraph.end() ||
      ContainsAny(message, kGraphFaults);
  return of_the_graph ? CorruptionError(std::string(message)) : status;
}

}  // namespace akidb::embedding
