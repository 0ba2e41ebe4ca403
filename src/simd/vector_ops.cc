#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "simd/kernels.h"

namespace akidb::simd {
namespace {

double SquaredLength(std::span<const float> vector) {
  // Several chains, because the compiler may not reorder a sum of doubles.
  constexpr size_t kChains = 8;
  double sums[kChains] = {};
  size_t i = 0;
  for (; i + kChains <= vector.size(); i += kChains) {
    for (size_t chain = 0; chain < kChains; ++chain) {
      double component = vector[i + chain];
      sums[chain] += component * component;
    }
  }
  double total = 0;
  for (; i < vector.size(); ++i) total += static_cast<double>(vector[i]) * vector[i];
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace

bool AllFinite(std::span<const float> vector) {
  // NaN and infinities have all bits of the exponent set, and nothing is larger when read as an
  // integer without the sign. No early exit: a vector is almost always finite.
  constexpr uint32_t kWithoutSign = 0x7fffffff;
  constexpr uint32_t kInfinity = 0x7f800000;
  uint32_t largest = 0;
  for (float component : vector) {
    largest = std::max(largest, std::bit_cast<uint32_t>(component) & kWithoutSign);
  }
  return largest < kInfinity;
}

void Normalize(std::span<float> vector) {
  constexpr double kUnitTolerance = 1e-6;
  double length = std::sqrt(SquaredLength(vector));
  if (length == 0 || std::abs(length - 1) <= kUnitTolerance) return;
  double scale = 1 / length;
  for (float& component : vector) component = static_cast<float>(component * scale);
}

void RoundToHalf(std::span<float> vector) {
  const ConversionKernels& convert = BestKernels().convert;
  std::array<uint16_t, 1024> halves;
  for (size_t i = 0; i < vector.size(); i += halves.size()) {
    std::span<float> part = vector.subspan(i, std::min(halves.size(), vector.size() - i));
    convert.floats_to_halves(part.data(), part.size(), halves.data());
    convert.halves_to_floats(halves.data(), part.size(), part.data());
  }
}

void NormalizeToHalf(std::span<float> vector) {
  // Rounding changes each component by 2^-11 of itself at most, or by 2^-25 where it is tiny.
  constexpr double kRoundedTolerance = 6e-4;
  if (std::abs(std::sqrt(SquaredLength(vector)) - 1) <= kRoundedTolerance) {
    std::vector<float> rounded(vector.begin(), vector.end());
    RoundToHalf(rounded);
    if (std::equal(rounded.begin(), rounded.end(), vector.begin())) return;
  }
  Normalize(vector);
  RoundToHalf(vector);
}

}  // namespace akidb::simd
