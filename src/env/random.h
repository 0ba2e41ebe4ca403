// Randomness. Tests pass a seeded source and print the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace akidb::env {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::byte> out) = 0;
  uint64_t Next();
};

// The operating system's cryptographic source (getrandom). Thread-safe.
std::unique_ptr<Random> MakeSystemRandom();
// Repeatable (SplitMix64). Thread-safe.
std::unique_ptr<Random> MakeSeededRandom(uint64_t seed);

}  // namespace akidb::env
