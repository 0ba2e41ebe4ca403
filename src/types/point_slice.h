// Parts of the ids that are disjoint, equally likely and the same everywhere: for scans in
// parallel and samples that can be repeated.
#pragma once

#include <cstdint>

#include "types/point_id.h"

namespace akidb {

// SipHash-2-4 with a key of zeros (Aumasson and Bernstein, SipHash: a fast short-input PRF,
// INDOCRYPT 2012) of the 8 little-endian bytes of a number, or the 16 of a UUID. A point belongs to
// slice PointSliceHash(id) % total.
uint64_t PointSliceHash(PointId id);

}  // namespace akidb
