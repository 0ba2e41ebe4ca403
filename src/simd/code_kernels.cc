#include "simd/code_kernels.h"

#include "simd/kernels.h"
#include "simd/named_table.h"

namespace akidb::simd {
namespace {

bool IsAllowedBy(std::string_view float_table, std::string_view code_table) {
  if (float_table == "scalar") return code_table == "scalar";
  if (float_table == "avx2") return !code_table.starts_with("avx512");
  return true;
}

}  // namespace

Result<const CodeKernels*> FindCodeKernels(std::string_view name) {
  return FindNamedTable(AvailableCodeKernels(), name);
}

const CodeKernels& BestCodeKernels() {
  static const CodeKernels& best = []() -> const CodeKernels& {
    const std::vector<const CodeKernels*> tables = AvailableCodeKernels();
    for (const CodeKernels* table : tables) {
      if (IsAllowedBy(BestKernels().name, table->name)) return *table;
    }
    return *tables.back();
  }();
  return best;
}

}  // namespace akidb::simd
