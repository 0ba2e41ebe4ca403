// A random rotation that is fast to apply: it spreads whatever a vector holds evenly over all its
// components, so that a few bits for each of them are enough.
//
// Source: sign flips and Walsh-Hadamard transforms as in Ailon and Chazelle, "The Fast
// Johnson-Lindenstrauss Transform" (2009); where the width is no power of two, the transform covers
// the beginning and the end in turn, and plane rotations by 45 degrees (a step of Kac's walk) mix
// the halves after both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace akidb::index {

// The components of a rotated vector: `dim` rounded up to a multiple of 64.
constexpr uint32_t PaddedDim(uint32_t dim) { return (dim + 63) / 64 * 64; }

// The next output of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
// Generators", 2014).
uint64_t NextRandom(uint64_t& state);

// Thread-safe. The same seed and dim give the same rotation on every machine, up to rounding.
class Rotation {
 public:
  Rotation(uint32_t dim, uint64_t seed);

  uint32_t dim() const { return dim_; }
  uint32_t padded_dim() const { return padded_dim_; }

  // `in` has dim components, `out` padded_dim; lengths and inner products are kept. They don't
  // overlap.
  void Apply(std::span<const float> in, std::span<float> out) const;

 private:
  static constexpr size_t kRounds = 4;

  uint32_t dim_;
  uint32_t padded_dim_;
  uint32_t window_;           // the largest power of two within padded_dim_
  std::vector<float> signs_;  // kRounds x padded_dim_, 1 or -1
};

}  // namespace akidb::index
