// Choices of a fuzzer: repeatable by their seed, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace akidb::fuzz {

class Choices {
 public:
  explicit Choices(uint64_t seed) : state_(seed) {}

  // SplitMix64 (Steele et al., "Fast splittable pseudorandom number generators", 2014).
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // From 0 to count - 1.
  size_t Below(size_t count) { return static_cast<size_t>(Next() % count); }
  bool OneIn(size_t count) { return Below(count) == 0; }

  template <typename T, size_t kCount>
  const T& Of(const T (&values)[kCount]) {
    return values[Below(kCount)];
  }
  template <typename List>
  const auto& OneOf(const List& values) {
    return values[Below(values.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace akidb::fuzz
