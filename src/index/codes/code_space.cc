#include "index/codes/code_space.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace akidb::index {
namespace {

// Steps that are tried, in units of the components' root mean square. Rotated components are nearly
// normal, for which 0.335 has the least error with 16 levels (Max, "Quantizing for Minimum
// Distortion", 1960).
constexpr std::array<float, 6> kU4Steps = {0.26f, 0.29f, 0.32f, 0.35f, 0.38f, 0.42f};
constexpr float kU4Zero = 7.5f;
constexpr float kU7Zero = 64;
constexpr size_t kDistancesAtOnce = 256;
// The tangent of the angle between a vector and its code: measured on rotated vectors, rounded up.
constexpr float kU4Tangent = 0.12f;
constexpr float kU7Tangent = 0.02f;

// Of 4-bit codes, docs/format/codes.md: dimensions of a block, halves in the two nibbles.
constexpr size_t kBlockDims = 128;

struct Factors {
  float rescale = 0;       // f
  float squared_norm = 0;  // |r|^2
};

Factors FactorsOf(const std::byte* row, size_t code_bytes) {
  Factors factors;
  std::memcpy(&factors, row + code_bytes, sizeof(factors));
  return factors;
}

float LengthOf(std::span<const float> vector) {
  double sum = 0;
  for (float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  return static_cast<float>(std::sqrt(sum));
}

// Rounds to 8 bits: `values`, `step`, and the sum of the values.
int64_t Round(std::span<const float> rotated, CodeQuery& query) {
  float largest = 0;
  for (float value : rotated) largest = std::max(largest, std::abs(value));
  query.values.assign(rotated.size(), 0);
  if (largest == 0) return 0;
  query.step = largest / 127;
  const float scale = 127 / largest;
  int64_t sum = 0;
  for (size_t i = 0; i < rotated.size(); ++i) {
    const auto value =
        static_cast<int8_t>(std::lrint(std::clamp(rotated[i] * scale, -127.f, 127.f)));
    query.values[i] = value;
    sum += value;
  }
  return sum;
}

}  // namespace

CodeSpace::CodeSpace(CodeKind kind, uint64_t rotation_seed, std::span<const float> centre)
    : kind_(kind),
      seed_(rotation_seed),
      rotation_(static_cast<uint32_t>(centre.size()), rotation_seed),
      centre_(centre.begin(), centre.end()),
      rotated_centre_(rotation_.padded_dim()),
      code_bytes_(kind == CodeKind::kU4 ? rotation_.padded_dim() / 2 : rotation_.padded_dim()),
      zero_(kind == CodeKind::kU4 ? kU4Zero : kU7Zero),
      value_max_(kind == CodeKind::kU4 ? 7.5f : 63) {
  rotation_.Apply(centre_, rotated_centre_);
}

CodeSpace::Fit CodeSpace::FitOf(std::span<const float> rotated, float step) const {
  const float scale = 1 / step;
  float squares = 0;
  float inner = 0;
  for (float component : rotated) {
    const float value = std::clamp(std::floor(component * scale) + 0.5f, -value_max_, value_max_);
    squares += value * value;
    inner += value * component;
  }
  return {squares, inner};
}

float CodeSpace::BestStep(std::span<const float> rotated, float squared_norm) const {
  if (kind_ == CodeKind::kU7) {
    float largest = 0;
    for (float component : rotated) largest = std::max(largest, std::abs(component));
    return largest / value_max_;
  }
  const float spread = std::sqrt(squared_norm / static_cast<float>(rotated.size()));
  float best_step = 0;
  double best = -1;
  for (float relative : kU4Steps) {
    const Fit fit = FitOf(rotated, relative * spread);
    const double cosine = fit.inner * fit.inner / fit.squares;
    if (cosine > best) {
      best = cosine;
      best_step = relative * spread;
    }
  }
  return best_step;
}

void CodeSpace::EncodeValues(std::span<const float> rotated, float step, std::byte* codes) const {
  const float scale = 1 / step;
  if (kind_ == CodeKind::kU7) {
    for (size_t i = 0; i < rotated.size(); ++i) {
      const float value = std::clamp(std::nearbyint(rotated[i] * scale), -value_max_, value_max_);
      codes[i] = static_cast<std::byte>(value + kU7Zero);
    }
    return;
  }
  auto code_of = [&](float component) {
    return static_cast<unsigned>(std::clamp(std::floor(component * scale) + 8, 0.f, 15.f));
  };
  for (size_t block = 0; block < rotated.size(); block += kBlockDims) {
    const size_t half = std::min(kBlockDims, rotated.size() - block) / 2;
    for (size_t i = 0; i < half; ++i) {
      const unsigned low = code_of(rotated[block + i]);
      const unsigned high = code_of(rotated[block + half + i]);
      codes[block / 2 + i] = static_cast<std::byte>(low | high << 4);
    }
  }
}

namespace {

float ValueAt(CodeKind kind, const std::byte* codes, size_t dim, size_t i) {
  if (kind == CodeKind::kU7) return static_cast<float>(codes[i]) - kU7Zero;
  const size_t block = i / kBlockDims * kBlockDims;
  const size_t half = std::min(kBlockDims, dim - block) / 2;
  const size_t at = i - block;
  const auto byte = static_cast<unsigned>(codes[block / 2 + at % half]);
  return static_cast<float>(at < half ? byte & 15 : byte >> 4) - kU4Zero;
}

// What <x, x> and <x, v> are for a code x as it is stored.
struct CodeSums {
  double squares = 0;
  double inner = 0;
};

CodeSums SumsOf(CodeKind kind, const std::byte* codes, std::span<const float> v) {
  CodeSums sums;
  for (size_t i = 0; i < v.size(); ++i) {
    const auto value = static_cast<double>(ValueAt(kind, codes, v.size(), i));
    sums.squares += value * value;
    sums.inner += value * static_cast<double>(v[i]);
  }
  return sums;
}

}  // namespace

void CodeSpace::Encode(std::span<const float> vector, std::byte* row) const {
  std::vector<float> residual(vector.begin(), vector.end());
  for (size_t i = 0; i < residual.size(); ++i) residual[i] -= centre_[i];
  std::vector<float> rotated(padded_dim());
  rotation_.Apply(residual, rotated);
  Factors factors;
  const float length = LengthOf(rotated);
  factors.squared_norm = length * length;
  const float step = factors.squared_norm > 0 ? BestStep(rotated, factors.squared_norm) : 0;
  // So near the centre, or so far from it, that the arithmetic ends: then the code says nothing,
  // and far from it the estimate is not a number.
  if (!(step > 0) || !std::isfinite(1 / step) || !std::isfinite(factors.squared_norm)) {
    std::fill_n(row, code_bytes_, std::byte{0});
    if (!std::isfinite(factors.squared_norm)) {
      factors = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::quiet_NaN()};
    }
  } else {
    EncodeValues(rotated, step, row);
    const double inner = SumsOf(kind_, row, rotated).inner;
    if (inner > 0) {
      factors.rescale = static_cast<float>(static_cast<double>(factors.squared_norm) / inner);
    }
  }
  std::memcpy(row + code_bytes_, &factors, sizeof(factors));
}

CodeQuery CodeSpace::Prepare(Metric metric, std::span<const float> query) const {
  AKIDB_CHECK(metric != Metric::kManhattan && query.size() == dim());
  CodeQuery prepared;
  std::vector<float> rotated(padded_dim());
  rotation_.Apply(query, rotated);
  if (metric != Metric::kDot) {
    for (size_t i = 0; i < rotated.size(); ++i) rotated[i] -= rotated_centre_[i];
    prepared.length = LengthOf(rotated);
    prepared.base = prepared.length * prepared.length;
    prepared.norm_weight = 1;
    prepared.inner_weight = -2;
    if (metric == Metric::kCosine) {
      // |q - o|^2 = 2 - 2 <q, o>. What all vectors have in common is out of q - c, whose rounding
      // would be lost in it otherwise.
      prepared.base = (prepared.base - 2) / 2;
      prepared.norm_weight /= 2;
      prepared.inner_weight /= 2;
    }
  } else {
    double inner = 0;
    for (size_t i = 0; i < rotated.size(); ++i) {
      inner += static_cast<double>(rotated[i]) * static_cast<double>(rotated_centre_[i]);
    }
    prepared.length = LengthOf(rotated);
    prepared.base = static_cast<float>(-inner);
    prepared.inner_weight = -1;
  }
  const int64_t sum = Round(rotated, prepared);
  prepared.shift = prepared.step * zero_ * static_cast<float>(sum);
  const float tangent = kind_ == CodeKind::kU4 ? kU4Tangent : kU7Tangent;
  const float of_code = tangent * prepared.length / std::sqrt(static_cast<float>(padded_dim() - 1));
  const float of_query = prepared.step / std::sqrt(12.0f);
  prepared.spread =
      std::abs(prepared.inner_weight) * std::sqrt(of_code * of_code + of_query * of_query);
  return prepared;
}

void CodeSpace::PrepareRow(const std::byte* row, CodeQuery& query) const {
  AKIDB_CHECK(kind_ == CodeKind::kU7);
  const Factors factors = FactorsOf(row, code_bytes_);
  query.values.resize(padded_dim());
  int64_t sum = 0;
  for (size_t i = 0; i < query.values.size(); ++i) {
    const int value = static_cast<int>(row[i]) - static_cast<int>(kU7Zero);
    query.values[i] = static_cast<int8_t>(value);
    sum += value;
  }
  query.step = factors.rescale;
  query.shift = query.step * zero_ * static_cast<float>(sum);
  query.base = factors.squared_norm;
  query.norm_weight = 1;
  query.inner_weight = -2;
  query.length = std::sqrt(factors.squared_norm);
}

float CodeSpace::Deviation(const std::byte* row, const CodeQuery& query) const {
  const Factors factors = FactorsOf(row, code_bytes_);
  if (factors.rescale == 0) return 0;
  const double squares = SumsOf(kind_, row, std::vector<float>(padded_dim())).squares;
  // f = |r| / (|x| cos), cos being that of the angle between code and vector.
  const double code_length = static_cast<double>(factors.rescale) * std::sqrt(squares);
  const double tangent_squared =
      std::max(code_length * code_length / static_cast<double>(factors.squared_norm) - 1, 0.0);
  const double spread = std::sqrt(tangent_squared * static_cast<double>(factors.squared_norm) /
                                  static_cast<double>(padded_dim() - 1));
  return std::abs(query.inner_weight) * query.length * static_cast<float>(spread);
}

CodeArray::CodeArray(const CodeSpace& space, const std::byte* first, uint32_t count,
                     const simd::CodeKernels& kernels)
    : space_(space),
      rows_{first, space.row_bytes(), space.padded_dim()},
      count_(count),
      dot_(space.kind() == CodeKind::kU4 ? kernels.u4 : kernels.u7) {}

float CodeArray::DistanceOf(const CodeQuery& query, int32_t sum, uint32_t i) const {
  const Factors factors = FactorsOf(row(i), space_.code_bytes());
  return query.base + query.norm_weight * factors.squared_norm +
         query.inner_weight * factors.rescale *
             (query.step * static_cast<float>(sum) - query.shift);
}

float CodeArray::Spread(const CodeQuery& query, uint32_t i) const {
  return query.spread * std::sqrt(FactorsOf(row(i), space_.code_bytes()).squared_norm);
}

void CodeArray::Distances(const CodeQuery& query, std::span<const uint32_t> list,
                          float* distances) const {
  std::array<int32_t, kDistancesAtOnce> sums;
  while (!list.empty()) {
    const size_t count = std::min(list.size(), kDistancesAtOnce);
    dot_.list(query.values.data(), rows_, {list.data(), count}, sums.data());
    for (size_t i = 0; i < count; ++i) distances[i] = DistanceOf(query, sums[i], list[i]);
    list = list.subspan(count);
    distances += count;
  }
}

void CodeArray::Distances(const CodeQuery& query, uint32_t first,
                          std::span<float> distances) const {
  std::array<int32_t, kDistancesAtOnce> sums;
  for (size_t begin = 0; begin < distances.size(); begin += kDistancesAtOnce) {
    const size_t count = std::min(distances.size() - begin, kDistancesAtOnce);
    dot_.block(query.values.data(), rows_, {first + begin, count}, sums.data());
    for (size_t i = 0; i < count; ++i) {
      distances[begin + i] = DistanceOf(query, sums[i], first + static_cast<uint32_t>(begin + i));
    }
  }
}

}  // namespace akidb::index
