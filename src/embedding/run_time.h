// What a run of a model is expected to take, for reports.
#pragma once

#include <cstdint>

namespace akidb::embedding {

// Milliseconds = fixed_ms + padded tokens x token_ms, where the longest sequence has at most
// `length_max` tokens, and more than half of that.
struct RunTime {
  uint64_t length_max = 0;
  double fixed_ms = 0;
  double token_ms = 0;
};

}  // namespace akidb::embedding
