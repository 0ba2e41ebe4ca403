// What became of an execution provider that a model may run on: plain values, for reports.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "embedding/provider.h"

namespace akidb::embedding {

// kWaiting: not needed so far, or lost while nobody ran it; kBuilding: being made, another serves
// meanwhile; kReady: it has proved itself; kOpen: it failed, and is tried again; kRefused: it can't
// run here, or is lost.
enum class LinkState : uint8_t { kWaiting, kBuilding, kReady, kOpen, kRefused };
std::string_view NameOf(LinkState state);

struct NodeCount {
  std::string provider;  // as the library calls it
  uint64_t nodes = 0;
};

struct ProviderState {
  Provider provider = Provider::kCpu;
  std::string variant;  // of the model; empty: its own graph
  LinkState state = LinkState::kWaiting;
  std::string reason;     // of kOpen and kRefused
  double retry_in_s = 0;  // of kOpen
  uint64_t failures = 0;  // since the model was loaded
  bool serves = false;    // batches go to it now
  // Of the graph, by whom they are run in its session, which is there: a provider leaves to the
  // processor what it hasn't; empty where the library doesn't tell.
  std::vector<NodeCount> nodes;
};

// The part of the nodes that `provider` runs, 0 to 1; 0 of none.
double ShareOf(std::string_view provider, std::span<const NodeCount> nodes);

// Whether another one serves, or none, because one failed.
bool IsDegraded(std::span<const ProviderState> states);

}  // namespace akidb::embedding
