// How fast all cores together read memory: the floor of whatever reads a model's weights.
#pragma once

#include <cstdint>

#include "base/request_context.h"
#include "base/status.h"

namespace akidb::cli {

struct ReadBandwidthOptions {
  uint32_t threads = 1;
  uint64_t bytes = uint64_t{256} << 20;  // of the buffer, far larger than the caches
  uint32_t rounds = 10;
};

struct ReadBandwidth {
  double bytes_per_s = 0;  // of the fastest round
  uint64_t buffer_bytes = 0;
  uint32_t threads = 0;
};

// Each round, every thread reads its own part of the buffer once, in order. kCancelled,
// kDeadlineExceeded; kResourceExhausted: no such buffer.
Result<ReadBandwidth> MeasureReadBandwidth(const RequestContext& context,
                                           const ReadBandwidthOptions& options);

// Four times the largest cache, at least 256 MiB, at most a quarter of the memory that is available
// (0: not known).
uint64_t BandwidthBufferBytes(uint64_t largest_cache_bytes, uint64_t available_bytes);

}  // namespace akidb::cli
