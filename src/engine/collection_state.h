// How the collections of a database stand, as far as is known without opening one.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/collection.h"

namespace akidb::engine {

enum class CollectionState : unsigned char {
  kClosed,       // nobody has asked for it since the start
  kRecovering,   // is being opened
  kReady,        // open
  kDegraded,     // open, with a TroubleOf
  kUnavailable,  // the last opening failed by what may pass: the next request tries again
  kQuarantined,  // damaged: refuses requests until it is restored, mended or deleted
};

inline constexpr std::array kCollectionStates = {
    CollectionState::kClosed,   CollectionState::kRecovering,  CollectionState::kReady,
    CollectionState::kDegraded, CollectionState::kUnavailable, CollectionState::kQuarantined};

// "closed", "recovering", …
std::string_view CollectionStateName(CollectionState state);

struct NamedState {
  std::string name;  // of the collection
  CollectionState state = CollectionState::kClosed;
  std::string reason;  // of kDegraded, kUnavailable and kQuarantined
};

// Why an open collection refuses writes, can't read some of its points, or isn't merged; empty
// while nothing is wrong.
const std::string& TroubleOf(const CollectionStats& stats);

}  // namespace akidb::engine
