#include "index/codes/code_space.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "simd/kernels.h"

namespace akidb::index {
namespace {

uint64_t Seed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text == nullptr ? std::random_device()() : std::stoull(text);
}

using Vector = std::vector<float>;

Vector Normal(std::mt19937_64& random, size_t dim) {
  std::normal_distribution<float> normal;
  Vector vector(dim);
  for (float& value : vector) value = normal(random);
  return vector;
}

// A few components carry nearly everything.
Vector Skewed(std::mt19937_64& random, size_t dim) {
  Vector vector = Normal(random, dim);
  for (size_t i = 0; i < dim; ++i) vector[i] /= static_cast<float>(1 + i * i);
  return vector;
}

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

double SquaredL2(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

Vector Difference(std::span<const float> a, std::span<const float> b) {
  Vector difference(a.begin(), a.end());
  for (size_t i = 0; i < a.size(); ++i) difference[i] -= b[i];
  return difference;
}

double CosineBetween(std::span<const float> a, std::span<const float> b) {
  return Dot(a, b) / std::sqrt(Dot(a, a) * Dot(b, b));
}

double TrueDistance(Metric metric, std::span<const float> a, std::span<const float> b) {
  return metric == Metric::kEuclid ? SquaredL2(a, b) : -Dot(a, b);
}

constexpr CodeKind kKinds[] = {CodeKind::kU4, CodeKind::kU7, CodeKind::kU1};

const char* NameOf(CodeKind kind) {
  if (kind == CodeKind::kU1) return "1 bit";
  return kind == CodeKind::kU4 ? "4 bits" : "7 bits";
}

struct Case {
  CodeKind kind;
  Metric metric;
  bool skewed;
};

std::vector<Case> KindsMetricsAndSkew() {
  std::vector<Case> cases;
  for (CodeKind kind : kKinds) {
    for (Metric metric : {Metric::kDot, Metric::kEuclid}) {
      for (bool skewed : {false, true}) cases.push_back({kind, metric, skewed});
    }
  }
  return cases;
}

class CodeSpaceTest : public testing::Test {
 protected:
  CodeSpaceTest() { RecordProperty("seed", std::to_string(seed_)); }

  const uint64_t seed_ = Seed();
  std::mt19937_64 random_{seed_};
  testing::ScopedTrace trace_{__FILE__, __LINE__, "AKIDB_TEST_SEED=" + std::to_string(seed_)};
};

TEST_F(CodeSpaceTest, RotationsKeepLengthsAndProducts) {
  for (uint32_t dim : {1u, 2u, 3u, 63u, 64u, 65u, 384u, 768u, 1000u, 1024u, 4096u}) {
    const Rotation rotation(dim, random_());
    EXPECT_EQ(rotation.padded_dim() % 64, 0u);
    const Vector a = Normal(random_, dim);
    const Vector b = Skewed(random_, dim);
    Vector rotated_a(rotation.padded_dim());
    Vector rotated_b(rotation.padded_dim());
    rotation.Apply(a, rotated_a);
    rotation.Apply(b, rotated_b);
    const double tolerance = 1e-4 * std::sqrt(Dot(a, a) * Dot(b, b));
    EXPECT_NEAR(Dot(rotated_a, rotated_b), Dot(a, b), tolerance) << dim;
    EXPECT_NEAR(Dot(rotated_a, rotated_a), Dot(a, a), 1e-4 * Dot(a, a)) << dim;
  }
}

TEST_F(CodeSpaceTest, RotationsSpreadWhatASingleComponentHolds) {
  for (uint32_t dim : {384u, 576u, 1000u, 1024u, 1536u, 1984u, 1536u, 1536u, 1536u}) {
    const Rotation rotation(dim, random_());
    Vector single(dim);
    single[random_() % dim] = 1;
    Vector rotated(rotation.padded_dim());
    rotation.Apply(single, rotated);
    float largest = 0;
    for (float value : rotated) largest = std::max(largest, std::abs(value));
    EXPECT_LT(largest, 6 / std::sqrt(static_cast<float>(dim))) << dim;
  }
}

TEST_F(CodeSpaceTest, TheSameSeedIsTheSameRotation) {
  const Vector vector = Normal(random_, 100);
  Vector a(128);
  Vector b(128);
  Vector c(128);
  Rotation(100, 5).Apply(vector, a);
  Rotation(100, 5).Apply(vector, b);
  Rotation(100, 6).Apply(vector, c);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

// Over many rotations the errors average out, and their spread is what Deviation says.
TEST_F(CodeSpaceTest, EstimatesAreUnbiasedAndTheirSpreadIsKnown) {
  constexpr int kSeeds = 600;
  for (const auto& [kind, metric, skewed] : KindsMetricsAndSkew()) {
    SCOPED_TRACE(NameOf(kind));
    const size_t dim = 200;
    const Vector centre = Normal(random_, dim);
    const Vector row = skewed ? Skewed(random_, dim) : Normal(random_, dim);
    const Vector query = skewed ? Skewed(random_, dim) : Normal(random_, dim);
    const double truth = TrueDistance(metric, row, query);
    const Vector origin = metric == Metric::kDot ? Vector(dim) : centre;
    const double cosine = CosineBetween(Difference(row, centre), Difference(query, origin));
    double sum = 0;
    double squares = 0;
    double deviations = 0;
    for (int i = 0; i < kSeeds; ++i) {
      const CodeSpace space(kind, random_(), centre);
      std::vector<std::byte> code(space.row_bytes());
      space.Encode(row, code.data());
      const CodeQuery prepared = space.Prepare(metric, query);
      float estimate;
      CodeArray(space, code.data(), 1).Distances(prepared, 0, {&estimate, 1});
      const double error = static_cast<double>(estimate) - truth;
      sum += error;
      squares += error * error;
      deviations += static_cast<double>(space.Deviation(code.data(), prepared));
    }
    const double spread = std::sqrt(squares / kSeeds);
    EXPECT_LT(std::abs(sum / kSeeds), 5 * spread / std::sqrt(kSeeds)) << MetricName(metric);
    EXPECT_GT(deviations / kSeeds, spread * 0.8) << MetricName(metric) << skewed;
    // As far as row and query lie in one direction from the centre, the estimate is better than
    // that.
    if (!skewed) {
      const double across = std::sqrt(1 - cosine * cosine);
      EXPECT_LT(deviations / kSeeds * across, spread * 1.25) << MetricName(metric);
    }
  }
}

TEST_F(CodeSpaceTest, NearlyAllEstimatesLieWithinThreeDeviations) {
  const size_t dim = 384;
  for (CodeKind kind : kKinds) {
    SCOPED_TRACE(NameOf(kind));
    const CodeSpace space(kind, random_(), Normal(random_, dim));
    std::vector<std::byte> code(space.row_bytes());
    int outside = 0;
    constexpr int kPairs = 4000;
    for (int i = 0; i < kPairs; ++i) {
      const Vector row = i % 2 == 0 ? Normal(random_, dim) : Skewed(random_, dim);
      const Vector query = i % 3 == 0 ? Skewed(random_, dim) : Normal(random_, dim);
      space.Encode(row, code.data());
      const CodeQuery prepared = space.Prepare(Metric::kEuclid, query);
      float estimate;
      CodeArray(space, code.data(), 1).Distances(prepared, 0, {&estimate, 1});
      const double error = std::abs(static_cast<double>(estimate) - SquaredL2(row, query));
      outside += error > 3 * static_cast<double>(space.Deviation(code.data(), prepared));
    }
    // 0.27 % of a normal distribution.
    EXPECT_LT(outside, kPairs / 100);
  }
}

// The cheap spread serves as well, for vectors of every kind, and where all of them have most of
// their length in common.
TEST_F(CodeSpaceTest, SpreadsHoldForEveryMetricAndACommonPart) {
  for (CodeKind kind : kKinds) {
    for (Metric metric : {Metric::kCosine, Metric::kDot, Metric::kEuclid}) {
      for (float common : {0.0f, 5.0f}) {
        for (uint32_t dim : {8u, 128u, 700u}) {
          auto vector = [&] {
            Vector made = random_() % 2 == 0 ? Normal(random_, dim) : Skewed(random_, dim);
            for (float& value : made) value = 0.05f * value + common;
            if (metric == Metric::kCosine) simd::Normalize(made);
            return made;
          };
          Vector centre(dim);
          for (int i = 0; i < 100; ++i) {
            const Vector made = vector();
            for (uint32_t d = 0; d < dim; ++d) centre[d] += made[d] / 100;
          }
          int outside = 0;
          constexpr int kPairs = 500;
          for (int i = 0; i < kPairs; ++i) {
            // Anew for each pair: vectors that are much alike err alike under one rotation.
            const CodeSpace space(kind, random_(), centre);
            std::vector<std::byte> code(space.row_bytes());
            const CodeArray array(space, code.data(), 1);
            const Vector row = vector();
            const Vector query = vector();
            space.Encode(row, code.data());
            const CodeQuery prepared = space.Prepare(metric, query);
            float estimate;
            array.Distances(prepared, 0, {&estimate, 1});
            const double truth = TrueDistance(metric, row, query);
            const double error = std::abs(static_cast<double>(estimate) - truth);
            // Of sums of large numbers, float32 keeps so much.
            const double rounding = 1e-6 * (std::abs(truth) + Dot(row, row) + Dot(query, query));
            outside += error > 3 * static_cast<double>(array.Spread(prepared, 0)) + rounding;
          }
          EXPECT_LE(outside, kPairs / 50)
              << NameOf(kind) << MetricName(metric) << " " << common << " " << dim;
        }
      }
    }
  }
}

TEST_F(CodeSpaceTest, TheLargestFactorsBoundEverySpread) {
  constexpr uint32_t kDim = 64;
  constexpr uint32_t kCount = 37;
  for (CodeKind kind : kKinds) {
    const CodeSpace space(kind, random_(), Vector(kDim));
    std::vector<std::byte> codes(kCount * space.row_bytes());
    for (uint32_t i = 0; i < kCount; ++i) {
      Vector row = Normal(random_, kDim);
      for (float& value : row) value *= static_cast<float>(i);
      space.Encode(row, &codes[i * space.row_bytes()]);
    }
    const CodeArray array(space, codes.data(), kCount);
    std::vector<uint32_t> list(kCount);
    std::iota(list.begin(), list.end(), 0);
    for (Metric metric : {Metric::kDot, Metric::kEuclid}) {
      const CodeQuery query = space.Prepare(metric, Normal(random_, kDim));
      const float bound = query.SquaredSpreadUpTo(array.LargestFactors(list));
      float largest = 0;
      for (uint32_t i : list) largest = std::max(largest, array.SquaredSpread(query, i));
      EXPECT_GE(bound, largest) << NameOf(kind) << MetricName(metric);
      EXPECT_LE(bound, 8 * largest) << NameOf(kind) << MetricName(metric);
    }
    // A factor that is no finite number, as damage leaves it: nothing may be left out for it.
    for (float strange :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      std::memcpy(&codes[5 * space.row_bytes() + space.code_bytes()], &strange, sizeof(strange));
      EXPECT_TRUE(std::isinf(array.LargestFactors(list).rescale)) << NameOf(kind);
      EXPECT_TRUE(std::isinf(array.LargestFactors(list).squared_norm)) << NameOf(kind);
    }
  }
}

TEST_F(CodeSpaceTest, SevenBitsAreNearlyExactBetweenRows) {
  for (uint32_t dim : {3u, 64u, 384u, 1000u}) {
    const CodeSpace space(CodeKind::kU7, random_(), Normal(random_, dim));
    std::vector<std::byte> codes(2 * space.row_bytes());
    const Vector a = Normal(random_, dim);
    const Vector b = Skewed(random_, dim);
    space.Encode(a, codes.data());
    space.Encode(b, codes.data() + space.row_bytes());
    CodeQuery query;
    space.PrepareRow(codes.data(), query);
    float distances[2];
    CodeArray(space, codes.data(), 2).Distances(query, 0, distances);
    const double scale = std::sqrt(SquaredL2(a, space.centre()) * SquaredL2(b, space.centre()));
    EXPECT_NEAR(static_cast<double>(distances[1]), SquaredL2(a, b), 0.02 * scale) << dim;
    EXPECT_NEAR(static_cast<double>(distances[0]), 0, 0.01 * SquaredL2(a, space.centre())) << dim;
  }
}

TEST_F(CodeSpaceTest, ListsAndRangesAgreeForEveryTable) {
  const size_t dim = 200;
  for (CodeKind kind : kKinds) {
    const CodeSpace space(kind, random_(), Normal(random_, dim));
    constexpr uint32_t kRows = 700;
    std::vector<std::byte> codes(kRows * space.row_bytes());
    for (uint32_t i = 0; i < kRows; ++i) {
      space.Encode(Normal(random_, dim), codes.data() + i * space.row_bytes());
    }
    std::vector<uint32_t> list;
    for (uint32_t i = 0; i < kRows; ++i) list.push_back(static_cast<uint32_t>(random_() % kRows));
    const CodeQuery query = space.Prepare(Metric::kEuclid, Normal(random_, dim));
    std::vector<float> expected;
    for (const simd::CodeKernels* kernels : simd::AvailableCodeKernels()) {
      const CodeArray array(space, codes.data(), kRows, *kernels);
      std::vector<float> all(kRows);
      std::vector<float> listed(kRows);
      array.Distances(query, 0, all);
      array.Distances(query, list, listed.data());
      for (uint32_t i = 0; i < kRows; ++i) ASSERT_EQ(listed[i], all[list[i]]) << kernels->name;
      if (expected.empty()) expected = all;
      EXPECT_EQ(all, expected) << kernels->name;
    }
  }
}

TEST_F(CodeSpaceTest, BatchesGiveTheBitsOfSingleQueries) {
  for (uint32_t dim : {100u, 1030u, 5000u}) {
    for (CodeKind kind : kKinds) {
      const CodeSpace space(kind, random_(), Normal(random_, dim));
      constexpr uint32_t kRows = 300;
      std::vector<std::byte> codes(kRows * space.row_bytes());
      for (uint32_t i = 0; i < kRows; ++i) {
        space.Encode(Normal(random_, dim), codes.data() + i * space.row_bytes());
      }
      const CodeArray array(space, codes.data(), kRows);
      std::vector<CodeQuery> queries;
      std::vector<const CodeQuery*> pointers;
      for (Metric metric : {Metric::kDot, Metric::kEuclid, Metric::kDot, Metric::kDot,
                            Metric::kEuclid, Metric::kEuclid}) {
        queries.push_back(space.Prepare(metric, Normal(random_, dim)));
      }
      for (const CodeQuery& query : queries) pointers.push_back(&query);
      const simd::CodeRange range{7, kRows - 9};
      std::vector<float> together(queries.size() * range.count);
      array.Distances(pointers, range, together.data());
      std::vector<float> alone(range.count);
      for (size_t q = 0; q < queries.size(); ++q) {
        array.Distances(queries[q], range.first, alone);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + q * range.count))
            << NameOf(kind) << " " << dim << ", query " << q;
      }
    }
  }
}

TEST_F(CodeSpaceTest, StrangeVectorsGiveFiniteDistances) {
  for (uint32_t dim : {1u, 2u, 3u, 65u, 384u}) {
    const Vector centre(dim, 0.5f);
    for (CodeKind kind : kKinds) {
      const CodeSpace space(kind, random_(), centre);
      std::vector<std::byte> code(space.row_bytes());
      Vector huge(dim, 0.5f);
      huge[dim - 1] = 1e15f;
      space.Encode(Vector(dim, 1e25f), code.data());
      float unknown;
      CodeArray(space, code.data(), 1)
          .Distances(space.Prepare(Metric::kDot, Vector(dim, 0.25f)), 0, {&unknown, 1});
      EXPECT_TRUE(std::isnan(unknown));
      for (const Vector& row : {centre, Vector(dim, 0.0f), Vector(dim, 1e-40f), huge}) {
        space.Encode(row, code.data());
        for (Metric metric : {Metric::kDot, Metric::kEuclid}) {
          const CodeQuery query = space.Prepare(metric, Vector(dim, 0.25f));
          float distance;
          CodeArray(space, code.data(), 1).Distances(query, 0, {&distance, 1});
          EXPECT_TRUE(std::isfinite(distance));
          EXPECT_TRUE(std::isfinite(space.Deviation(code.data(), query)));
        }
      }
    }
  }
}

// What lies at the centre, or a query of zeros, is estimated exactly.
TEST_F(CodeSpaceTest, TheCentreAndAZeroQueryAreExact) {
  const size_t dim = 100;
  const Vector centre = Normal(random_, dim);
  for (CodeKind kind : kKinds) {
    SCOPED_TRACE(NameOf(kind));
    const CodeSpace space(kind, random_(), centre);
    std::vector<std::byte> code(space.row_bytes());
    space.Encode(centre, code.data());
    const Vector query = Normal(random_, dim);
    float distance;
    CodeArray(space, code.data(), 1)
        .Distances(space.Prepare(Metric::kEuclid, query), 0, {&distance, 1});
    EXPECT_NEAR(static_cast<double>(distance), SquaredL2(centre, query),
                1e-4 * SquaredL2(centre, query));
    space.Encode(Normal(random_, dim), code.data());
    CodeArray(space, code.data(), 1)
        .Distances(space.Prepare(Metric::kDot, Vector(dim)), 0, {&distance, 1});
    EXPECT_EQ(distance, 0);
  }
}

}  // namespace
}  // namespace akidb::index
