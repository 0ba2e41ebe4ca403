#include "simd/tables.h"

namespace akidb::simd {

std::vector<const Kernels*> AvailableKernels() { return {&kScalarKernels}; }

}  // namespace akidb::simd
