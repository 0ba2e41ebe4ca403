#include "env/clock.h"

namespace akidb::env {
namespace {

class SystemClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() override { return std::chrono::steady_clock::now(); }
  int64_t UnixMicros() override {
    auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
  }
};

}  // namespace

std::chrono::steady_clock::time_point ManualClock::Now() {
  MutexLock lock(mutex_);
  return now_;
}

int64_t ManualClock::UnixMicros() {
  MutexLock lock(mutex_);
  return unix_micros_;
}

void ManualClock::Advance(std::chrono::microseconds by) {
  MutexLock lock(mutex_);
  now_ += by;
  unix_micros_ += by.count();
}

void ManualClock::SetUnixMicros(int64_t micros) {
  MutexLock lock(mutex_);
  unix_micros_ = micros;
}

std::unique_ptr<Clock> MakeSystemClock() { return std::make_unique<SystemClock>(); }
std::unique_ptr<ManualClock> MakeManualClock() { return std::make_unique<ManualClock>(); }

}  // namespace akidb::env
