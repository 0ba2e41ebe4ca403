// How long calls of a method have taken lately: what is short enough runs where it arrives.
#pragma once

#include <atomic>

namespace akidb::rpc {

// Thread-safe; notes that come at once may get lost.
class CallPace {
 public:
  // A hop to another thread and back costs some ten microseconds, and as much processor time. What
  // takes longer would keep gRPC's few threads from other connections.
  static constexpr float kShortSeconds = 100e-6F;

  // One long call counts at once, a short one little by little.
  void Note(double seconds) {
    const auto now = static_cast<float>(seconds);
    const float before = seconds_.load(std::memory_order_relaxed);
    seconds_.store(now > before ? now : before + (now - before) / 4, std::memory_order_relaxed);
  }
  // Not before it is known.
  bool IsShort() const { return seconds_.load(std::memory_order_relaxed) < kShortSeconds; }

 private:
  std::atomic<float> seconds_{1};
};

// One thread at a time runs calls where they arrive, so that another one of gRPC's, of which there
// are two at least, is always there for whatever comes.
class HereSlot {
 public:
  explicit HereSlot(std::atomic<bool>& taken) : taken_(taken), mine_(!taken.exchange(true)) {}
  ~HereSlot() {
    if (mine_) taken_.store(false);
  }
  HereSlot(const HereSlot&) = delete;
  HereSlot& operator=(const HereSlot&) = delete;

  explicit operator bool() const { return mine_; }

 private:
  std::atomic<bool>& taken_;
  const bool mine_;
};

}  // namespace akidb::rpc
