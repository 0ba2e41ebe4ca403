#include "simd/tables.h"

namespace akidb::simd {

std::vector<const Kernels*> AvailableKernels() { return {&kScalarKernels}; }

std::vector<const CodeKernels*> AvailableCodeKernels() { return {&kScalarCodeKernels}; }

}  // namespace akidb::simd
