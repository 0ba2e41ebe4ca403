#include "api/rest/request_statistics.h"

#include <algorithm>

#include "api/rest/route.h"

namespace akidb::rest {

RequestStatistics::RequestStatistics() : counters_(std::make_unique<Counters[]>(Routes().size())) {}

void RequestStatistics::Add(const Route& route, int status, double seconds) {
  Counters& counters = counters_[static_cast<size_t>(&route - Routes().data())];
  const auto* place = std::find(kStatuses.begin(), kStatuses.end() - 1, status);
  Counter& counter = counters.statuses[static_cast<size_t>(place - kStatuses.begin())];
  counter.count.fetch_add(1, std::memory_order_relaxed);
  counter.microseconds.fetch_add(static_cast<uint64_t>(seconds * 1e6), std::memory_order_relaxed);
  const auto* bound = std::lower_bound(kBucketSeconds.begin(), kBucketSeconds.end(), seconds);
  counters.buckets[static_cast<size_t>(bound - kBucketSeconds.begin())].fetch_add(
      1, std::memory_order_relaxed);
}

std::vector<RequestStatistics::OfRoute> RequestStatistics::Read() const {
  std::vector<OfRoute> all;
  for (size_t number = 0; number < Routes().size(); ++number) {
    const Counters& counters = counters_[number];
    OfRoute of{&Routes()[number], {}, {}};
    for (size_t i = 0; i < kStatuses.size(); ++i) {
      const uint64_t count = counters.statuses[i].count.load(std::memory_order_relaxed);
      if (count == 0) continue;
      of.statuses.push_back(
          {kStatuses[i], count, counters.statuses[i].microseconds.load(std::memory_order_relaxed)});
    }
    if (of.statuses.empty()) continue;
    for (size_t i = 0; i < of.buckets.size(); ++i) {
      of.buckets[i] = counters.buckets[i].load(std::memory_order_relaxed);
    }
    all.push_back(std::move(of));
  }
  return all;
}

}  // namespace akidb::rest
