#include <sys/auxv.h>
#include <sys/prctl.h>

#include "simd/tables.h"

namespace akidb::simd {
namespace {

constexpr unsigned kNeonRegisterBytes = 16;

// 0 where there are none.
unsigned SveRegisterBytes() {
  if ((getauxval(AT_HWCAP) & HWCAP_SVE) == 0) return 0;
  const int length = prctl(PR_SVE_GET_VL);
  return length < 0 ? 0 : static_cast<unsigned>(length) & PR_SVE_VL_LEN_MASK;
}

}  // namespace

std::vector<const Kernels*> AvailableKernels() { return {&kNeonKernels, &kScalarKernels}; }

std::vector<const CodeKernels*> AvailableCodeKernels() {
  std::vector<const CodeKernels*> tables;
  const bool dot = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
  const bool i8mm = dot && (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
  const unsigned sve_bytes = SveRegisterBytes();
  // Registers of the same length gain nothing, and those of SVE cost predicates.
  if (sve_bytes > kNeonRegisterBytes) tables.push_back(&kSveCodeKernels);
  if (i8mm) tables.push_back(&kNeonI8mmCodeKernels);
  if (dot) tables.push_back(&kNeonDotCodeKernels);
  if (sve_bytes == kNeonRegisterBytes) tables.push_back(&kSveCodeKernels);
  tables.push_back(&kNeonCodeKernels);
  tables.push_back(&kScalarCodeKernels);
  return tables;
}

}  // namespace akidb::simd
