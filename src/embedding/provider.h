// What a session runs on: an execution provider of ONNX Runtime.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace akidb::embedding {

// In the order in which they are preferred.
enum class Provider : uint8_t { kTensorRt, kCuda, kCpu };

struct ProviderName {
  Provider provider;
  std::string_view word;     // in settings and manifests
  std::string_view runtime;  // as ONNX Runtime calls it
};
inline constexpr std::array<ProviderName, 3> kProviders = {{
    {Provider::kTensorRt, "tensorrt", "TensorrtExecutionProvider"},
    {Provider::kCuda, "cuda", "CUDAExecutionProvider"},
    {Provider::kCpu, "cpu", "CPUExecutionProvider"},
}};

constexpr const ProviderName& NamesOf(Provider provider) {
  return kProviders[static_cast<size_t>(provider)];
}

constexpr std::optional<Provider> ProviderOf(std::string_view word) {
  for (const ProviderName& name : kProviders) {
    if (name.word == word) return name.provider;
  }
  return std::nullopt;
}

constexpr bool RunsOnGpu(Provider provider) { return provider != Provider::kCpu; }

// As the provider itself names and spells them: {"device_id", "0"}.
using ProviderOptions = std::map<std::string, std::string>;

}  // namespace akidb::embedding
