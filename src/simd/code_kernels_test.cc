#include "simd/code_kernels.h"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "simd/kernels.h"

namespace akidb::simd {
namespace {

uint64_t TestSeed() {
  const char* given = std::getenv("AKIDB_TEST_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

enum class Codes { kU4, kU7, kU1 };
constexpr Codes kCodes[] = {Codes::kU4, Codes::kU7, Codes::kU1};

const CodeDot& DotOf(const CodeKernels& table, Codes codes) {
  if (codes == Codes::kU1) return table.u1;
  return codes == Codes::kU4 ? table.u4 : table.u7;
}

size_t BytesOf(Codes codes, size_t dim) {
  if (codes == Codes::kU1) return dim / 8;
  return codes == Codes::kU4 ? dim / 2 : dim;
}

int LargestComponent(Codes codes) { return codes == Codes::kU1 ? kU1QueryMax : 127; }

// A query as the kernels take it. No byte lies behind it, so that sanitizers see one too many.
std::vector<int8_t> ForKernel(Codes codes, std::span<const int8_t> components) {
  if (codes != Codes::kU1) return {components.begin(), components.end()};
  std::vector<int8_t> packed(U1QueryBytes(components.size()), 0x55);
  PackU1Query(components.data(), components.size(), packed.data());
  return packed;
}

// The code of one dimension, by the text of the header.
int CodeAt(Codes codes, const std::byte* row, size_t dim, size_t d) {
  if (codes == Codes::kU7) return static_cast<int>(row[d]);
  if (codes == Codes::kU1) return static_cast<int>(row[d / 8]) >> d % 8 & 1;
  const size_t group = d / 128;
  const bool is_last_half = group * 128 + 64 == dim;
  const size_t half = is_last_half ? 32 : 64;
  const size_t in_group = d % 128;
  const int both = static_cast<int>(row[group * 64 + in_group % half]);
  return in_group < half ? both % 16 : both / 16;
}

int32_t Reference(Codes codes, const int8_t* query, const std::byte* row, size_t dim) {
  int64_t sum = 0;
  for (size_t d = 0; d < dim; ++d) sum += int64_t{query[d]} * CodeAt(codes, row, dim, d);
  EXPECT_EQ(sum, static_cast<int32_t>(sum));
  return static_cast<int32_t>(sum);
}

enum class Shape { kRandom, kSparse, kLargest, kSmallest, kAlternating };
constexpr Shape kShapes[] = {Shape::kRandom, Shape::kSparse, Shape::kLargest, Shape::kSmallest,
                             Shape::kAlternating};

std::vector<int8_t> MakeQuery(std::mt19937_64& random, Codes codes, Shape shape, size_t dim) {
  const int largest = LargestComponent(codes);
  std::uniform_int_distribution<int> uniform(-largest, largest);
  std::vector<int8_t> query(dim);
  for (size_t d = 0; d < dim; ++d) {
    int value = 0;
    switch (shape) {
      case Shape::kRandom:
        value = uniform(random);
        break;
      case Shape::kSparse:
        value = random() % 32 == 0 ? uniform(random) : 0;
        break;
      case Shape::kLargest:
        value = largest;
        break;
      case Shape::kSmallest:
        value = -largest;
        break;
      case Shape::kAlternating:
        value = d % 2 == 0 ? largest : -largest;
        break;
    }
    query[d] = static_cast<int8_t>(value);
  }
  return query;
}

// Rows off any alignment, with bytes of ones in every gap: a kernel that reads beyond a row's codes
// shows it in its sums. All of the memory behind the last row's codes is outside of the vector, so
// that sanitizers see it.
class Rows {
 public:
  Rows(Codes codes, size_t count, size_t dim, size_t gap)
      : count_(count), bytes_(BytesOf(codes, dim)), stride_(bytes_ + gap), dim_(dim) {
    memory_.assign(kOffset + count * stride_ - gap, std::byte{0xff});
    largest_ = codes == Codes::kU7 ? 0x7f : 0xff;
  }
  void Fill(std::mt19937_64& random, Shape shape) {
    for (size_t i = 0; i < count_; ++i) {
      std::byte* row = memory_.data() + kOffset + i * stride_;
      for (size_t b = 0; b < bytes_; ++b) {
        const uint64_t bits = shape == Shape::kRandom || shape == Shape::kSparse ? random() : ~0ull;
        row[b] = static_cast<std::byte>(bits & largest_);
      }
    }
  }
  CodeRows view() const { return {memory_.data() + kOffset, stride_, dim_}; }
  const std::byte* row(size_t i) const { return memory_.data() + kOffset + i * stride_; }

 private:
  static constexpr size_t kOffset = 3;
  size_t count_;
  size_t bytes_;
  size_t stride_;
  size_t dim_;
  uint64_t largest_;
  std::vector<std::byte> memory_;
};

std::vector<size_t> Dims() {
  std::vector<size_t> dims;
  for (size_t dim = 64; dim <= 1024; dim += 64) dims.push_back(dim);
  dims.insert(dims.end(), {4096, kCodeDimMax - 64, kCodeDimMax});
  return dims;
}

class EveryCodeTable : public ::testing::Test {
 protected:
  void ForEach(const std::function<void(const CodeKernels&)>& check) {
    for (const CodeKernels* table : AvailableCodeKernels()) {
      SCOPED_TRACE(std::string("table ") + table->name);
      check(*table);
    }
  }

  // `components` are those of the query.
  void ExpectExact(Codes codes, const Rows& rows, std::span<const int8_t> components,
                   CodeRange range) {
    std::vector<int32_t> expected(range.count);
    for (size_t i = 0; i < range.count; ++i) {
      expected[i] =
          Reference(codes, components.data(), rows.row(range.first + i), components.size());
    }
    const std::vector<int8_t> query = ForKernel(codes, components);
    ForEach([&](const CodeKernels& table) {
      std::vector<int32_t> out(range.count + 1, kUntouched);
      DotOf(table, codes).block(query.data(), rows.view(), range, out.data());
      EXPECT_EQ(out.back(), kUntouched);
      out.pop_back();
      EXPECT_EQ(out, expected);
    });
  }

  static constexpr int32_t kUntouched = 0x5aa5a55a;
  const uint64_t seed_ = TestSeed();
  const ::testing::ScopedTrace trace_{__FILE__, __LINE__,
                                      "AKIDB_TEST_SEED=" + std::to_string(seed_)};
  std::mt19937_64 random_{seed_};
};

TEST_F(EveryCodeTable, EqualsTheNaiveSumForAllDimsAndShapes) {
  for (Codes codes : kCodes) {
    for (size_t dim : Dims()) {
      for (Shape shape : kShapes) {
        SCOPED_TRACE("dim " + std::to_string(dim) + " shape " +
                     std::to_string(static_cast<int>(shape)) + " codes " +
                     std::to_string(static_cast<int>(codes)));
        // Enough for a tile of every size, few where rows are long.
        const size_t count = dim <= 1024 ? 15 : 9;
        Rows rows(codes, count, dim, 13);
        rows.Fill(random_, shape);
        ExpectExact(codes, rows, MakeQuery(random_, codes, shape, dim), {0, count});
        ExpectExact(codes, rows, MakeQuery(random_, codes, Shape::kRandom, dim), {1, count - 1});
      }
    }
  }
}

TEST_F(EveryCodeTable, CountsEveryDimensionOnce) {
  for (Codes codes : kCodes) {
    for (size_t dim : {64, 128, 192, 320, 960}) {
      Rows rows(codes, 1, dim, 0);
      rows.Fill(random_, Shape::kRandom);
      std::vector<int8_t> components(dim, 0);
      for (size_t d = 0; d < dim; ++d) {
        components[d] = -1;
        const std::vector<int8_t> query = ForKernel(codes, components);
        ForEach([&](const CodeKernels& table) {
          int32_t out = 0;
          DotOf(table, codes).block(query.data(), rows.view(), {0, 1}, &out);
          EXPECT_EQ(out, -CodeAt(codes, rows.row(0), dim, d)) << "dimension " << d;
        });
        components[d] = 0;
      }
    }
  }
}

TEST_F(EveryCodeTable, ListsEqualBlocksForAllCountsStridesAndRepeats) {
  constexpr size_t kRows = 23;
  constexpr size_t kCountMax = 40;
  for (Codes codes : kCodes) {
    for (size_t dim : {64, 192, 384, 1024, 2112}) {
      for (size_t gap : {0, 1, 8, 57}) {
        Rows rows(codes, kRows, dim, gap);
        rows.Fill(random_, Shape::kRandom);
        const std::vector<int8_t> components = MakeQuery(random_, codes, Shape::kRandom, dim);
        const std::vector<int8_t> query = ForKernel(codes, components);
        std::vector<int32_t> expected(kRows);
        for (size_t i = 0; i < kRows; ++i) {
          expected[i] = Reference(codes, components.data(), rows.row(i), dim);
        }
        for (size_t count = 0; count <= kCountMax; ++count) {
          std::vector<uint32_t> list(count);
          for (uint32_t& row : list) row = static_cast<uint32_t>(random_() % kRows);
          ForEach([&](const CodeKernels& table) {
            std::vector<int32_t> out(count + 1, kUntouched);
            DotOf(table, codes).prefetch(rows.view(), {list.data(), count});
            DotOf(table, codes).list(query.data(), rows.view(), {list.data(), count}, out.data());
            for (size_t i = 0; i < count; ++i)
              EXPECT_EQ(out[i], expected[list[i]]) << "entry " << i;
            EXPECT_EQ(out[count], kUntouched);
          });
        }
        for (size_t count = 0; count < kRows; ++count) {
          ExpectExact(codes, rows, components, {kRows - count, count});
        }
      }
    }
  }
}

TEST_F(EveryCodeTable, ManyQueriesEqualOneByOne) {
  constexpr size_t kQueriesMax = 13;
  for (Codes codes : kCodes) {
    for (size_t dim : {64, 192, 448, 512, 1024, 1472, 4096, 4160}) {
      Rows rows(codes, 9, dim, 8);
      rows.Fill(random_, Shape::kRandom);
      std::vector<std::vector<int8_t>> queries;
      std::vector<const int8_t*> vectors;
      for (size_t q = 0; q < kQueriesMax; ++q) {
        queries.push_back(ForKernel(codes, MakeQuery(random_, codes, Shape::kRandom, dim)));
        vectors.push_back(queries.back().data());
      }
      for (CodeRange range : {CodeRange{0, 9}, CodeRange{2, 6}, CodeRange{8, 1}, CodeRange{3, 0}}) {
        for (size_t count = 0; count <= kQueriesMax; ++count) {
          ForEach([&](const CodeKernels& table) {
            const CodeDot& dot = DotOf(table, codes);
            std::vector<int32_t> expected(count * range.count + 1, kUntouched);
            for (size_t q = 0; q < count; ++q) {
              dot.block(vectors[q], rows.view(), range, expected.data() + q * range.count);
            }
            std::vector<int32_t> out(expected.size(), kUntouched);
            dot.many({vectors.data(), count}, rows.view(), range, out.data());
            EXPECT_EQ(out, expected) << count << " queries, " << range.count << " rows of " << dim;
          });
        }
      }
    }
  }
}

TEST_F(EveryCodeTable, LeavesListsWithoutRowsAlone) {
  ForEach([&](const CodeKernels& table) {
    const int8_t query[U1QueryBytes(64)] = {};
    int32_t out = kUntouched;
    for (Codes codes : kCodes) {
      DotOf(table, codes).block(query, {nullptr, 64, 64}, {0, 0}, &out);
      DotOf(table, codes).list(query, {nullptr, 64, 64}, {nullptr, 0}, &out);
      DotOf(table, codes).prefetch({nullptr, 64, 64}, {nullptr, 0});
      DotOf(table, codes).many({nullptr, 0}, {nullptr, 64, 64}, {0, 0}, &out);
    }
    EXPECT_EQ(out, kUntouched);
  });
}

// Each name is forced in a fresh process, where nothing has been picked yet.
void ExpectPicked(const char* forced, std::string_view floats, std::string_view codes) {
  auto exit_zero_if_picked = [&] {
    setenv("AKIDB_SIMD", forced, 1);
    std::exit(BestCodeKernels().name == codes && BestKernels().name == floats ? 0 : 1);
  };
  EXPECT_EXIT(exit_zero_if_picked(), ::testing::ExitedWithCode(0), "") << forced;
}

TEST(BestCodeKernels, AreThoseThatAreNamedDeathTest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const CodeKernels* table : AvailableCodeKernels()) {
    ExpectPicked(table->name, table->floats, table->name);
  }
}

TEST(BestCodeKernels, AreTheFastestIfOnlyFloatsAreNamedDeathTest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const Kernels* table : AvailableKernels()) {
    if (FindCodeKernels(table->name).ok()) continue;
    ExpectPicked(table->name, table->name, AvailableCodeKernels().front()->name);
  }
}

TEST(BestCodeKernels, GoWithFloatKernelsThatExist) {
  for (const CodeKernels* table : AvailableCodeKernels()) {
    EXPECT_TRUE(FindKernels(table->floats).ok()) << table->name;
  }
}

}  // namespace
}  // namespace akidb::simd
