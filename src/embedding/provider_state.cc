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

bool IsDegraded(std::span<const ProviderState> states) {
  for (const ProviderState& state : states) {
    if (state.serves) return false;
    if (state.failures > 0) return true;
  }
  return true;
}

}  // namespace akidb::embedding
