// Recall against speed: the same queries with more and more candidates (ef), compared with what an
// exact search finds.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cli/bench_target.h"
#include "cli/bench_vectors.h"
#include "cli/progress.h"

namespace akidb::cli {

struct SweepPoint {
  uint64_t ef = 0;
  double recall = 0;          // mean over the queries
  double per_second = 0;      // queries, of all threads; median of the rounds
  double per_cpu_second = 0;  // of processor time of this process; 0: unknown
  double p50_us = 0;          // of one query, over all rounds
  double p99_us = 0;
  // Of one query, a mean: what it has looked at. 0: unknown.
  double rows = 0;
  double bytes = 0;
};

struct BenchSeries {
  std::string name;
  std::vector<SweepPoint> points;  // by ascending ef
};

struct SweepOptions {
  size_t k = 10;
  std::vector<uint64_t> efs;
  size_t threads = 1;
  size_t rounds = 5;
  bool in_process = false;  // so that processor time is the search's
};

struct BenchQueries {
  VectorTable vectors;
  // Whose vectors they are: left out of their own answers. Empty: nobody's.
  std::vector<PointId> own;
};

// Counts queries for the progress bar, and stops when the user says so. Thread-safe.
class SweepProgress {
 public:
  SweepProgress(Progress& progress, uint64_t total) : progress_(progress), total_(total) {}
  // After each query: kCancelled once the user has asked to stop.
  Status Step();

 private:
  Progress& progress_;
  const uint64_t total_;
  std::atomic<uint64_t> done_{0};
};

// What an exact search finds for each query: a neighbour at most this far away is one of the k
// nearest, so that equal vectors count as each other.
struct Truth {
  size_t count = 0;  // of neighbours: k, or fewer where fewer match
  float distance_max = 0;
};

struct SweepParts {
  BenchTarget& target;
  const BenchQueries& queries;
  const SweepOptions& options;
  SweepProgress& progress;
};

// How many queries are asked for `series` series: the progress bar's total.
uint64_t QueriesOf(const SweepOptions& options, size_t queries, size_t series);

// One exact search a query. kInvalidArgument: the filter leaves nothing to find.
Result<std::vector<Truth>> FindTruth(const SweepParts& parts);

// The rounds of one series, one after the other or in turn with those of others.
class Sweep {
 public:
  Sweep(const SweepParts& parts, std::vector<Truth> truth)
      : parts_(parts), truth_(std::move(truth)), measured_(parts.options.efs.size()) {}

  // All queries with each ef; the first time once more, untimed, for what they look at.
  Status Round();
  // Of the rounds until now, at least one.
  std::vector<SweepPoint> Points() const;

 private:
  // What the rounds of one ef gave.
  struct Measured {
    std::vector<double> per_second, per_cpu_second, latencies_us, recalls;
    double rows = 0;
    double bytes = 0;
  };

  Status Measure(uint64_t ef, Measured& measured) const;
  Status MeasureCost(uint64_t ef, Measured& measured) const;

  const SweepParts parts_;
  const std::vector<Truth> truth_;
  std::vector<Measured> measured_;
  bool costs_are_known_ = false;
};

// Queries a second at a recall, by `speed`, between the two measured points about it (the logarithm
// of the speed is interpolated); settings that find less than a faster one are left out. Where even
// the fastest one finds more, its speed; nothing where the recall was not reached.
std::optional<double> SpeedAt(const BenchSeries& series, double recall, double SweepPoint::*speed);

}  // namespace akidb::cli
