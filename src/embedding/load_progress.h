// How far the load of a model is: told by who loads, read by who asks. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "embedding/embedder.h"

namespace akidb::embedding {

class LoadProgress {
 public:
  void Begin() {
    began_ = std::chrono::steady_clock::now().time_since_epoch().count();
    verified_bytes_ = 0;
    phase_ = LoadPhase::kWaiting;
  }
  void Enter(LoadPhase phase) { phase_ = phase; }
  void AddVerified(uint64_t bytes) { verified_bytes_ += bytes; }

  LoadState state() const {
    using Clock = std::chrono::steady_clock;
    const Clock::duration passed = Clock::now().time_since_epoch() - Clock::duration(began_);
    return {phase_, verified_bytes_, std::chrono::duration<double>(passed).count()};
  }

 private:
  std::atomic<LoadPhase> phase_{LoadPhase::kWaiting};
  std::atomic<uint64_t> verified_bytes_{0};
  std::atomic<std::chrono::steady_clock::rep> began_{0};
};

}  // namespace akidb::embedding
