// What a library is asked for, with a made-up one: the real one for processors refuses TensorRT
// before CUDA is asked for.
#include "embedding/onnx_session_options.h"

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

struct OrtStatus {
  std::string message;
};
struct OrtSessionOptions {
  std::vector<std::string> providers;  // as appended, with their options
};
struct OrtTensorRTProviderOptionsV2 {
  std::string text;
};
struct OrtCUDAProviderOptionsV2 {
  std::string text;
};

namespace akidb::embedding {
namespace {

using testing::ElementsAre;

std::string Joined(const char* const* keys, const char* const* values, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += std::string(i == 0 ? "" : " ") + keys[i] + "=" + values[i];
  }
  return text;
}

OrtFunctions LibraryWith(OrtStatus* (*append_cuda)(OrtSessionOptions*,
                                                   const OrtCUDAProviderOptionsV2*)) {
  OrtFunctions ort{};
  ort.GetErrorCode = [](const OrtStatus*) { return 1; };  // ORT_FAIL
  ort.GetErrorMessage = [](const OrtStatus* status) { return status->message.c_str(); };
  ort.ReleaseStatus = [](OrtStatus* status) {
    std::unique_ptr<std::remove_pointer_t<decltype(status)>> last(status);
  };
  ort.CreateSessionOptions = [](OrtSessionOptions** options) -> OrtStatus* {
    *options = std::make_unique<OrtSessionOptions>().release();
    return nullptr;
  };
  ort.ReleaseSessionOptions = [](OrtSessionOptions* options) {
    std::unique_ptr<std::remove_pointer_t<decltype(options)>> last(options);
  };
  const auto accept = [](OrtSessionOptions*) -> OrtStatus* { return nullptr; };
  ort.DisableMemPattern = accept;
  ort.DisableCpuMemArena = accept;
  const auto accept_number = [](OrtSessionOptions*, int) -> OrtStatus* { return nullptr; };
  ort.SetSessionLogSeverityLevel = accept_number;
  ort.SetSessionGraphOptimizationLevel = accept_number;
  ort.SetIntraOpNumThreads = accept_number;
  ort.SetInterOpNumThreads = accept_number;
  ort.AddSessionConfigEntry = [](OrtSessionOptions*, const char*, const char*) -> OrtStatus* {
    return nullptr;
  };
  ort.CreateTensorRTProviderOptions = [](OrtTensorRTProviderOptionsV2** own) -> OrtStatus* {
    *own = std::make_unique<OrtTensorRTProviderOptionsV2>().release();
    return nullptr;
  };
  ort.UpdateTensorRTProviderOptions = [](OrtTensorRTProviderOptionsV2* own, const char* const* keys,
                                         const char* const* values, size_t count) -> OrtStatus* {
    own->text = Joined(keys, values, count);
    return nullptr;
  };
  ort.ReleaseTensorRTProviderOptions = [](OrtTensorRTProviderOptionsV2* own) {
    std::unique_ptr<std::remove_pointer_t<decltype(own)>> last(own);
  };
  ort.SessionOptionsAppendExecutionProvider_TensorRT_V2 =
      [](OrtSessionOptions* options, const OrtTensorRTProviderOptionsV2* own) -> OrtStatus* {
    options->providers.push_back("TensorRT " + own->text);
    return nullptr;
  };
  ort.CreateCUDAProviderOptions = [](OrtCUDAProviderOptionsV2** own) -> OrtStatus* {
    *own = std::make_unique<OrtCUDAProviderOptionsV2>().release();
    return nullptr;
  };
  ort.UpdateCUDAProviderOptions = [](OrtCUDAProviderOptionsV2* own, const char* const* keys,
                                     const char* const* values, size_t count) -> OrtStatus* {
    own->text = Joined(keys, values, count);
    return nullptr;
  };
  ort.ReleaseCUDAProviderOptions = [](OrtCUDAProviderOptionsV2* own) {
    std::unique_ptr<std::remove_pointer_t<decltype(own)>> last(own);
  };
  ort.SessionOptionsAppendExecutionProvider_CUDA_V2 = append_cuda;
  return ort;
}

OrtStatus* AppendCuda(OrtSessionOptions* options, const OrtCUDAProviderOptionsV2* own) {
  options->providers.push_back("CUDA " + own->text);
  return nullptr;
}

OrtStatus* RefuseCuda(OrtSessionOptions*, const OrtCUDAProviderOptionsV2*) {
  return std::make_unique<OrtStatus>(OrtStatus{"CUDA is not in this build"}).release();
}

std::vector<std::string> ProvidersOf(const OrtFunctions& ort, const SessionSpec& spec) {
  Owned<OrtSessionOptions> options(ort.ReleaseSessionOptions);
  const Status made = MakeSessionOptions(ort, {}, spec, options.out());
  EXPECT_TRUE(made.ok()) << made.ToString();
  return options.get()->providers;
}

TEST(OnnxSessionOptions, CudaStandsBehindTensorRtOnTheSameDevice) {
  SessionSpec spec;
  spec.provider = Provider::kTensorRt;
  spec.options = {{"device_id", "1"}, {"trt_max_workspace_size", "4000"}};
  const std::string tensorrt = "TensorRT device_id=1 trt_max_workspace_size=4000";
  EXPECT_THAT(ProvidersOf(LibraryWith(AppendCuda), spec),
              ElementsAre(tensorrt,
                          "CUDA arena_extend_strategy=kSameAsRequested device_id=1 "
                          "gpu_mem_limit=4000 use_tf32=0"));
  EXPECT_THAT(ProvidersOf(LibraryWith(RefuseCuda), spec), ElementsAre(tensorrt));
}

TEST(OnnxSessionOptions, CudaAloneMayNotBeMissing) {
  SessionSpec spec;
  spec.provider = Provider::kCuda;
  EXPECT_THAT(ProvidersOf(LibraryWith(AppendCuda), spec), ElementsAre("CUDA "));
  const OrtFunctions ort = LibraryWith(RefuseCuda);
  Owned<OrtSessionOptions> options(ort.ReleaseSessionOptions);
  EXPECT_EQ(MakeSessionOptions(ort, {}, spec, options.out()).code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace akidb::embedding
