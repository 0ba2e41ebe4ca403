// Whether vectors are coded and linked by their first components alone: where the client or the
// model permits it, and where measuring the segment's own rows says that it finds as much.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "engine/numbered_vectors.h"
#include "index/codes/prefix_fit.h"
#include "index/recall_curve.h"
#include "types/collection_config.h"

namespace akidb::engine {

// Narrower vectors are coded as they are.
inline constexpr uint32_t kPrefixedDimMin = 1536;

// Of the permitted prefixes, ascending, the one to be tried; 0: none.
uint32_t ChoosePrefix(const VectorConfig& config, std::span<const uint32_t> permitted);

struct PrefixQuestion {
  Metric metric = Metric::kCosine;
  std::span<const float> centre;  // of the codes
  uint32_t prefix = 0;
};

// Asks 32 queries between two of the rows each about 8192 of them, at most: some 0.7 G
// multiplications at 2560 dimensions.
Result<index::PrefixFit> FitPrefix(const NumberedVectors& vectors, const PrefixQuestion& question);

// Before anything is built: few rows are as near as the nearest, for all that the prefix says.
bool IsGoodEnough(const index::PrefixFit& fit);

// Of the graph that was built: this recall is found by few enough candidates.
bool FindsEnough(const index::RecallCurve& curve, double recall);

}  // namespace akidb::engine
