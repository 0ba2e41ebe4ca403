#include "index/codes/rotation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace akidb::index {
namespace {

// Compilers turn it into registers of the baseline, which every processor has.
using Four = float __attribute__((vector_size(16)));

Four Load(const float* from) {
  Four four;
  std::memcpy(&four, from, sizeof(four));
  return four;
}

void Store(float* to, Four four) { std::memcpy(to, &four, sizeof(four)); }

// The first two steps of the transform, within every four values: sums and differences of
// neighbours, then of those two apart.
void TransformFours(float* data, size_t size) {
  const Four one_apart = {1, -1, 1, -1};
  const Four two_apart = {1, 1, -1, -1};
  for (size_t i = 0; i < size; i += 4) {
    Four four = Load(data + i);
    four = four * one_apart + __builtin_shufflevector(four, four, 1, 0, 3, 2);
    four = four * two_apart + __builtin_shufflevector(four, four, 2, 3, 0, 1);
    Store(data + i, four);
  }
}

// Two steps at once, of sums and differences `half` and twice `half` apart.
void TransformTwice(float* data, size_t size, size_t half) {
  for (size_t block = 0; block < size; block += 4 * half) {
    for (size_t i = block; i < block + half; i += 4) {
      const Four a = Load(data + i);
      const Four b = Load(data + i + half);
      const Four c = Load(data + i + 2 * half);
      const Four d = Load(data + i + 3 * half);
      const Four sum_ab = a + b;
      const Four sum_cd = c + d;
      const Four difference_ab = a - b;
      const Four difference_cd = c - d;
      Store(data + i, sum_ab + sum_cd);
      Store(data + i + half, difference_ab + difference_cd);
      Store(data + i + 2 * half, sum_ab - sum_cd);
      Store(data + i + 3 * half, difference_ab - difference_cd);
    }
  }
}

void TransformOnce(float* data, size_t size, size_t half) {
  for (size_t block = 0; block < size; block += 2 * half) {
    for (size_t i = block; i < block + half; i += 4) {
      const Four a = Load(data + i);
      const Four b = Load(data + i + half);
      Store(data + i, a + b);
      Store(data + i + half, a - b);
    }
  }
}

// Walsh-Hadamard, scaled so that lengths are kept; size is a power of two, 64 or more.
void Transform(std::span<float> values) {
  const size_t size = values.size();
  TransformFours(values.data(), size);
  size_t half = 4;
  for (; 2 * half < size; half *= 4) TransformTwice(values.data(), size, half);
  if (half < size) TransformOnce(values.data(), size, half);
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
