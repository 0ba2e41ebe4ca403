// How often each route was answered, with which status, and how long that took.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace akidb::rest {

struct Route;

// Thread-safe: an answer costs three additions. 35 kB.
class RequestStatistics {
 public:
  // Upper bounds of a histogram's buckets; the last one is without bound.
  static constexpr std::array<double, 10> kBucketSeconds = {0.0005, 0.001, 0.005, 0.01, 0.05,
                                                            0.1,    0.5,   1,     5,    30};
  static constexpr std::array<int, 17> kStatuses = {200, 400, 401, 403, 404, 405, 408, 409, 413,
                                                    415, 422, 429, 500, 501, 503, 507, 0};

  struct OfStatus {
    int status = 0;  // 0: any other
    uint64_t count = 0;
    uint64_t microseconds = 0;  // together
  };
  struct OfRoute {
    const Route* route = nullptr;
    std::vector<OfStatus> statuses;                           // those that have been answered
    std::array<uint64_t, kBucketSeconds.size() + 1> buckets;  // not cumulative
  };

  RequestStatistics();
  // `route` is one of the table.
  void Add(const Route& route, int status, double seconds);
  // Routes that have been asked for, in the order of the table.
  std::vector<OfRoute> Read() const;

 private:
  struct Counter {
    std::atomic<uint64_t> count{0};
    std::atomic<uint64_t> microseconds{0};
  };
  struct Counters {
    std::array<Counter, kStatuses.size()> statuses;
    std::array<std::atomic<uint64_t>, kBucketSeconds.size() + 1> buckets{};
  };

  std::unique_ptr<Counters[]> counters_;  // by the route's number in the table
};

}  // namespace akidb::rest
