#include "index/codes/code_space.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include "base/check.h"

namespace akidb::index {
namespace {

// Steps that are tried, in units of the components' root mean square. Rotated components are nearly
// normal, for which 0.335 has the least error with 16 levels (Max, "Quantizing for Minimum
// Distortion", 1960).
constexpr std::array<float, 6> kU4Steps = {0.26f, 0.29f, 0.32f, 0.35f, 0.38f, 0.42f};
constexpr float kU4Zero = 7.5f;
// Of a query: products of longer ones with rows exceed float32, and estimates are not numbers.
constexpr float kLengthMax = 1e18f;
constexpr float kU7Zero = 64;
constexpr float kU1Zero = 0.5f;
constexpr size_t kDistancesAtOnce = 256;
// Of a batch of queries: what is read once for all of them stays in the second-level cache.
constexpr size_t kQueriesAtOnce = 4;
constexpr size_t kSharedBytes = 256u << 10;
// The tangent of the angle between a vector and its code: measured on rotated vectors, rounded up.
constexpr float kU4Tangent = 0.12f;
constexpr float kU7Tangent = 0.02f;

// Of one unit of a query's components: smaller ones have fewer than ten binary digits.
constexpr float kStepMin = 0x1p-139f;

// Of 4-bit codes, docs/format/codes.md: dimensions of a block, halves in the two nibbles.
constexpr size_t kBlockDims = 128;

CodeFactors FactorsOf(const std::byte* row, size_t code_bytes) {
  CodeFactors factors;
  std::memcpy(&factors, row + code_bytes, sizeof(factors));
  return factors;
}

float LengthOf(std::span<const float> vector) {
  double sum = 0;
  for (float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  return static_cast<float>(std::sqrt(sum));
}

// Multiplies components so small that squares of them vanish by a power of two that brings the
// largest near 1, and returns the exponent that takes it back; 0 for all others.
int ScaleUp(std::span<float> vector) {
  constexpr float kSmall = 0x1p-40f;
  float largest = 0;
  for (float value : vector) largest = std::max(largest, std::abs(value));
  if (largest == 0 || !(largest < kSmall)) return 0;
  const int exponent = std::ilogb(largest);
  for (float& value : vector) value = std::ldexp(value, -exponent);
  return exponent;
}

size_t CodeBytes(CodeKind kind, size_t padded_dim) {
  if (kind == CodeKind::kU1) return padded_dim / 8;
  return kind == CodeKind::kU4 ? padded_dim / 2 : padded_dim;
}

float ZeroOf(CodeKind kind) {
  if (kind == CodeKind::kU1) return kU1Zero;
  return kind == CodeKind::kU4 ? kU4Zero : kU7Zero;
}

float LargestValue(CodeKind kind) {
  if (kind == CodeKind::kU1) return 0.5f;
  return kind == CodeKind::kU4 ? 7.5f : 63;
}

const simd::CodeDot& DotOf(const simd::CodeKernels& kernels, CodeKind kind) {
  if (kind == CodeKind::kU1) return kernels.u1;
  return kind == CodeKind::kU4 ? kernels.u4 : kernels.u7;
}

}  // namespace

CodeSpace::CodeSpace(CodeKind kind, uint64_t rotation_seed, std::span<const float> centre,
                     const std::optional<CodedPrefix>& prefix)
    : kind_(kind),
      seed_(rotation_seed),
      prefix_(prefix),
      rotation_(prefix ? prefix->dim : static_cast<uint32_t>(centre.size()), rotation_seed),
      centre_(centre.begin(), centre.end()),
      rotated_centre_(rotation_.padded_dim()),
      code_bytes_(CodeBytes(kind, rotation_.padded_dim())),
      zero_(ZeroOf(kind)),
      value_max_(LargestValue(kind)) {
  AKIDB_CHECK(!prefix_ || prefix_->dim < dim());
  rotation_.Apply(std::span(centre_).first(rotation_.dim()), rotated_centre_);
  if (kind != CodeKind::kU1) return;
  uint64_t state = ~rotation_seed;
  for (size_t i = 0; i < padded_dim(); ++i) {
    rounding_.push_back(static_cast<float>(NextRandom(state) >> 40) * 0x1p-24f);
  }
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
  if (kind_ == CodeKind::kU1) return 1;  // signs are the same at every step
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
  if (kind_ == CodeKind::kU1) {
    std::fill_n(codes, code_bytes_, std::byte{0});
    for (size_t i = 0; i < rotated.size(); ++i) {
      if (rotated[i] >= 0) codes[i / 8] |= std::byte{1} << i % 8;
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
  if (kind == CodeKind::kU1) {
    return static_cast<float>(static_cast<unsigned>(codes[i / 8]) >> i % 8 & 1) - kU1Zero;
  }
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
  const int exponent = ScaleUp(residual);
  std::vector<float> rotated(padded_dim());
  rotation_.Apply(std::span(residual).first(rotation_.dim()), rotated);
  const float length = LengthOf(rotated);
  const float coded_norm = length * length;
  CodeFactors factors;
  factors.squared_norm = coded_norm;
  if (prefix_) {
    const float tail = LengthOf(std::span(residual).subspan(prefix_->dim));
    factors.squared_norm += tail * tail;
  }
  const float step = coded_norm > 0 ? BestStep(rotated, coded_norm) : 0;
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
      factors.rescale = static_cast<float>(static_cast<double>(coded_norm) / inner);
    }
  }
  if (exponent != 0) {
    factors.rescale = std::ldexp(factors.rescale, exponent);
    factors.squared_norm = std::ldexp(factors.squared_norm, 2 * exponent);
    // Of the signs alone, the spread goes by the factor, and less is left of it for a longer row.
    if (kind_ != CodeKind::kU1) {
      factors.squared_norm = std::max(factors.squared_norm, std::numeric_limits<float>::min());
    }
  }
  std::memcpy(row + code_bytes_, &factors, sizeof(factors));
}

CodeQuery CodeSpace::Prepare(Metric metric, std::span<const float> query) const {
  AKIDB_CHECK(metric != Metric::kManhattan && query.size() == dim());
  CodeQuery prepared;
  std::vector<float> rotated(padded_dim());
  rotation_.Apply(query.first(rotation_.dim()), rotated);
  double squared_tail = 0;
  if (metric != Metric::kDot) {
    for (size_t i = 0; i < rotated.size(); ++i) rotated[i] -= rotated_centre_[i];
    for (size_t i = rotation_.dim(); i < query.size(); ++i) {
      const auto difference = static_cast<double>(query[i] - centre_[i]);
      squared_tail += difference * difference;
    }
    prepared.length = LengthOf(rotated);
    prepared.base = prepared.length * prepared.length + static_cast<float>(squared_tail);
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
    for (size_t i = rotation_.dim(); i < query.size(); ++i) {
      const auto value = static_cast<double>(query[i]);
      inner += value * static_cast<double>(centre_[i]);
      squared_tail += value * value;
    }
    prepared.length = LengthOf(rotated);
    prepared.base = static_cast<float>(-inner);
    prepared.inner_weight = -1;
  }
  const bool measurable = prepared.length <= kLengthMax;
  if (!measurable) {
    std::fill(rotated.begin(), rotated.end(), 0.0f);
    prepared.length = 0;
  }
  RoundQuery(rotated, prepared);
  SetSpread(prepared, squared_tail);
  prepared.inner_weight *= 1 + TailShare();
  if (!measurable) prepared.base = std::numeric_limits<float>::quiet_NaN();
  return prepared;
}

void CodeSpace::RoundQuery(std::span<float> rotated, CodeQuery& query) const {
  const bool to_four_bits = kind_ == CodeKind::kU1;
  const int exponent = ScaleUp(rotated);
  const float length = exponent == 0 ? query.length : LengthOf(rotated);
  const float value_max = to_four_bits ? simd::kU1QueryMax : 127;
  float largest = 0;
  for (float value : rotated) largest = std::max(largest, std::abs(value));
  query.step = largest / value_max;
  std::vector<int8_t> values(rotated.size());
  if (query.step > 0 && std::isfinite(1 / query.step)) {
    const float scale = 1 / query.step;
    int64_t sum = 0;
    double squares = 0;
    double inner = 0;
    for (size_t i = 0; i < rotated.size(); ++i) {
      const float scaled = rotated[i] * scale;
      const float whole = to_four_bits ? std::floor(scaled + rounding_[i]) : std::nearbyint(scaled);
      const float value = std::clamp(whole, -value_max, value_max);
      values[i] = static_cast<int8_t>(value);
      sum += values[i];
      squares += static_cast<double>(value * value);
      inner += static_cast<double>(value) * static_cast<double>(rotated[i]);
    }
    const double squared_length = static_cast<double>(length) * static_cast<double>(length);
    // As a row's factor: what rounding adds is then at right angles to the query.
    if (to_four_bits) query.step = static_cast<float>(squared_length / inner);
    const auto step = static_cast<double>(query.step);
    const double rounding = step * step * squares - 2 * step * inner + squared_length;
    query.rounding = std::ldexp(static_cast<float>(std::sqrt(std::max(rounding, 0.0))), exponent);
    query.step = std::ldexp(query.step, exponent);
    // So little is left of it that estimates say nothing: they are not numbers.
    if (query.step < kStepMin) query.base = std::numeric_limits<float>::quiet_NaN();
    query.shift = query.step * zero_ * static_cast<float>(sum);
  }
  if (!to_four_bits) {
    query.values = std::move(values);
  } else {
    query.values.resize(simd::U1QueryBytes(values.size()));
    simd::PackU1Query(values.data(), values.size(), query.values.data());
  }
}

// For a row's |r|^2 with that of its tail stands, where only the coded part of it is meant: the
// spread is a little too large then.
void CodeSpace::SetSpread(CodeQuery& query, double squared_tail) const {
  const auto length = static_cast<double>(query.length);
  const double of_tail = static_cast<double>(query.inner_weight * query.inner_weight) *
                         (prefix_ ? std::pow(static_cast<double>(prefix_->tail_spread), 2) : 0) *
                         squared_tail;
  const double weight = static_cast<double>(query.inner_weight * (1 + TailShare()));
  const auto dim = static_cast<double>(padded_dim());
  // By a unit of length that the code adds at right angles to the row, and of the code.
  const double of_code = weight * weight * length * length / (dim - 1);
  const double of_query = weight * weight * static_cast<double>(query.rounding) *
                          static_cast<double>(query.rounding) / dim;
  if (kind_ == CodeKind::kU1) {
    // All codes have the length sqrt(dim) / 2, so f tells the angle: f |x| = |r| / cos. Of a prefix
    // r's length isn't known, but the angle is nearly always that of normal components.
    query.norm_spread = prefix_ ? of_tail : -of_code;
    query.factor_spread =
        dim / 4 * ((prefix_ ? 1 - 2 * std::numbers::inv_pi : 1) * of_code + of_query);
    return;
  }
  const auto tangent = static_cast<double>(kind_ == CodeKind::kU4 ? kU4Tangent : kU7Tangent);
  query.norm_spread = tangent * tangent * of_code + of_query + of_tail;
  query.factor_spread = 0;
}

void CodeSpace::PrepareRow(const std::byte* row, CodeQuery& query) const {
  AKIDB_CHECK(kind_ == CodeKind::kU7 && !prefix_);
  const CodeFactors factors = FactorsOf(row, code_bytes_);
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
  query.rounding = kU7Tangent * query.length;
  SetSpread(query, 0);
}

float CodeSpace::Deviation(const std::byte* row, const CodeQuery& query) const {
  AKIDB_CHECK(!prefix_);
  const CodeFactors factors = FactorsOf(row, code_bytes_);
  if (factors.rescale == 0) return 0;
  const double squares = SumsOf(kind_, row, std::vector<float>(padded_dim())).squares;
  // f = |r| / (|x| cos), cos being that of the angle between code and vector.
  const auto rescale = static_cast<double>(factors.rescale);
  const double code_square = rescale * rescale * squares;
  const double added = std::max(code_square - static_cast<double>(factors.squared_norm), 0.0);
  const auto length = static_cast<double>(query.length);
  const auto rounding = static_cast<double>(query.rounding);
  const auto dim = static_cast<double>(padded_dim());
  const double variance =
      length * length * added / (dim - 1) + rounding * rounding * code_square / dim;
  return std::abs(query.inner_weight) * static_cast<float>(std::sqrt(variance));
}

CodeArray::CodeArray(const CodeSpace& space, const std::byte* first, uint32_t count,
                     const simd::CodeKernels& kernels)
    : space_(space),
      rows_{first, space.row_bytes(), space.padded_dim()},
      count_(count),
      dot_(DotOf(kernels, space.kind())) {}

float CodeArray::DistanceOf(const CodeQuery& query, int32_t sum, uint32_t i) const {
  const CodeFactors factors = FactorsOf(row(i), space_.code_bytes());
  return query.base + query.norm_weight * factors.squared_norm +
         query.inner_weight * factors.rescale *
             (query.step * static_cast<float>(sum) - query.shift);
}

float CodeQuery::SquaredSpread(const CodeFactors& factors) const {
  const auto rescale = static_cast<double>(factors.rescale);
  const double variance =
      norm_spread * static_cast<double>(factors.squared_norm) + factor_spread * rescale * rescale;
  if (!(variance > 0)) return 0;
  return std::max(static_cast<float>(variance), std::numeric_limits<float>::min());
}

float CodeQuery::SquaredSpreadUpTo(const CodeFactors& largest) const {
  return norm_spread >= 0 ? SquaredSpread(largest) : SquaredSpread({largest.rescale, 0});
}

float CodeArray::Spread(const CodeQuery& query, uint32_t i) const {
  return std::sqrt(SquaredSpread(query, i));
}

float CodeArray::SquaredSpread(const CodeQuery& query, uint32_t i) const {
  return query.SquaredSpread(FactorsOf(row(i), space_.code_bytes()));
}

CodeFactors CodeArray::LargestFactors(std::span<const uint32_t> list) const {
  // Numbers that are not negative compare as their bits do; above all of them lie those of what is
  // no finite number.
  struct Bits {
    uint32_t rescale = 0;
    uint32_t squared_norm = 0;
  } largest;
  static_assert(sizeof(Bits) == sizeof(CodeFactors));
  for (const uint32_t i : list) {
    const Bits bits = std::bit_cast<Bits>(FactorsOf(row(i), space_.code_bytes()));
    largest.rescale = std::max(largest.rescale, bits.rescale);
    largest.squared_norm = std::max(largest.squared_norm, bits.squared_norm);
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr auto kInfinityBits = std::bit_cast<uint32_t>(kInfinity);
  if (largest.rescale < kInfinityBits && largest.squared_norm < kInfinityBits) {
    return std::bit_cast<CodeFactors>(largest);
  }
  return {kInfinity, kInfinity};
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

void CodeArray::Distances(std::span<const CodeQuery* const> queries, simd::CodeRange rows,
                          float* distances) const {
  const size_t chunk = std::clamp<size_t>(kSharedBytes / rows_.stride, 1, kDistancesAtOnce);
  std::array<const int8_t*, kQueriesAtOnce> vectors;
  std::array<int32_t, kQueriesAtOnce * kDistancesAtOnce> sums;
  for (size_t begin = 0; begin < rows.count; begin += chunk) {
    const size_t count = std::min(rows.count - begin, chunk);
    const size_t first = rows.first + begin;
    for (size_t q = 0; q < queries.size(); q += kQueriesAtOnce) {
      const auto together = queries.subspan(q, std::min(queries.size() - q, kQueriesAtOnce));
      for (size_t k = 0; k < together.size(); ++k) vectors[k] = together[k]->values.data();
      dot_.many({vectors.data(), together.size()}, rows_, {first, count}, sums.data());
      for (size_t k = 0; k < together.size(); ++k) {
        float* out = distances + (q + k) * rows.count + begin;
        for (size_t i = 0; i < count; ++i) {
          const auto row = static_cast<uint32_t>(first + i);
          out[i] = DistanceOf(*together[k], sums[k * count + i], row);
        }
      }
    }
  }
}

}  // namespace akidb::index
