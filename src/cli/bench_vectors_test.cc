#include "cli/bench_vectors.h"

#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "env/simulated_file_system.h"

namespace akidb::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BenchVectorsTest : public ::testing::Test {
 protected:
  Result<VectorTable> Read(const std::string& path, std::span<const std::byte> bytes,
                           VectorFile file = {}) {
    EXPECT_TRUE(env::WriteFileAtomically(fs_, path, bytes).ok());
    file.path = path;
    return ReadVectors(fs_, file);
  }
  static std::vector<std::byte> Floats(std::initializer_list<float> values) {
    std::vector<std::byte> bytes;
    ByteWriter(bytes).Floats(std::vector<float>(values));
    return bytes;
  }
  static std::vector<std::byte> Fvecs(uint32_t second_dim) {
    std::vector<std::byte> bytes;
    ByteWriter writer(bytes);
    for (uint32_t dim : {2u, second_dim}) {
      writer.Put(dim);
      writer.Floats(std::vector<float>{1.5f, static_cast<float>(dim)});
    }
    return bytes;
  }
  static std::vector<std::byte> Npy(std::string header) {
    std::vector<std::byte> bytes;
    ByteWriter writer(bytes);
    header += '\n';
    writer.Text(std::string_view("\x93NUMPY\x01\x00", 8));
    writer.Put(static_cast<uint16_t>(header.size()));
    writer.Text(header);
    writer.Floats(std::vector<float>{1, 2, 3, 4, 5, 6});
    return bytes;
  }
  static std::string ErrorOf(const Result<VectorTable>& read) {
    return read.ok() ? "read" : std::string(read.status().message());
  }

  env::SimulatedFileSystem fs_{1};
};

TEST_F(BenchVectorsTest, RawRowsNeedTheirDimension) {
  Result<VectorTable> table = Read("/v.f32", Floats({1, 2, 3, 4, 5, 6}), {.dim = 3});
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->rows(), 2u);
  EXPECT_THAT(table->row(1), ElementsAre(4, 5, 6));
  EXPECT_THAT(ErrorOf(Read("/v.f32", Floats({1, 2}))), HasSubstr("--dim"));
  EXPECT_THAT(ErrorOf(Read("/v.f32", Floats({1, 2, 3}), {.dim = 2})), HasSubstr("whole rows"));
  EXPECT_THAT(ErrorOf(Read("/v.f32", Floats({1}), {.dim = 70000})), HasSubstr("65536"));
  EXPECT_THAT(ErrorOf(Read("/v.f32", {}, {.dim = 2})), HasSubstr("no rows"));
}

TEST_F(BenchVectorsTest, NoMoreRowsThanAskedFor) {
  Result<VectorTable> table = Read("/v.f32", Floats({1, 2, 3, 4, 5, 6}), {.dim = 2, .rows_max = 2});
  ASSERT_TRUE(table.ok());
  EXPECT_THAT(table->values, ElementsAre(1, 2, 3, 4));
}

TEST_F(BenchVectorsTest, FvecsTellTheirDimensionInEachRow) {
  Result<VectorTable> table = Read("/v.fvecs", Fvecs(2));
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->dim, 2u);
  EXPECT_THAT(table->values, ElementsAre(1.5f, 2, 1.5f, 2));
  EXPECT_THAT(ErrorOf(Read("/v.fvecs", Fvecs(3))), HasSubstr("row 1"));
  EXPECT_THAT(ErrorOf(Read("/v.fvecs", Fvecs(2), {.dim = 4})), HasSubstr("2 dimensions, not 4"));
  std::vector<std::byte> cut = Fvecs(2);
  cut.pop_back();
  EXPECT_THAT(ErrorOf(Read("/v.fvecs", cut)), HasSubstr("whole rows"));
  EXPECT_THAT(ErrorOf(Read("/v.fvecs", {})), HasSubstr("no rows"));
}

TEST_F(BenchVectorsTest, NpyIsReadByItsHeader) {
  Result<VectorTable> table =
      Read("/v.npy", Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"));
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ(table->dim, 2u);
  EXPECT_THAT(table->row(2), ElementsAre(5, 6));
  const auto error = [&](const std::string& header) {
    return ErrorOf(Read("/v.npy", Npy(header)));
  };
  EXPECT_THAT(error("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }"),
              HasSubstr("float32"));
  EXPECT_THAT(error("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }"),
              HasSubstr("Fortran"));
  EXPECT_THAT(error("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"),
              HasSubstr("(6,)"));
  EXPECT_THAT(error("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 2), }"),
              HasSubstr("(1, 3, 2)"));
  EXPECT_THAT(error("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }"),
              HasSubstr("cut off"));
  EXPECT_THAT(error(""), HasSubstr("of no type"));
  EXPECT_THAT(ErrorOf(Read("/v.npy", Floats({1, 2, 3}))), HasSubstr("begin"));
}

TEST_F(BenchVectorsTest, RowsThatAreNoNumbersAreNamed) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(ErrorOf(Read("/v.f32", Floats({1, 2, 3, kNan}), {.dim = 2})),
              HasSubstr("row 1: component 1 is NaN"));
  EXPECT_THAT(ErrorOf(Read("/v.f32", Floats({1, 2, -kInfinity, 3}), {.dim = 2})),
              HasSubstr("row 1: component 0 is infinite"));
}

TEST_F(BenchVectorsTest, OtherFilesAreRefused) {
  EXPECT_THAT(ErrorOf(Read("/v.csv", Floats({1}))), HasSubstr(".npy"));
  EXPECT_EQ(ReadVectors(fs_, {.path = "/missing.npy"}).status().code(), ErrorCode::kNotFound);
}

TEST_F(BenchVectorsTest, DrawnRowsLeaveTheTable) {
  VectorTable table;
  table.dim = 2;
  for (int i = 0; i < 50; ++i) {
    table.values.push_back(static_cast<float>(i));
    table.values.push_back(static_cast<float>(-i));
  }
  VectorTable again = table;
  VectorTable drawn = DrawRows(table, 20, 5);
  EXPECT_EQ(DrawRows(again, 20, 5).values, drawn.values);
  EXPECT_EQ(drawn.rows(), 20u);
  EXPECT_EQ(table.rows(), 30u);
  std::set<float> seen;
  for (const VectorTable* part : {&table, &drawn}) {
    for (size_t i = 0; i < part->rows(); ++i) {
      EXPECT_EQ(part->row(i)[0], -part->row(i)[1]);
      seen.insert(part->row(i)[0]);
    }
  }
  EXPECT_EQ(seen.size(), 50u);
  EXPECT_EQ(DrawRows(table, 30, 1).rows(), 30u);
  EXPECT_EQ(table.rows(), 0u);
}

}  // namespace
}  // namespace akidb::cli
