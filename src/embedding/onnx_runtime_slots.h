// The functions of ONNX Runtime's C API that we call, as their places in the struct OrtApi of
// onnxruntime_c_api.h (v1.29.0). The struct is one list of function pointers that only grows at its
// end, so a place, once published, is right for every later version and build of the library.
// onnx_runtime_slots_test.cc holds this list against the official header.
#pragma once

namespace akidb::embedding {

// X(function, place)
#define AKIDB_ORT_SLOTS(X)                                  \
  X(GetErrorCode, 1)                                        \
  X(GetErrorMessage, 2)                                     \
  X(CreateEnv, 3)                                           \
  X(CreateSessionFromArray, 8)                              \
  X(Run, 9)                                                 \
  X(CreateSessionOptions, 10)                               \
  X(DisableMemPattern, 17)                                  \
  X(DisableCpuMemArena, 19)                                 \
  X(SetSessionLogSeverityLevel, 22)                         \
  X(SetSessionGraphOptimizationLevel, 23)                   \
  X(SetIntraOpNumThreads, 24)                               \
  X(SetInterOpNumThreads, 25)                               \
  X(SessionGetInputCount, 30)                               \
  X(SessionGetOutputCount, 31)                              \
  X(SessionGetInputTypeInfo, 33)                            \
  X(SessionGetOutputTypeInfo, 34)                           \
  X(SessionGetInputName, 36)                                \
  X(SessionGetOutputName, 37)                               \
  X(CreateRunOptions, 39)                                   \
  X(RunOptionsSetTerminate, 46)                             \
  X(CreateTensorWithDataAsOrtValue, 49)                     \
  X(GetTensorMutableData, 51)                               \
  X(CastTypeInfoToTensorInfo, 55)                           \
  X(GetTensorElementType, 60)                               \
  X(GetDimensionsCount, 61)                                 \
  X(GetDimensions, 62)                                      \
  X(GetTensorTypeAndShape, 65)                              \
  X(CreateCpuMemoryInfo, 69)                                \
  X(AllocatorFree, 76)                                      \
  X(GetAllocatorWithDefaultOptions, 78)                     \
  X(ReleaseEnv, 92)                                         \
  X(ReleaseStatus, 93)                                      \
  X(ReleaseMemoryInfo, 94)                                  \
  X(ReleaseSession, 95)                                     \
  X(ReleaseValue, 96)                                       \
  X(ReleaseRunOptions, 97)                                  \
  X(ReleaseTypeInfo, 98)                                    \
  X(ReleaseTensorTypeAndShapeInfo, 99)                      \
  X(ReleaseSessionOptions, 100)                             \
  X(GetAvailableProviders, 125)                             \
  X(ReleaseAvailableProviders, 126)                         \
  X(AddSessionConfigEntry, 130)                             \
  X(SessionOptionsAppendExecutionProvider_TensorRT_V2, 170) \
  X(CreateTensorRTProviderOptions, 171)                     \
  X(UpdateTensorRTProviderOptions, 172)                     \
  X(ReleaseTensorRTProviderOptions, 174)                    \
  X(RegisterAllocator, 176)                                 \
  X(SessionOptionsAppendExecutionProvider_CUDA_V2, 204)     \
  X(CreateCUDAProviderOptions, 205)                         \
  X(UpdateCUDAProviderOptions, 206)                         \
  X(ReleaseCUDAProviderOptions, 208)                        \
  X(AddExternalInitializersFromFilesInMemory, 279)

// Likewise, of functions that a library has from kOrtLaterApiVersion on. Null in older ones.
#define AKIDB_ORT_LATER_SLOTS(X)           \
  X(Session_GetEpGraphAssignmentInfo, 407) \
  X(EpAssignedSubgraph_GetEpName, 408)     \
  X(EpAssignedSubgraph_GetNodes, 409)

enum class OrtSlot : unsigned {
#define AKIDB_ORT_SLOT_(function, place) k##function = place,
  AKIDB_ORT_SLOTS(AKIDB_ORT_SLOT_) AKIDB_ORT_LATER_SLOTS(AKIDB_ORT_SLOT_)
#undef AKIDB_ORT_SLOT_
};

// The version that GetApi is asked for: the oldest one that has every slot above and whose meaning
// of them is today's. Libraries from 1.18 on answer.
inline constexpr unsigned kOrtApiVersion = 18;
inline constexpr unsigned kOrtLaterApiVersion = 24;

}  // namespace akidb::embedding
