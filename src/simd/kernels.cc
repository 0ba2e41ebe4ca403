#include "simd/kernels.h"

#include <cstdlib>
#include <string>

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
  const std::vector<const Kernels*> tables = AvailableKernels();
  if (name.empty()) return tables.front();
  std::string offered;
  for (const Kernels* table : tables) {
    if (name == table->name) return table;
    if (!offered.empty()) offered += ", ";
    offered += table->name;
  }
  return InvalidArgumentError("no kernels called `" + std::string(name) +
                              "`: this processor offers " + offered);
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
