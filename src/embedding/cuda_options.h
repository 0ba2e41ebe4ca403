// How CUDA is to be used, where a model is made for it and where it stands behind TensorRT.
#pragma once

#include <cstdint>
#include <string>

#include "embedding/provider.h"

namespace akidb::embedding {

// Float32 is computed as float32, not as TF32: how exact a model is lies in its graph. 0 bytes: as
// many as it needs.
inline ProviderOptions CudaOptions(uint64_t memory_bytes) {
  ProviderOptions options = {
      {"device_id", "0"}, {"arena_extend_strategy", "kSameAsRequested"}, {"use_tf32", "0"}};
  if (memory_bytes > 0) options["gpu_mem_limit"] = std::to_string(memory_bytes);
  return options;
}

}  // namespace akidb::embedding
