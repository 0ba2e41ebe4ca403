// How the collections of a database stand, as far as is known without opening one.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/collection.h"

namespace akidb::engine {

enum class CollectionState : unsigned char {
  kClosed,       // not open: nobody has asked for it since the start
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

// How many are in each state, in the order of kCollectionStates.
std::array<uint64_t, kCollectionStates.size()> CountByState(
    std::span<const NamedState> collections);

// How far recovering those that were not closed cleanly is (Database::RecoverInBackground).
struct RecoveryReport {
  enum class Phase : unsigned char { kNotBegun, kRunning, kDone };

  Phase phase = Phase::kNotBegun;
  uint64_t collections = 0;  // there were when it began
  uint64_t looked_at = 0;    // of them, also where they had gone, or been opened, meanwhile
  uint64_t recovered = 0;    // that had not been closed cleanly; one that a request has opened
                             // meanwhile isn't counted
  uint64_t troubled = 0;     // likewise, that could not be opened: their states tell why
  double seconds = 0;        // it has taken so far, or did
  // Since the start, whoever opened them; the system log's, too.
  uint64_t torn_logs = 0;     // whose torn end was cut
  uint64_t torn_records = 0;  // that were cut with it, at least
};

// "not_begun", "running", "done".
std::string_view RecoveryPhaseName(RecoveryReport::Phase phase);

// Why an open collection refuses writes, can't read some of its points, or isn't merged; empty
// while nothing is wrong.
const std::string& TroubleOf(const CollectionStats& stats);

}  // namespace akidb::engine
