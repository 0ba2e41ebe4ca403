// ONNX Runtime's C API as the files onnx_*.cc, and no others, speak it. Types and meanings are
// those of onnxruntime_c_api.h (v1.29.0); its objects are opaque to us.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "embedding/element_type.h"
#include "embedding/onnx_runtime_slots.h"
#include "embedding/runtime_error.h"

// Opaque types of the C API, only ever used behind pointers.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtTypeInfo;
struct OrtAllocator;
struct OrtEpAssignedSubgraph;
struct OrtEpAssignedNode;
struct OrtTensorRTProviderOptionsV2;
struct OrtCUDAProviderOptionsV2;

namespace akidb::embedding {

// ONNXTensorElementDataType.
inline constexpr std::array<std::pair<ElementType, int>, 7> kElementTypes = {{
    {ElementType::kFloat32, 1},
    {ElementType::kUint8, 2},
    {ElementType::kInt8, 3},
    {ElementType::kInt32, 6},
    {ElementType::kInt64, 7},
    {ElementType::kFloat16, 10},
    {ElementType::kBfloat16, 16},
}};

inline int EnumeratorOf(ElementType type) {
  for (const auto& [known, enumerator] : kElementTypes) {
    if (known == type) return enumerator;
  }
  return 0;
}

inline std::optional<ElementType> TypeOf(int enumerator) {
  for (const auto& [type, known] : kElementTypes) {
    if (known == enumerator) return type;
  }
  return std::nullopt;
}

struct OrtFunctions {
  int (*GetErrorCode)(const OrtStatus*);
  const char* (*GetErrorMessage)(const OrtStatus*);
  OrtStatus* (*CreateEnv)(int log_level, const char* log_id, OrtEnv**);
  OrtStatus* (*CreateSessionFromArray)(const OrtEnv*, const void* model, size_t bytes,
                                       const OrtSessionOptions*, OrtSession**);
  OrtStatus* (*Run)(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                    const OrtValue* const* inputs, size_t input_count,
                    const char* const* output_names, size_t output_count, OrtValue** outputs);
  OrtStatus* (*CreateSessionOptions)(OrtSessionOptions**);
  OrtStatus* (*DisableMemPattern)(OrtSessionOptions*);
  OrtStatus* (*DisableCpuMemArena)(OrtSessionOptions*);
  OrtStatus* (*SetSessionLogSeverityLevel)(OrtSessionOptions*, int level);
  OrtStatus* (*SetSessionGraphOptimizationLevel)(OrtSessionOptions*, int level);
  OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions*, int threads);
  OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions*, int threads);
  OrtStatus* (*SessionGetInputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetOutputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetInputTypeInfo)(const OrtSession*, size_t index, OrtTypeInfo**);
  OrtStatus* (*SessionGetOutputTypeInfo)(const OrtSession*, size_t index, OrtTypeInfo**);
  OrtStatus* (*SessionGetInputName)(const OrtSession*, size_t index, OrtAllocator*, char**);
  OrtStatus* (*SessionGetOutputName)(const OrtSession*, size_t index, OrtAllocator*, char**);
  OrtStatus* (*CreateRunOptions)(OrtRunOptions**);
  OrtStatus* (*RunOptionsSetTerminate)(OrtRunOptions*);
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void* data, size_t bytes,
                                               const int64_t* shape, size_t rank, int type,
                                               OrtValue**);
  OrtStatus* (*GetTensorMutableData)(OrtValue*, void**);
  // Null for what is no tensor; belongs to the type.
  OrtStatus* (*CastTypeInfoToTensorInfo)(const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**);
  OrtStatus* (*GetTensorElementType)(const OrtTensorTypeAndShapeInfo*, int*);
  OrtStatus* (*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo*, size_t*);
  OrtStatus* (*GetDimensions)(const OrtTensorTypeAndShapeInfo*, int64_t*, size_t);
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue*, OrtTensorTypeAndShapeInfo**);
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator_type, int memory_type, OrtMemoryInfo**);
  OrtStatus* (*AllocatorFree)(OrtAllocator*, void*);
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
  // Of sessions with `session.use_env_allocators`; outlives the env.
  OrtStatus* (*RegisterAllocator)(OrtEnv*, OrtAllocator*);
  void (*ReleaseEnv)(OrtEnv*);
  void (*ReleaseStatus)(OrtStatus*);
  void (*ReleaseMemoryInfo)(OrtMemoryInfo*);
  void (*ReleaseSession)(OrtSession*);
  void (*ReleaseValue)(OrtValue*);
  void (*ReleaseRunOptions)(OrtRunOptions*);
  void (*ReleaseTypeInfo)(OrtTypeInfo*);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo*);
  void (*ReleaseSessionOptions)(OrtSessionOptions*);
  OrtStatus* (*GetAvailableProviders)(char*** names, int* count);
  OrtStatus* (*ReleaseAvailableProviders)(char** names, int count);
  OrtStatus* (*AddSessionConfigEntry)(OrtSessionOptions*, const char* key, const char* value);
  // Keys and values are copied; an update sets what isn't given to its default.
  OrtStatus* (*SessionOptionsAppendExecutionProvider_TensorRT_V2)(
      OrtSessionOptions*, const OrtTensorRTProviderOptionsV2*);
  OrtStatus* (*CreateTensorRTProviderOptions)(OrtTensorRTProviderOptionsV2**);
  OrtStatus* (*UpdateTensorRTProviderOptions)(OrtTensorRTProviderOptionsV2*,
                                              const char* const* keys, const char* const* values,
                                              size_t count);
  void (*ReleaseTensorRTProviderOptions)(OrtTensorRTProviderOptionsV2*);
  OrtStatus* (*SessionOptionsAppendExecutionProvider_CUDA_V2)(OrtSessionOptions*,
                                                              const OrtCUDAProviderOptionsV2*);
  OrtStatus* (*CreateCUDAProviderOptions)(OrtCUDAProviderOptionsV2**);
  OrtStatus* (*UpdateCUDAProviderOptions)(OrtCUDAProviderOptionsV2*, const char* const* keys,
                                          const char* const* values, size_t count);
  void (*ReleaseCUDAProviderOptions)(OrtCUDAProviderOptionsV2*);
  // Names and bytes are borrowed until the session is made.
  OrtStatus* (*AddExternalInitializersFromFilesInMemory)(OrtSessionOptions*,
                                                         const char* const* names,
                                                         char* const* files, const size_t* bytes,
                                                         size_t count);
  // All results belong to the session.
  OrtStatus* (*Session_GetEpGraphAssignmentInfo)(const OrtSession*,
                                                 const OrtEpAssignedSubgraph* const** parts,
                                                 size_t* count) = nullptr;
  OrtStatus* (*EpAssignedSubgraph_GetEpName)(const OrtEpAssignedSubgraph*,
                                             const char** name) = nullptr;
  OrtStatus* (*EpAssignedSubgraph_GetNodes)(const OrtEpAssignedSubgraph*,
                                            const OrtEpAssignedNode* const** nodes,
                                            size_t* count) = nullptr;
};

// Owns one object of the library.
template <typename T>
class Owned {
 public:
  explicit Owned(void (*release)(T*)) : release_(release) {}
  Owned(Owned&& other) noexcept
      : release_(other.release_), object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (object_ != nullptr) release_(object_);
  }
  T* get() const { return object_; }
  T** out() { return &object_; }

 private:
  void (*release_)(T*);
  T* object_ = nullptr;
};

// What the library says, or nothing when `status` is none. Takes the status.
inline std::optional<RuntimeFailure> TakeError(const OrtFunctions& ort, OrtStatus* status) {
  if (status == nullptr) return std::nullopt;
  RuntimeFailure failure{ort.GetErrorCode(status), ort.GetErrorMessage(status)};
  ort.ReleaseStatus(status);
  return failure;
}

// Turns a failed call of the library into a Status of the enclosing function.
#define AKIDB_ORT_RETURN_IF_ERROR(ort, call, MakeStatus)                                \
  do {                                                                                  \
    if (auto akidb_failure_ = TakeError(ort, call)) return MakeStatus(*akidb_failure_); \
  } while (false)

inline Status RunFailed(const RuntimeFailure& failure) {
  return RuntimeError("ONNX Runtime failed: " + failure.message);
}

inline Status ModelRefused(const RuntimeFailure& failure) {
  return SessionError({failure.code, "ONNX Runtime can't make the session: " + failure.message});
}

}  // namespace akidb::embedding
