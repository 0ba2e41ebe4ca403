// Strict mode of the collections that have one, and how much of their rates is left. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/status.h"
#include "engine/collection.h"
#include "service/rate_limiter.h"
#include "types/strict_mode.h"

namespace akidb::service {

// Of one collection.
struct StrictLimits {
  std::string json;  // that it was read from
  StrictMode mode;
  std::optional<RateLimiter> reads;
  std::optional<RateLimiter> writes;
};

class StrictCollections {
 public:
  // Null: nothing limits the collection. Shared with the requests under way: another strict mode
  // begins with full rates. kCorruption as StrictModeFromJson.
  Result<std::shared_ptr<StrictLimits>> Of(const std::shared_ptr<engine::Collection>& collection);

 private:
  struct Known {
    std::weak_ptr<engine::Collection> collection;  // may be gone, and another at its address
    std::shared_ptr<StrictLimits> limits;
  };
  Mutex mutex_;
  std::map<const engine::Collection*, Known> known_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::service
