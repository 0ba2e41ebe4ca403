#include "simd/tables.h"

namespace akidb::simd {

// __builtin_cpu_supports also asks whether the operating system saves the wide registers.
std::vector<const Kernels*> AvailableKernels() {
  std::vector<const Kernels*> tables;
  if (__builtin_cpu_supports("avx512f")) tables.push_back(&kAvx512Kernels);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("f16c")) {
    tables.push_back(&kAvx2Kernels);
  }
  tables.push_back(&kScalarKernels);
  return tables;
}

std::vector<const CodeKernels*> AvailableCodeKernels() {
  std::vector<const CodeKernels*> tables;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) {
    if (__builtin_cpu_supports("avx512bitalg")) tables.push_back(&kAvx512BitalgCodeKernels);
    tables.push_back(&kAvx512VnniCodeKernels);
  }
  if (__builtin_cpu_supports("avx2")) tables.push_back(&kAvx2CodeKernels);
  tables.push_back(&kScalarCodeKernels);
  return tables;
}

}  // namespace akidb::simd
