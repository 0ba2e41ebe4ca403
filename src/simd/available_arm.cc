#include <sys/auxv.h>

#include "simd/tables.h"

namespace akidb::simd {

std::vector<const Kernels*> AvailableKernels() { return {&kNeonKernels, &kScalarKernels}; }

std::vector<const CodeKernels*> AvailableCodeKernels() {
  std::vector<const CodeKernels*> tables;
  if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0) tables.push_back(&kNeonDotCodeKernels);
  tables.push_back(&kNeonCodeKernels);
  tables.push_back(&kScalarCodeKernels);
  return tables;
}

}  // namespace akidb::simd
