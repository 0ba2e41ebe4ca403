#include "simd/kernels.h"

#include <cstdlib>

#include "simd/named_table.h"

namespace akidb::simd {
namespace {

constexpr char kVariable[] = "AKIDB_SIMD";

Result<const Kernels*> KernelsOfEnvironment() {
  const char* forced = std::getenv(kVariable);
  Result<const Kernels*> found = FindKernels(forced == nullptr ? "" : forced);
  if (!found.ok()) return found.status().WithContext(kVariable);
  return found;
}

}  // namespace

Result<const Kernels*> FindKernels(std::string_view name) {
  return FindNamedTable(AvailableKernels(), name);
}

Status CheckKernelsEnvironment() {
  Result<const Kernels*> found = KernelsOfEnvironment();
  return found.ok() ? OkStatus() : found.status();
}

const Kernels& BestKernels() {
  static const Kernels& best = []() -> const Kernels& {
    Result<const Kernels*> found = KernelsOfEnvironment();
    if (!found.ok()) CheckFailed(__FILE__, __LINE__, found.status().ToString().c_str());
    return **found;
  }();
  return best;
}

}  // namespace akidb::simd
