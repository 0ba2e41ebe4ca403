// One sequence of a batch.
#pragma once

#include <cstdint>
#include <span>

namespace akidb::embedding {

// Borrowed for the time of the run.
struct BatchItem {
  std::span<const int32_t> ids;
  std::span<float> vector;  // to be filled
};

}  // namespace akidb::embedding
