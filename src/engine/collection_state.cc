#include "engine/collection_state.h"

namespace akidb::engine {

std::string_view CollectionStateName(CollectionState state) {
  switch (state) {
    case CollectionState::kClosed:
      return "closed";
    case CollectionState::kRecovering:
      return "recovering";
    case CollectionState::kReady:
      return "ready";
    case CollectionState::kDegraded:
      return "degraded";
    case CollectionState::kUnavailable:
      return "unavailable";
    case CollectionState::kQuarantined:
      return "quarantined";
  }
  return "unknown";
}

const std::string& TroubleOf(const CollectionStats& stats) {
  if (!stats.read_only_reason.empty()) return stats.read_only_reason;
  return stats.damage.empty() ? stats.merge_failure : stats.damage;
}

}  // namespace akidb::engine
