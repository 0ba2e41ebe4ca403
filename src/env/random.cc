#include "env/random.h"

#include <cerrno>
#include <cstring>

#include <sys/random.h>

#include "base/check.h"
#include "base/mutex.h"

namespace akidb::env {
namespace {

class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      ssize_t got = getrandom(out.data(), out.size(), 0);
      // Without flags it fails only when a signal interrupts it.
      AKIDB_CHECK(got > 0 || errno == EINTR);
      if (got > 0) out = out.subspan(static_cast<size_t>(got));
    }
  }
};

// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
class SplitMix64 final : public Random {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  void Fill(std::span<std::byte> out) override {
    MutexLock lock(mutex_);
    while (!out.empty()) {
      uint64_t word = Step();
      size_t count = out.size() < sizeof word ? out.size() : sizeof word;
      std::memcpy(out.data(), &word, count);
      out = out.subspan(count);
    }
  }

 private:
  uint64_t Step() AKIDB_REQUIRES(mutex_) {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  Mutex mutex_;
  uint64_t state_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace

uint64_t Random::Next() {
  uint64_t word = 0;
  Fill(std::as_writable_bytes(std::span<uint64_t, 1>(&word, 1)));
  return word;
}

std::unique_ptr<Random> MakeSystemRandom() { return std::make_unique<SystemRandom>(); }
std::unique_ptr<Random> MakeSeededRandom(uint64_t seed) {
  return std::make_unique<SplitMix64>(seed);
}

}  // namespace akidb::env
