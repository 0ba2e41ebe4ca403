// What `akidb bench` asks, and the points that it stores when it is given a file.
#pragma once

#include "cli/bench_sweep.h"
#include "cli/bench_target.h"
#include "cli/bench_vectors.h"
#include "cli/progress.h"

namespace akidb::cli {

struct StoreParts {
  BenchTarget& target;
  Progress& progress;
  uint64_t seed = 0;  // of the points' shares
};

// Row i becomes point i, with a share as bench_target.h tells; returns once all are merged and have
// their graph. kCancelled when the user asks to stop.
Status StoreRows(const StoreParts& parts, const VectorTable& rows);

// Vectors of at most `count` stored points, drawn from all of them; the same seed draws the same
// ones. kInvalidArgument: no point has the vector.
Result<BenchQueries> SampleQueries(BenchTarget& target, size_t count, uint64_t seed);

}  // namespace akidb::cli
