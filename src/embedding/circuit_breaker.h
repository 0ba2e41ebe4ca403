// Whether something that fails is tried again, and when: closed, open and half-open as in M.
// Nygard, Release It! (2nd edition, 2018), chapter 5. Pauses double, with a random part, so that
// many that failed at once don't come back at once. Not thread-safe; time is given.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace akidb::embedding {

class CircuitBreaker {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    int failures_to_open = 3;  // in a row
    Clock::duration pause_first = std::chrono::seconds(1);
    Clock::duration pause_max = std::chrono::minutes(5);
    double jitter = 0.2;  // of a pause, both ways
  };

  CircuitBreaker(const Options& options, uint64_t seed)
      : options_(options), pause_(options.pause_first), random_(seed) {}

  // Something went well. It closes, and the next pause will be the first again.
  void Succeed() {
    open_ = false;
    failures_ = 0;
    pause_ = options_.pause_first;
    half_open_ = false;
  }

  // One more failure; when half-open, it opens at once.
  void Fail(Clock::time_point now) {
    if (half_open_ || ++failures_ >= options_.failures_to_open) Trip(now);
  }

  // Opens, or stays open after a probe that failed, for a pause twice as long as the last one.
  void Trip(Clock::time_point now) {
    open_ = true;
    half_open_ = false;
    failures_ = 0;
    std::uniform_real_distribution<double> part(1 - options_.jitter, 1 + options_.jitter);
    retry_at_ = now + std::chrono::duration_cast<Clock::duration>(pause_ * part(random_));
    pause_ = std::min(2 * pause_, options_.pause_max);
  }

  // A probe went well: what comes next decides.
  void HalfOpen() {
    open_ = false;
    half_open_ = true;
  }

  bool is_open() const { return open_; }
  // Of the next failure, without its random part.
  Clock::duration pause() const { return pause_; }
  // When it is time for a probe; only while it is open.
  Clock::time_point retry_at() const { return retry_at_; }

 private:
  const Options options_;
  Clock::duration pause_;
  Clock::time_point retry_at_;
  int failures_ = 0;
  bool open_ = false;
  bool half_open_ = false;
  std::mt19937_64 random_;
};

}  // namespace akidb::embedding
