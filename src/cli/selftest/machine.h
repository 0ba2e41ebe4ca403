// What this machine is, as far as its system tells. What it doesn't tell stays empty, or 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/gpu_facts.h"
#include "env/file_system.h"

namespace akidb::cli {

struct ProcessorFacts {
  std::string name;   // "AMD EPYC 7763", "Arm Neoverse-V3AE"
  std::string board;  // of the device tree: "NVIDIA Jetson AGX Orin Developer Kit"
  std::string simd;   // the kernels that searches use here
  uint32_t logical = 0;
  uint32_t physical = 0;
  uint64_t largest_cache_bytes = 0;
};

struct GpuFacts : embedding::GpuFacts {
  std::string jetson_linux;  // "R36, revision 4.3"
  std::string power_mode;    // of nvpmodel, as its status file says it
};
using embedding::GpuDevice;

struct MachineFacts {
  ProcessorFacts processor;
  uint64_t memory_bytes = 0;
  uint64_t available_bytes = 0;
  GpuFacts gpu;
};

// Reads /proc, /sys and /etc, and opens libcuda and TensorRT where the dynamic loader finds them.
MachineFacts LookAtMachine(env::FileSystem& fs);

// Below: what single files say, for the above.

// Of /proc/cpuinfo. Arm's has numbers only; those of a part that isn't known are told as they are.
std::string ProcessorName(std::string_view cpuinfo);
// Of a cache's `size` in /sys: "36608K". 0: something else.
uint64_t CacheBytes(std::string_view size);
// Of the first line of /etc/nv_tegra_release.
std::string JetsonLinux(std::string_view release);

}  // namespace akidb::cli
