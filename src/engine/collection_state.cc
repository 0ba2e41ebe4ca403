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

std::array<uint64_t, kCollectionStates.size()> CountByState(
    std::span<const NamedState> collections) {
  std::array<uint64_t, kCollectionStates.size()> counts{};
  for (const NamedState& one : collections) {
    for (size_t i = 0; i < kCollectionStates.size(); ++i) {
      if (one.state == kCollectionStates[i]) ++counts[i];
    }
  }
  return counts;
}

std::string_view RecoveryPhaseName(RecoveryReport::Phase phase) {
  switch (phase) {
    case RecoveryReport::Phase::kNotBegun:
      return "not_begun";
    case RecoveryReport::Phase::kRunning:
      return "running";
    case RecoveryReport::Phase::kDone:
      return "done";
  }
  return "unknown";
}

const std::string& TroubleOf(const CollectionStats& stats) {
  if (!stats.read_only_reason.empty()) return stats.read_only_reason;
  return stats.damage.empty() ? stats.merge_failure : stats.damage;
}

}  // namespace akidb::engine
