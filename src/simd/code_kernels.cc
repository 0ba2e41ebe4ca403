#include "simd/code_kernels.h"

#include <cstring>

#include "simd/kernels.h"
#include "simd/named_table.h"

namespace akidb::simd {
void PackU1Query(const int8_t* components, size_t dim, int8_t* query) {
  constexpr size_t kPlaneDim = 512;
  std::memset(query, 0, U1QueryBytes(dim));
  for (size_t d = 0; d < dim; ++d) {
    const size_t in_plane = d % kPlaneDim;
    int8_t* byte = query + U1QueryBytes(d - in_plane) + in_plane / 8;
    const unsigned bits = static_cast<uint8_t>(components[d]);
    for (size_t plane = 0; plane < kU1QueryBits; ++plane, byte += kPlaneDim / 8) {
      const unsigned bit = bits >> plane & 1;
      *byte = static_cast<int8_t>(static_cast<uint8_t>(*byte) | bit << in_plane % 8);
    }
  }
}

Result<const CodeKernels*> FindCodeKernels(std::string_view name) {
  return FindNamedTable(AvailableCodeKernels(), name);
}

const CodeKernels& BestCodeKernels() {
  static const CodeKernels& best = []() -> const CodeKernels& {
    BestKernels();  // dies of a name that is of no table
    Result<const CodeKernels*> found = FindCodeKernels(NameInEnvironment());
    return found.ok() ? **found : *AvailableCodeKernels().front();
  }();
  return best;
}

}  // namespace akidb::simd
