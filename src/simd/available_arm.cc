#include "simd/tables.h"

namespace akidb::simd {

std::vector<const Kernels*> AvailableKernels() { return {&kNeonKernels, &kScalarKernels}; }

}  // namespace akidb::simd
