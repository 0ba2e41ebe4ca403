// Finds a table of kernels by its name, for the files of this module that are baseline code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace akidb::simd {

// The first of `tables` if `name` is empty. kInvalidArgument, with all names, for an unknown one.
template <class Table>
Result<const Table*> FindNamedTable(const std::vector<const Table*>& tables,
                                    std::string_view name) {
  if (name.empty()) return tables.front();
  std::string offered;
  for (const Table* table : tables) {
    if (name == table->name) return table;
    if (!offered.empty()) offered += ", ";
    offered += table->name;
  }
  return InvalidArgumentError("no kernels called `" + std::string(name) +
                              "`: this processor offers " + offered);
}

// What AKIDB_SIMD is; empty if it is unset.
std::string_view NameInEnvironment();

}  // namespace akidb::simd
