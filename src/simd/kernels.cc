#include "simd/kernels.h"

#include <cstdlib>

#include "simd/code_kernels.h"
#include "simd/named_table.h"

namespace akidb::simd {
namespace {

constexpr char kVariable[] = "AKIDB_SIMD";

Result<const Kernels*> KernelsOfEnvironment() {
  const std::string_view forced = NameInEnvironment();
  if (forced.empty()) return FindKernels(forced);
  std::string others;
  for (const CodeKernels* table : AvailableCodeKernels()) {
    const std::string_view name = table->name;
    if (forced == name) return FindKernels(table->floats);
    if (name != table->floats) others.append(", ").append(name);
  }
  Result<const Kernels*> found = FindKernels(forced);
  if (found.ok()) return found;
  return InvalidArgumentError(std::string(found.status().message()) + others)
      .WithContext(kVariable);
}

}  // namespace

std::string_view NameInEnvironment() {
  const char* forced = std::getenv(kVariable);
  return forced == nullptr ? "" : forced;
}

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
