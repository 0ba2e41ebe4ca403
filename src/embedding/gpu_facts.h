// The GPUs of this machine, as NVIDIA's libraries describe them. Both belong to the system and are
// opened where the dynamic loader finds them. What isn't told stays empty, or 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "env/file_system.h"

namespace akidb::embedding {

struct GpuDevice {
  std::string name;
  std::string compute_capability;  // "8.7": Orin, "11.0": Thor
  uint64_t memory_bytes = 0;
  bool integrated = false;  // its memory is the machine's
};

struct GpuFacts {
  std::string kernel_driver;  // version of NVIDIA's kernel module
  std::string cuda_version;   // the newest that the driver's library serves
  std::string cuda_problem;   // why that library names no device
  std::vector<GpuDevice> devices;
  std::string tensorrt_version;
};

// Makes no CUDA context.
GpuFacts LookAtGpus(env::FileSystem& fs);

// Below: what single answers say, for the above.

// Of /proc/driver/nvidia/version: the first version in it.
std::string KernelDriver(std::string_view version);
// 13000 -> "13.0".
std::string CudaVersionText(int version);
// 101602 -> "10.16.2"; before TensorRT 10, 8601 -> "8.6.1". Empty: no version.
std::string TensorRtVersionText(int version);

}  // namespace akidb::embedding
