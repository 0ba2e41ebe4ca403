// The seed of random tests, and row sets as lists.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "engine/payload_index/row_set.h"

namespace akidb::engine {

inline uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20250301;
}

inline std::vector<uint32_t> RowsIn(const RowSet& set) {
  std::vector<uint32_t> rows;
  set.ForEach([&](uint32_t row) { rows.push_back(row); });
  return rows;
}

}  // namespace akidb::engine
