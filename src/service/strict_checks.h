// Whether strict mode lets a request pass, in the dialect's words: kInvalidArgument, with what
// would be right. One object a request; borrows everything.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/collection.h"
#include "types/query.h"
#include "types/strict_mode.h"

namespace akidb::service {

class StrictChecks {
 public:
  // Resident memory in percent of what there is, or nothing where that isn't known.
  using MemoryMeter = std::function<std::optional<uint64_t>()>;

  // The meter may be empty: then no memory is too much.
  StrictChecks(const StrictMode& mode, const engine::Collection& collection,
               const MemoryMeter& meter)
      : mode_(mode), collection_(collection), meter_(meter) {}

  Status Timeout(uint64_t seconds) const;
  Status Batch(uint64_t queries) const;
  // With its prefetches.
  Status Query(const QueryStage& stage) const;
  Status Groups(const QueryGroupsRequest& request) const;
  // Of a scroll, a count, a facet or a matrix; 0: without a limit.
  Status Read(const Filter* filter, uint64_t limit) const;
  Status Write(const UpdateOperation& operation) const;
  Status NewIndex(const std::string& field) const;

 private:
  Status Limit(uint64_t limit, std::string_view name = "limit") const;
  Status Stage(const QueryStage& stage, uint64_t limit) const;
  Status FullScan(const QueryStage& stage) const;
  Status FilterLimits(const Filter& filter) const;
  Status Indexed(const Filter* filter, bool is_allowed, std::string_view otherwise) const;
  Status Points(std::span<const PointInput> points) const;
  Status Memory() const;
  Status Sizes() const;
  Status VectorLengths(std::span<const PointInput> points) const;

  const StrictMode& mode_;
  const engine::Collection& collection_;
  const MemoryMeter& meter_;
};

// What requests take out of the rates: 1, and 1 for each condition of a filter and each prefetch.
uint64_t ReadCost(const QueryStage& stage);
uint64_t ReadCost(const Filter* filter);
// 1 for each point, or as ReadCost of the filter that chooses them.
uint64_t WriteCost(const UpdateOperation& operation);

}  // namespace akidb::service
