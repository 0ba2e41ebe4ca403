#include "simd/kernels.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simd/code_kernels.h"

namespace akidb::simd {
namespace {

using ::testing::HasSubstr;

uint64_t TestSeed() {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

enum class Measure { kDot, kSquaredL2, kL1 };
constexpr Measure kMeasures[] = {Measure::kDot, Measure::kSquaredL2, Measure::kL1};

const FloatKernels& KernelsOf(const Kernels& table, Measure measure) {
  switch (measure) {
    case Measure::kDot:
      return table.dot;
    case Measure::kSquaredL2:
      return table.squared_l2;
    case Measure::kL1:
      return table.l1;
  }
  std::abort();
}

struct Reference {
  double value = 0;
  double error_max = 0;
};

// The result in double, and how far a float32 sum in four or more chains may be from it: one
// rounding a step on the longest chain, and a few for a term and for joining the chains.
Reference ReferenceOf(Measure measure, const float* a, const float* b, size_t dim) {
  double sum = 0;
  double sum_of_sizes = 0;
  for (size_t i = 0; i < dim; ++i) {
    double x = a[i];
    double y = b[i];
    double term = measure == Measure::kDot         ? x * y
                  : measure == Measure::kSquaredL2 ? (x - y) * (x - y)
                                                   : std::abs(x - y);
    sum += term;
    sum_of_sizes += std::abs(term);
  }
  double steps = static_cast<double>(dim) / 4 + 8;
  double underflow = static_cast<double>(dim + 8) * std::numeric_limits<float>::denorm_min();
  return {sum, steps * std::numeric_limits<float>::epsilon() / 2 * sum_of_sizes + underflow};
}

enum class Shape { kUniform, kSkewed, kOneHuge, kCancelling, kDenormal };
constexpr Shape kShapes[] = {Shape::kUniform, Shape::kSkewed, Shape::kOneHuge, Shape::kCancelling,
                             Shape::kDenormal};

void FillVector(std::mt19937_64& random, Shape shape, std::span<float> out) {
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (size_t i = 0; i < out.size(); ++i) {
    switch (shape) {
      case Shape::kUniform:
        out[i] = uniform(random);
        break;
      case Shape::kSkewed:
        out[i] = std::exp(4 * normal(random)) * uniform(random);
        break;
      case Shape::kOneHuge:
        out[i] = i == out.size() / 3 ? 3e15f : uniform(random);
        break;
      case Shape::kCancelling:
        out[i] = (i % 2 == 0 ? 1000.0f : -1000.0f) + uniform(random);
        break;
      case Shape::kDenormal:
        out[i] = uniform(random) * 1e-39f;
        break;
    }
  }
}

// Rows of `dim` floats, `stride` apart and off any alignment, with NaN in every gap: a kernel that
// looks beyond a row shows it in its result.
class Rows {
 public:
  Rows(size_t count, size_t dim, size_t gap) : count_(count), dim_(dim), stride_(dim + gap) {
    values_.assign(kOffset + count * stride_ + gap, std::numeric_limits<float>::quiet_NaN());
  }
  void Fill(std::mt19937_64& random, Shape shape) {
    for (size_t i = 0; i < count_; ++i) FillVector(random, shape, {row(i), dim_});
  }
  float* row(size_t i) { return values_.data() + kOffset + i * stride_; }
  RowBlock block() { return {row(0), count_, dim_, stride_}; }
  RowList list(std::span<const uint32_t> rows) {
    return {row(0), rows.data(), rows.size(), dim_, stride_};
  }

 private:
  static constexpr size_t kOffset = 3;
  size_t count_;
  size_t dim_;
  size_t stride_;
  std::vector<float> values_;
};

// Every length around the registers and unrolled steps, and long ones.
std::vector<size_t> Dims() {
  std::vector<size_t> dims;
  for (size_t dim = 1; dim <= 130; ++dim) dims.push_back(dim);
  dims.insert(dims.end(), {255, 256, 257, 384, 768, 1023, 1024, 1025, 4096, 65536});
  return dims;
}

void ExpectNear(float actual, const Reference& expected) {
  EXPECT_LE(std::abs(actual - expected.value), expected.error_max)
      << "got " << actual << ", expected " << expected.value;
}

class EveryTable : public ::testing::Test {
 protected:
  void ForEach(const std::function<void(const Kernels&)>& check) {
    for (const Kernels* table : AvailableKernels()) {
      SCOPED_TRACE(std::string("table ") + table->name);
      check(*table);
    }
  }

  const uint64_t seed_ = TestSeed();
  const ::testing::ScopedTrace trace_{__FILE__, __LINE__,
                                      "AKIDB_TEST_SEED=" + std::to_string(seed_)};
  std::mt19937_64 random_{seed_};
};

TEST_F(EveryTable, AgreesWithDoublesOnAllLengthsAndShapes) {
  for (size_t dim : Dims()) {
    for (Shape shape : kShapes) {
      Rows rows(2, dim, 5);
      rows.Fill(random_, shape);
      for (Measure measure : kMeasures) {
        Reference expected = ReferenceOf(measure, rows.row(0), rows.row(1), dim);
        ForEach([&](const Kernels& table) {
          SCOPED_TRACE("dim " + std::to_string(dim) + " shape " +
                       std::to_string(static_cast<int>(shape)) + " measure " +
                       std::to_string(static_cast<int>(measure)));
          ExpectNear(KernelsOf(table, measure).pair(rows.row(0), rows.row(1), dim), expected);
        });
      }
    }
  }
}

TEST_F(EveryTable, CountsEveryComponentOnce) {
  for (size_t dim = 1; dim <= 130; ++dim) {
    std::vector<float> zeros(dim, 0.0f);
    std::vector<float> ones(dim, 1.0f);
    ForEach([&](const Kernels& table) {
      EXPECT_EQ(table.dot.pair(ones.data(), ones.data(), dim), static_cast<float>(dim));
      EXPECT_EQ(table.squared_l2.pair(ones.data(), zeros.data(), dim), static_cast<float>(dim));
      EXPECT_EQ(table.l1.pair(zeros.data(), ones.data(), dim), static_cast<float>(dim));
      for (size_t i = 0; i < dim; ++i) {
        zeros[i] = -3;
        EXPECT_EQ(table.dot.pair(ones.data(), zeros.data(), dim), -3) << "component " << i;
        zeros[i] = 0;
      }
    });
  }
}

TEST_F(EveryTable, GivesTheSameBitsInEveryForm) {
  constexpr size_t kRows = 11;
  constexpr size_t kQueries = 5;
  for (size_t dim : {1, 2, 3, 7, 16, 33, 63, 64, 65, 100, 128, 130, 384, 1000}) {
    Rows rows(kRows, dim, dim % 3);
    rows.Fill(random_, Shape::kSkewed);
    Rows queries(kQueries, dim, 1);
    queries.Fill(random_, Shape::kSkewed);
    const std::vector<uint32_t> order = {10, 3, 3, 0, 7, 1, 9};
    std::vector<const float*> query_pointers;
    for (size_t q = 0; q < kQueries; ++q) query_pointers.push_back(queries.row(q));

    ForEach([&](const Kernels& table) {
      for (Measure measure : kMeasures) {
        const FloatKernels& kernels = KernelsOf(table, measure);
        std::vector<float> many(kQueries * kRows);
        kernels.many({query_pointers.data(), kQueries}, rows.block(), many.data());
        for (size_t q = 0; q < kQueries; ++q) {
          std::vector<float> block(kRows);
          kernels.block(queries.row(q), rows.block(), block.data());
          std::vector<float> list(order.size());
          kernels.list(queries.row(q), rows.list(order), list.data());
          for (size_t i = 0; i < kRows; ++i) {
            float pair = kernels.pair(queries.row(q), rows.row(i), dim);
            EXPECT_EQ(std::memcmp(&pair, &block[i], sizeof(float)), 0) << "block, row " << i;
            EXPECT_EQ(std::memcmp(&pair, &many[q * kRows + i], sizeof(float)), 0) << "many " << i;
          }
          for (size_t i = 0; i < order.size(); ++i) {
            EXPECT_EQ(std::memcmp(&block[order[i]], &list[i], sizeof(float)), 0) << "list " << i;
          }
        }
      }
    });
  }
}

TEST_F(EveryTable, LeavesBlocksWithoutRowsAlone) {
  ForEach([&](const Kernels& table) {
    const float query = 1;
    float out = 42;
    table.dot.block(&query, {nullptr, 0, 1, 1}, &out);
    table.dot.list(&query, {nullptr, nullptr, 0, 1, 1}, &out);
    table.dot.many({nullptr, 0}, {nullptr, 0, 1, 1}, &out);
    EXPECT_EQ(out, 42);
  });
}

TEST_F(EveryTable, OverflowsToInfinity) {
  std::vector<float> huge(100, 3e38f);
  std::vector<float> opposite(100, -3e38f);
  const float infinity = std::numeric_limits<float>::infinity();
  ForEach([&](const Kernels& table) {
    EXPECT_EQ(table.dot.pair(huge.data(), huge.data(), 100), infinity);
    EXPECT_EQ(table.dot.pair(huge.data(), opposite.data(), 100), -infinity);
    EXPECT_EQ(table.squared_l2.pair(huge.data(), opposite.data(), 100), infinity);
    EXPECT_EQ(table.l1.pair(huge.data(), opposite.data(), 100), infinity);
  });
}

// Restores AKIDB_SIMD, which a whole test run may have set.
class KernelChoice : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* value = std::getenv("AKIDB_SIMD");
    if (value != nullptr) before_ = value;
    was_set_ = value != nullptr;
  }
  void TearDown() override {
    if (was_set_) {
      setenv("AKIDB_SIMD", before_.c_str(), 1);
    } else {
      unsetenv("AKIDB_SIMD");
    }
  }

 private:
  std::string before_;
  bool was_set_ = false;
};

TEST_F(KernelChoice, ChecksTheEnvironmentVariable) {
  unsetenv("AKIDB_SIMD");
  EXPECT_TRUE(CheckKernelsEnvironment().ok());
  setenv("AKIDB_SIMD", "scalar", 1);
  EXPECT_TRUE(CheckKernelsEnvironment().ok());
  setenv("AKIDB_SIMD", "avx9000", 1);
  EXPECT_THAT(CheckKernelsEnvironment().ToString(), HasSubstr("AKIDB_SIMD: no kernels called"));
  for (const CodeKernels* table : AvailableCodeKernels()) {
    EXPECT_THAT(CheckKernelsEnvironment().ToString(), HasSubstr(table->name));
    setenv("AKIDB_SIMD", table->name, 1);
    EXPECT_TRUE(CheckKernelsEnvironment().ok()) << table->name;
    setenv("AKIDB_SIMD", "avx9000", 1);
  }
}

// Both run their statement in a fresh process, where nothing has been picked yet.
TEST_F(KernelChoice, BestKernelsFollowTheEnvironmentDeathTest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto exit_zero_if_scalar = [] {
    setenv("AKIDB_SIMD", "scalar", 1);
    std::exit(std::strcmp(BestKernels().name, "scalar") == 0 ? 0 : 1);
  };
  EXPECT_EXIT(exit_zero_if_scalar(), ::testing::ExitedWithCode(0), "");
}

TEST_F(KernelChoice, BestKernelsDieWithTheReasonWhenTheEnvironmentIsWrongDeathTest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto pick = [] {
    setenv("AKIDB_SIMD", "avx9000", 1);
    BestKernels();
  };
  EXPECT_DEATH(pick(), "this processor offers .*scalar");
}

}  // namespace
}  // namespace akidb::simd
