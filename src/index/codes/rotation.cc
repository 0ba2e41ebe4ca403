#include "index/codes/rotation.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace akidb::index {
namespace {

// Walsh-Hadamard, scaled so that lengths are kept; size is a power of two.
void Transform(std::span<float> values) {
  const size_t size = values.size();
  float* const data = values.data();
  for (size_t half = 1; half < size; half *= 2) {
    for (size_t block = 0; block < size; block += 2 * half) {
      float* const low = data + block;
      float* const high = low + half;
      for (size_t i = 0; i < half; ++i) {
        const float a = low[i];
        const float b = high[i];
        low[i] = a + b;
        high[i] = a - b;
      }
    }
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(size));
  for (float& value : values) value *= scale;
}

// Rotates the plane of each component of the first half and its partner in the second.
void MixHalves(std::span<float> values) {
  constexpr float kCosine = 0.70710678f;
  const size_t half = values.size() / 2;
  float* const low = values.data();
  float* const high = low + half;
  for (size_t i = 0; i < half; ++i) {
    const float a = low[i];
    const float b = high[i];
    low[i] = (a + b) * kCosine;
    high[i] = (a - b) * kCosine;
  }
}

}  // namespace

uint64_t NextRandom(uint64_t& state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

Rotation::Rotation(uint32_t dim, uint64_t seed)
    : dim_(dim),
      padded_dim_(PaddedDim(dim)),
      window_(std::bit_floor(padded_dim_)),
      signs_(kRounds * padded_dim_) {
  AKIDB_CHECK(dim > 0);
  uint64_t state = seed;
  uint64_t bits = 0;
  for (size_t i = 0; i < signs_.size(); ++i) {
    if (i % 64 == 0) bits = NextRandom(state);
    signs_[i] = (bits >> (i % 64) & 1) != 0 ? -1.0f : 1.0f;
  }
}

void Rotation::Apply(std::span<const float> in, std::span<float> out) const {
  AKIDB_CHECK(in.size() == dim_ && out.size() == padded_dim_);
  std::copy(in.begin(), in.end(), out.begin());
  std::fill(out.begin() + dim_, out.end(), 0.0f);
  for (size_t round = 0; round < kRounds; ++round) {
    const float* const signs = signs_.data() + round * padded_dim_;
    for (size_t i = 0; i < padded_dim_; ++i) out[i] *= signs[i];
    const size_t first = round % 2 == 0 ? 0 : padded_dim_ - window_;
    Transform(out.subspan(first, window_));
    // Not before every component has been in a window: a single large one would be in two halves,
    // of which one could stay outside again.
    if (window_ < padded_dim_ && round % 2 == 1) MixHalves(out);
  }
}

}  // namespace akidb::index
