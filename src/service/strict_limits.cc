#include "service/strict_limits.h"

#include "types/strict_mode_json.h"

namespace akidb::service {

Result<std::shared_ptr<StrictLimits>> StrictCollections::Of(
    const std::shared_ptr<engine::Collection>& collection) {
  const std::shared_ptr<const CollectionConfig> config = collection->current_config();
  const auto& options = config->echoed_json;
  const auto given = options.find("strict_mode_config");
  if (given == options.end()) return std::shared_ptr<StrictLimits>();
  MutexLock lock(mutex_);
  const auto found = known_.find(collection.get());
  const bool is_known = found != known_.end() && !found->second.collection.expired() &&
                        found->second.limits->json == given->second;
  if (!is_known) {
    AKIDB_ASSIGN_OR_RETURN(StrictMode mode, StrictModeFromJson(given->second));
    std::erase_if(known_, [](const auto& entry) { return entry.second.collection.expired(); });
    Known& known = known_[collection.get()];
    known.collection = collection;
    known.limits = std::make_shared<StrictLimits>();
    known.limits->json = given->second;
    const RateLimiter::Time now = std::chrono::steady_clock::now();
    if (mode.read_rate_limit) known.limits->reads.emplace("Read", *mode.read_rate_limit, now);
    if (mode.write_rate_limit) known.limits->writes.emplace("Write", *mode.write_rate_limit, now);
    known.limits->mode = std::move(mode);
  }
  const std::shared_ptr<StrictLimits>& limits = known_.at(collection.get()).limits;
  return limits->mode.enabled ? limits : std::shared_ptr<StrictLimits>();
}

}  // namespace akidb::service
