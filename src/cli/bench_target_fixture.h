// For tests of `akidb bench`: a collection in memory that is searched exactly, and misses
// neighbours when it looks at few candidates.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/bench_target.h"

namespace akidb::cli {

class MemoryTarget final : public BenchTarget {
 public:
  const std::string& place() const override { return place_; }
  Status Create(uint32_t, Metric) override { return OkStatus(); }
  Status Upsert(std::span<const SharedPoint> points) override {
    if (refusals > 0) {
      --refusals;
      return ResourceExhaustedError("sealing lags behind");
    }
    for (const SharedPoint& point : points) {
      stored[PointId(point.id)] = DenseVector(point.vector.begin(), point.vector.end());
      shares.push_back(point.share);
    }
    return OkStatus();
  }
  Result<bool> IsAtRest() override { return ++looks > 2; }
  Status Drop() override { return OkStatus(); }
  Result<TargetFacts> Facts() override { return TargetFacts{1, Metric::kEuclid, stored.size()}; }
  Result<IdPage> Ids(const std::optional<PointId>& from) override {
    IdPage page;
    for (auto it = from ? stored.lower_bound(*from) : stored.begin(); it != stored.end(); ++it) {
      if (page.ids.size() == 7) {
        page.next = it->first;
        break;
      }
      page.ids.push_back(it->first);
    }
    return page;
  }
  Result<std::vector<std::pair<PointId, DenseVector>>> Vectors(
      std::span<const PointId> ids) override {
    std::vector<std::pair<PointId, DenseVector>> vectors;
    for (const PointId& id : ids) {
      if (!stored.at(id).empty()) vectors.emplace_back(id, stored.at(id));
    }
    return vectors;
  }
  Status UseFilter(const std::string&) override { return OkStatus(); }
  Result<uint64_t> Count() override { return stored.size(); }
  // By the first component. Of ef candidates below 10 the nearest, but for the point itself, is
  // not among them.
  Result<std::vector<Neighbour>> Search(const TargetQuery& query) override {
    if (++searches == failing_search) return UnavailableError("gone");
    std::vector<Neighbour> all;
    for (const auto& [id, vector] : stored) {
      const float away = vector[0] - query.vector[0];
      all.push_back({id, away * away});
    }
    std::sort(all.begin(), all.end(), [](const Neighbour& a, const Neighbour& b) {
      return std::pair(a.distance, a.id) < std::pair(b.distance, b.id);
    });
    if (!query.exact && query.ef < 10 && all.size() > 1) all.erase(all.begin() + 1);
    all.resize(std::min(all.size(), query.limit));
    if (query.cost != nullptr) *query.cost = {.rows = 3 * query.ef, .bytes = 64 * query.ef};
    return all;
  }

  std::map<PointId, DenseVector> stored;
  std::vector<uint64_t> shares;
  int refusals = 0;
  int looks = 0;
  std::atomic<int> searches{0};
  int failing_search = 0;

 private:
  const std::string place_ = "memory";
};

}  // namespace akidb::cli
