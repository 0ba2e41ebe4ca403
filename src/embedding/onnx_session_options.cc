#include "embedding/onnx_session_options.h"

#include <string>
#include <utility>
#include <vector>

#include "embedding/cuda_options.h"
#include "embedding/onnx_assignment.h"

namespace akidb::embedding {
namespace {

constexpr int kLogError = 3;      // OrtLoggingLevel
constexpr int kOptimiseAll = 99;  // GraphOptimizationLevel

// Arena and memory pattern off: with shapes that vary they only grow (measured in
// docs/internals/embedding.md). No spinning: idle threads must not burn a core.
Status SetCommon(const OrtFunctions& ort, int threads, OrtSessionOptions* options) {
  OrtStatus* (*entry)(OrtSessionOptions*, const char*, const char*) = ort.AddSessionConfigEntry;
  AKIDB_ORT_RETURN_IF_ERROR(ort, ort.DisableMemPattern(options), RunFailed);
  AKIDB_ORT_RETURN_IF_ERROR(ort, ort.DisableCpuMemArena(options), RunFailed);
  AKIDB_ORT_RETURN_IF_ERROR(ort, ort.SetSessionLogSeverityLevel(options, kLogError), RunFailed);
  AKIDB_ORT_RETURN_IF_ERROR(ort, ort.SetSessionGraphOptimizationLevel(options, kOptimiseAll),
                            RunFailed);
  AKIDB_ORT_RETURN_IF_ERROR(ort, ort.SetIntraOpNumThreads(options, threads), RunFailed);
  AKIDB_ORT_RETURN_IF_ERROR(ort, ort.SetInterOpNumThreads(options, 1), RunFailed);
  AKIDB_ORT_RETURN_IF_ERROR(ort, entry(options, "session.intra_op.allow_spinning", "0"), RunFailed);
  return OkStatus();
}

// Of the processor (onnx_allocator.h).
Status UseOwnAllocator(const OrtFunctions& ort, OrtSessionOptions* options) {
  AKIDB_ORT_RETURN_IF_ERROR(
      ort, ort.AddSessionConfigEntry(options, "session.use_env_allocators", "1"), RunFailed);
  return OkStatus();
}

Status AddExternal(const OrtFunctions& ort, const GraphBytes& model, OrtSessionOptions* options) {
  if (model.external.empty()) return OkStatus();
  std::vector<const char*> names;
  std::vector<char*> files;
  std::vector<size_t> bytes;
  for (const GraphBytes::External& file : model.external) {
    names.push_back(file.name.c_str());
    // Only read.
    files.push_back(const_cast<char*>(reinterpret_cast<const char*>(file.bytes.data())));
    bytes.push_back(file.bytes.size());
  }
  AKIDB_ORT_RETURN_IF_ERROR(ort,
                            ort.AddExternalInitializersFromFilesInMemory(
                                options, names.data(), files.data(), bytes.data(), names.size()),
                            ModelRefused);
  return OkStatus();
}

// The functions that belong to one kind of provider options.
template <typename Options>
struct ProviderCalls {
  Provider provider;
  OrtStatus* (*create)(Options**);
  OrtStatus* (*update)(Options*, const char* const*, const char* const*, size_t);
  void (*release)(Options*);
  OrtStatus* (*append)(OrtSessionOptions*, const Options*);
};

template <typename Options>
Status Append(const OrtFunctions& ort, const ProviderCalls<Options>& calls,
              const ProviderOptions& wanted, OrtSessionOptions* options) {
  const auto unsupported = [&](const RuntimeFailure& failure) {
    return ProviderError(std::string(NamesOf(calls.provider).runtime) +
                         " can't be used: " + failure.message);
  };
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : wanted) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Owned<Options> own(calls.release);
  AKIDB_ORT_RETURN_IF_ERROR(ort, calls.create(own.out()), unsupported);
  AKIDB_ORT_RETURN_IF_ERROR(ort, calls.update(own.get(), keys.data(), values.data(), keys.size()),
                            unsupported);
  AKIDB_ORT_RETURN_IF_ERROR(ort, calls.append(options, own.get()), unsupported);
  return OkStatus();
}

Status AppendTensorRt(const OrtFunctions& ort, const ProviderOptions& wanted,
                      OrtSessionOptions* options) {
  return Append<OrtTensorRTProviderOptionsV2>(
      ort,
      {Provider::kTensorRt, ort.CreateTensorRTProviderOptions, ort.UpdateTensorRTProviderOptions,
       ort.ReleaseTensorRTProviderOptions, ort.SessionOptionsAppendExecutionProvider_TensorRT_V2},
      wanted, options);
}

Status AppendCuda(const OrtFunctions& ort, const ProviderOptions& wanted,
                  OrtSessionOptions* options) {
  return Append<OrtCUDAProviderOptionsV2>(
      ort,
      {Provider::kCuda, ort.CreateCUDAProviderOptions, ort.UpdateCUDAProviderOptions,
       ort.ReleaseCUDAProviderOptions, ort.SessionOptionsAppendExecutionProvider_CUDA_V2},
      wanted, options);
}

// For what an engine can't hold: on the same device, and with as much of its memory. A library
// without it leaves that to the processor.
Status AppendBehindTensorRt(const OrtFunctions& ort, const ProviderOptions& tensorrt,
                            OrtSessionOptions* options) {
  ProviderOptions cuda = CudaOptions(0);
  for (const auto& [from, to] : {std::pair{"device_id", "device_id"},
                                 std::pair{"trt_max_workspace_size", "gpu_mem_limit"}}) {
    if (const auto it = tensorrt.find(from); it != tensorrt.end()) cuda[to] = it->second;
  }
  const Status appended = AppendCuda(ort, cuda, options);
  return appended.code() == ErrorCode::kUnsupported ? OkStatus() : appended;
}

Status AppendProvider(const OrtFunctions& ort, const SessionSpec& spec,
                      OrtSessionOptions* options) {
  switch (spec.provider) {
    case Provider::kTensorRt:
      AKIDB_RETURN_IF_ERROR(AppendTensorRt(ort, spec.options, options));
      return AppendBehindTensorRt(ort, spec.options, options);
    case Provider::kCuda:
      return AppendCuda(ort, spec.options, options);
    case Provider::kCpu:
      return UseOwnAllocator(ort, options);
  }
  return OkStatus();
}

}  // namespace

Status MakeSessionOptions(const OrtFunctions& ort, const GraphBytes& model, const SessionSpec& spec,
                          OrtSessionOptions** options) {
  AKIDB_ORT_RETURN_IF_ERROR(ort, ort.CreateSessionOptions(options), RunFailed);
  AKIDB_RETURN_IF_ERROR(SetCommon(ort, spec.threads, *options));
  AKIDB_RETURN_IF_ERROR(RecordAssignment(ort, *options));
  AKIDB_RETURN_IF_ERROR(AddExternal(ort, model, *options));
  return AppendProvider(ort, spec, *options);
}

}  // namespace akidb::embedding
