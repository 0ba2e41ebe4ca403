#include "index/codes/code_section.h"

#include <cstring>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace akidb::index {
namespace {

constexpr uint32_t kDim = 70;
constexpr uint32_t kRows = 5;

std::vector<float> RowOf(uint32_t i) {
  std::vector<float> row(kDim);
  for (uint32_t d = 0; d < kDim; ++d) row[d] = static_cast<float>((i * 31 + d * 17) % 23) - 11;
  return row;
}

std::vector<std::byte> Written(CodeKind kind) {
  const CodeSpace space(kind, 77, std::vector<float>(kDim, 0.5f));
  CodeSectionWriter writer(space, kRows);
  for (uint32_t i = 0; i < kRows; ++i) writer.Add(RowOf(i));
  return writer.Take();
}

TEST(CodeSection, WhatWasWrittenIsRead) {
  for (CodeKind kind : {CodeKind::kU4, CodeKind::kU7, CodeKind::kU1}) {
    const std::vector<std::byte> bytes = Written(kind);
    Result<CodeSection> section = OpenCodeSection(bytes, kDim, kRows);
    ASSERT_TRUE(section.ok()) << section.status().ToString();
    EXPECT_EQ(section->space->kind(), kind);
    EXPECT_EQ(section->space->rotation_seed(), 77u);
    const CodeSpace space(kind, 77, std::vector<float>(kDim, 0.5f));
    std::vector<std::byte> row(space.row_bytes());
    for (uint32_t i = 0; i < kRows; ++i) {
      space.Encode(RowOf(i), row.data());
      EXPECT_TRUE(std::equal(row.begin(), row.end(), section->rows + i * space.row_bytes()));
    }
  }
}

TEST(CodeSection, RowsTakeTheOrderOfAGraph) {
  const CodeSpace space(CodeKind::kU4, 77, std::vector<float>(kDim, 0.5f));
  CodeSectionWriter writer(space, kRows);
  for (uint32_t i = 0; i < kRows; ++i) writer.Add(RowOf(i));
  const std::vector<uint32_t> order = {3, 1, 0, 4, 2};
  writer.Reorder(order);
  const std::vector<std::byte> bytes = writer.Take();
  Result<CodeSection> section = OpenCodeSection(bytes, kDim, kRows);
  ASSERT_TRUE(section.ok()) << section.status().ToString();
  EXPECT_TRUE(section->in_graph_order);
  std::vector<std::byte> row(space.row_bytes());
  for (uint32_t i = 0; i < kRows; ++i) {
    space.Encode(RowOf(order[i]), row.data());
    EXPECT_TRUE(std::equal(row.begin(), row.end(), section->rows + i * space.row_bytes())) << i;
  }
}

TEST(CodeSection, ASectionOfOtherRowsIsRefused) {
  const std::vector<std::byte> bytes = Written(CodeKind::kU4);
  EXPECT_EQ(OpenCodeSection(bytes, kDim, kRows + 1).status().code(), ErrorCode::kCorruption);
  EXPECT_EQ(OpenCodeSection(bytes, kDim + 1, kRows).status().code(), ErrorCode::kCorruption);
  for (size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(OpenCodeSection(std::span(bytes).first(size), kDim, kRows).ok()) << size;
  }
}

TEST(CodeSection, OtherVersionsAndKindsAreNotRead) {
  for (size_t at : {0u, 2u}) {
    std::vector<std::byte> bytes = Written(CodeKind::kU4);
    bytes[at] = std::byte{9};
    EXPECT_EQ(OpenCodeSection(bytes, kDim, kRows).status().code(), ErrorCode::kUnsupported);
  }
}

TEST(CodeSection, OfAPrefixItSaysWhichAndWhatWasMeasured) {
  const std::vector<float> centre(kDim, 0.5f);
  const CodedPrefix prefix{.dim = 64, .tail_share = 0.25f, .tail_spread = 0.125f};
  const CodeSpace space(CodeKind::kU4, 77, centre, prefix);
  CodeSectionWriter writer(space, kRows);
  for (uint32_t i = 0; i < kRows; ++i) writer.Add(RowOf(i));
  const std::vector<std::byte> bytes = writer.Take();
  EXPECT_EQ(bytes[0], std::byte{2});
  Result<CodeSection> section = OpenCodeSection(bytes, kDim, kRows);
  ASSERT_TRUE(section.ok()) << section.status().ToString();
  ASSERT_TRUE(section->space->prefix());
  EXPECT_EQ(section->space->prefix()->dim, 64u);
  EXPECT_EQ(section->space->prefix()->tail_share, 0.25f);
  EXPECT_EQ(section->space->prefix()->tail_spread, 0.125f);
  EXPECT_EQ(section->space->dim(), kDim);
  std::vector<std::byte> row(space.row_bytes());
  for (uint32_t i = 0; i < kRows; ++i) {
    space.Encode(RowOf(i), row.data());
    EXPECT_TRUE(std::equal(row.begin(), row.end(), section->rows + i * space.row_bytes()));
  }
  // Whole vectors are written as before.
  EXPECT_EQ(Written(CodeKind::kU4)[0], std::byte{1});
  auto damaged = [&](size_t at, auto value) {
    std::vector<std::byte> changed = bytes;
    std::memcpy(changed.data() + at, &value, sizeof(value));
    return OpenCodeSection(changed, kDim, kRows).status().code();
  };
  for (uint32_t width : {0u, kDim, kDim + 1, ~0u}) {
    EXPECT_EQ(damaged(24, width), ErrorCode::kCorruption) << width;
  }
  for (size_t at : {28u, 32u}) {
    EXPECT_EQ(damaged(at, -1.0f), ErrorCode::kCorruption);
    EXPECT_EQ(damaged(at, std::numeric_limits<float>::quiet_NaN()), ErrorCode::kCorruption);
    EXPECT_EQ(damaged(at, std::numeric_limits<float>::infinity()), ErrorCode::kCorruption);
  }
}

// For cosine its product with any query is 0, which the length of 1 that others have leads to.
TEST(CodeSection, ARowOfZerosWithALiftIsEstimatedWhereItIs) {
  constexpr uint32_t kRowDim = 64;
  std::vector<float> centre(kRowDim, 0.01f);
  const CodeSpace space(CodeKind::kU4, 3, centre);
  const std::vector<float> zeros(kRowDim);
  CodeSectionWriter writer(space, 2);
  writer.Add(zeros, 1);
  writer.Add(zeros);
  const std::vector<std::byte> bytes = writer.Take();
  Result<CodeSection> opened = OpenCodeSection(bytes, kRowDim, 2);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  const CodeArray codes(*opened->space, opened->rows, 2);
  std::vector<float> query(kRowDim);
  query[5] = 1;
  std::vector<float> distances(2);
  codes.Distances(opened->space->Prepare(Metric::kCosine, query), 0, distances);
  EXPECT_NEAR(distances[0], 0, 0.02);
  EXPECT_NEAR(distances[1], -0.5, 0.02);
}

}  // namespace
}  // namespace akidb::index
