#include "embedding/provider_state.h"

namespace akidb::embedding {

std::string_view NameOf(LinkState state) {
  switch (state) {
    case LinkState::kWaiting:
      return "waiting";
    case LinkState::kBuilding:
      return "building";
    case LinkState::kReady:
      return "ready";
    case LinkState::kOpen:
      return "open";
    case LinkState::kRefused:
      return "refused";
  }
  return "";
}

double ShareOf(std::string_view provider, std::span<const NodeCount> nodes) {
  uint64_t all = 0;
  uint64_t own = 0;
  for (const NodeCount& count : nodes) {
    all += count.nodes;
    if (count.provider == provider) own += count.nodes;
  }
  return all == 0 ? 0 : static_cast<double>(own) / static_cast<double>(all);
}

bool IsDegraded(std::span<const ProviderState> states) {
  for (const ProviderState& state : states) {
    if (state.serves) return false;
    if (state.failures > 0) return true;
  }
  return true;
}

}  // namespace akidb::embedding
