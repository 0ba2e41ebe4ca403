#include "cli/bench_sweep.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <numeric>

#include "base/executor.h"
#include "base/mutex.h"
#include "cli/interrupt.h"

namespace akidb::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Scores that travel as decimal numbers lose the last bit.
constexpr float kRoundingMax = 1e-6f;

// Of all threads of this process.
double ProcessCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double Percentile(const std::vector<double>& sorted, double share) {
  const double at = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(std::max(at, 1.0)) - 1)];
}

// ask(query) for every query, each once, on the threads asked for; the first error ends it.
Status AskAll(const SweepParts& parts, const std::function<Status(size_t)>& ask) {
  const size_t queries = parts.queries.vectors.rows();
  std::atomic<size_t> next{0};
  Mutex mutex;
  Status failed;
  const auto work = [&] {
    for (size_t q = next.fetch_add(1); q < queries; q = next.fetch_add(1)) {
      Status asked = ask(q);
      if (asked.ok()) asked = parts.progress.Step();
      if (asked.ok()) continue;
      next.store(queries);
      MutexLock lock(mutex);
      if (failed.ok()) failed = std::move(asked);
    }
  };
  if (parts.options.threads == 1) {
    work();
    return failed;
  }
  Executor workers({.name = "bench", .threads = static_cast<int>(parts.options.threads)});
  for (size_t i = 0; i < parts.options.threads; ++i) AKIDB_RETURN_IF_ERROR(workers.Submit(work));
  workers.Stop();
  return failed;
}

// The k nearest without the query's own point.
Result<std::vector<Neighbour>> Ask(const SweepParts& parts, size_t q, TargetQuery query) {
  const bool has_own = !parts.queries.own.empty();
  query.vector = parts.queries.vectors.row(q);
  query.limit = parts.options.k + (has_own ? 1 : 0);
  AKIDB_ASSIGN_OR_RETURN(std::vector<Neighbour> found, parts.target.Search(query));
  if (has_own) {
    std::erase_if(found, [&](const Neighbour& n) { return n.id == parts.queries.own[q]; });
  }
  if (found.size() > parts.options.k) found.resize(parts.options.k);
  return found;
}

double RecallOf(const Truth& truth, const std::vector<Neighbour>& found) {
  if (truth.count == 0) return 1;
  const float bound =
      truth.distance_max + kRoundingMax * std::max(1.0f, std::abs(truth.distance_max));
  const auto near = std::count_if(found.begin(), found.end(),
                                  [&](const Neighbour& n) { return n.distance <= bound; });
  return static_cast<double>(std::min(static_cast<size_t>(near), truth.count)) /
         static_cast<double>(truth.count);
}

}  // namespace

Status SweepProgress::Step() {
  const uint64_t done = done_.fetch_add(1) + 1;
  // Drawing is rare, but asking for the time is not free beside a query of some microseconds.
  if (done % 64 == 0) progress_.Show({done, total_, true}, SteadyClock::now());
  return Interrupted() ? CancelledError("stopped") : OkStatus();
}

uint64_t QueriesOf(const SweepOptions& options, size_t queries, size_t series) {
  return series * queries * (1 + (1 + options.rounds) * options.efs.size());
}

Result<std::vector<Truth>> FindTruth(const SweepParts& parts) {
  std::vector<Truth> truth(parts.queries.vectors.rows());
  AKIDB_RETURN_IF_ERROR(AskAll(parts, [&](size_t q) -> Status {
    AKIDB_ASSIGN_OR_RETURN(std::vector<Neighbour> found, Ask(parts, q, {.exact = true}));
    if (!found.empty()) truth[q] = {found.size(), found.back().distance};
    return OkStatus();
  }));
  const bool any =
      std::any_of(truth.begin(), truth.end(), [](const Truth& one) { return one.count > 0; });
  if (!any) return InvalidArgumentError("there is nothing to find: no point matches the filter");
  return truth;
}

Status Sweep::Measure(uint64_t ef, Measured& measured) const {
  const size_t queries = parts_.queries.vectors.rows();
  std::vector<std::vector<Neighbour>> answers(queries);
  std::vector<double> latencies(queries);
  const SteadyClock::time_point start = SteadyClock::now();
  const double cpu_start = ProcessCpuSeconds();
  AKIDB_RETURN_IF_ERROR(AskAll(parts_, [&](size_t q) -> Status {
    const SteadyClock::time_point asked = SteadyClock::now();
    AKIDB_ASSIGN_OR_RETURN(answers[q], Ask(parts_, q, {.ef = ef}));
    latencies[q] = std::chrono::duration<double, std::micro>(SteadyClock::now() - asked).count();
    return OkStatus();
  }));
  const double cpu_seconds = ProcessCpuSeconds() - cpu_start;
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const auto count = static_cast<double>(queries);
  measured.per_second.push_back(count / seconds);
  measured.per_cpu_second.push_back(parts_.options.in_process ? count / cpu_seconds : 0);
  measured.latencies_us.insert(measured.latencies_us.end(), latencies.begin(), latencies.end());
  for (size_t q = 0; q < queries; ++q) {
    measured.recalls.push_back(RecallOf(truth_[q], answers[q]));
  }
  return OkStatus();
}

Status Sweep::MeasureCost(uint64_t ef, Measured& measured) const {
  std::vector<SearchCost> costs(parts_.queries.vectors.rows());
  AKIDB_RETURN_IF_ERROR(AskAll(parts_, [&](size_t q) -> Status {
    return Ask(parts_, q, {.ef = ef, .cost = &costs[q]}).status();
  }));
  for (const SearchCost& cost : costs) {
    measured.rows += static_cast<double>(cost.rows) / static_cast<double>(costs.size());
    measured.bytes += static_cast<double>(cost.bytes) / static_cast<double>(costs.size());
  }
  return OkStatus();
}

Status Sweep::Round() {
  for (size_t i = 0; i < measured_.size(); ++i) {
    AKIDB_RETURN_IF_ERROR(Measure(parts_.options.efs[i], measured_[i]));
    if (costs_are_known_) continue;
    AKIDB_RETURN_IF_ERROR(MeasureCost(parts_.options.efs[i], measured_[i]));
  }
  costs_are_known_ = true;
  return OkStatus();
}

std::vector<SweepPoint> Sweep::Points() const {
  std::vector<SweepPoint> points;
  for (size_t i = 0; i < measured_.size(); ++i) {
    const Measured& measured = measured_[i];
    std::vector<double> latencies = measured.latencies_us;
    std::sort(latencies.begin(), latencies.end());
    const double recalls = std::accumulate(measured.recalls.begin(), measured.recalls.end(), 0.0);
    points.push_back({.ef = parts_.options.efs[i],
                      .recall = recalls / static_cast<double>(measured.recalls.size()),
                      .per_second = Median(measured.per_second),
                      .per_cpu_second = Median(measured.per_cpu_second),
                      .p50_us = Percentile(latencies, 0.5),
                      .p99_us = Percentile(latencies, 0.99),
                      .rows = measured.rows,
                      .bytes = measured.bytes});
  }
  return points;
}

std::optional<double> SpeedAt(const BenchSeries& series, double recall, double SweepPoint::*speed) {
  std::vector<SweepPoint> points = series.points;
  std::sort(points.begin(), points.end(),
            [](const SweepPoint& a, const SweepPoint& b) { return a.recall > b.recall; });
  // Of those that find enough, the last is the fastest; what finds less and is slower is left out.
  const SweepPoint* enough = nullptr;
  for (const SweepPoint& point : points) {
    if (enough != nullptr && point.*speed <= enough->*speed) continue;
    if (point.recall >= recall) {
      enough = &point;
      continue;
    }
    if (enough == nullptr) return std::nullopt;
    const double share = (recall - point.recall) / (enough->recall - point.recall);
    return std::exp(std::log(point.*speed) * (1 - share) + std::log(enough->*speed) * share);
  }
  if (enough == nullptr) return std::nullopt;
  return enough->*speed;
}

}  // namespace akidb::cli
