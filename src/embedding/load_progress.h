// How far the load of a model is: told by who loads, read by who asks; and whether it is still
// wanted: told by who asked. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/status.h"
#include "embedding/embedder.h"
#include "embedding/run_control.h"

namespace akidb::embedding {

class LoadProgress {
 public:
  void Begin() {
    began_ = std::chrono::steady_clock::now().time_since_epoch().count();
    verified_bytes_ = 0;
    phase_ = LoadPhase::kWaiting;
    control_.Reset();
  }
  void Enter(LoadPhase phase) { phase_ = phase; }
  void AddVerified(uint64_t bytes) { verified_bytes_ += bytes; }

  // Stops what waits for another process; what is done here goes on to its next step.
  RunControl& control() { return control_; }
  // kCancelled once it is stopped.
  Status Check() const {
    return control_.stopped() ? CancelledError("the load was stopped") : OkStatus();
  }

  LoadState state() const {
    using Clock = std::chrono::steady_clock;
    const Clock::duration passed = Clock::now().time_since_epoch() - Clock::duration(began_);
    return {phase_, verified_bytes_, std::chrono::duration<double>(passed).count()};
  }

 private:
  RunControl control_;
  std::atomic<LoadPhase> phase_{LoadPhase::kWaiting};
  std::atomic<uint64_t> verified_bytes_{0};
  std::atomic<std::chrono::steady_clock::rep> began_{0};
};

}  // namespace akidb::embedding
