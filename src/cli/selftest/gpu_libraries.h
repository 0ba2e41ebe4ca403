// NVIDIA's libraries, asked what they find. Both belong to the system and are opened where they
// are.
#pragma once

#include <string>

#include "cli/selftest/machine.h"

namespace akidb::cli {

// Fills cuda_version, and devices or cuda_problem. Makes no CUDA context.
void AskCuda(GpuFacts& facts);
void AskTensorRt(GpuFacts& facts);

// 13000 -> "13.0".
std::string CudaVersionText(int version);
// 101602 -> "10.16.2"; before TensorRT 10, 8601 -> "8.6.1". Empty: no version.
std::string TensorRtVersionText(int version);

}  // namespace akidb::cli
