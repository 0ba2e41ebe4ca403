// A guess whether what is going to be read of a part of a file is in memory. Asking the system
// costs about 1 us a range, which searches of 30 us don't spend while nothing suggests that it
// isn't.
//
// True at first, and for some batches after one of which something had to be read from the device;
// or for one when somebody has waited suspiciously long. Thread-safe: at worst threads that race
// make it right again a batch later.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace akidb::storage {

class ResidencyGuess {
 public:
  bool may_be_cold() const { return batches_.load(std::memory_order_relaxed) > 0; }
  // A batch was asked for, of which so many ranges were not in memory.
  void NoteBatch(size_t cold) {
    const uint32_t left = batches_.load(std::memory_order_relaxed);
    if (cold > 0) {
      batches_.store(kBatches, std::memory_order_relaxed);
    } else if (left > 0) {
      batches_.store(left - 1, std::memory_order_relaxed);
    }
  }
  // Somebody may have waited for the device.
  void Suspect() {
    if (!may_be_cold()) batches_.store(1, std::memory_order_relaxed);
  }

 private:
  // After so many of which all was in memory, the next ones aren't asked about.
  static constexpr uint32_t kBatches = 32;

  std::atomic<uint32_t> batches_{kBatches};
};

}  // namespace akidb::storage
