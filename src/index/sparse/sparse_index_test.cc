#include "index/sparse/sparse_index.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "index/sparse/sparse_index_builder.h"

namespace akidb::index {
namespace {

using Vector = std::map<uint32_t, float>;

std::vector<float> RowsOf(const Vector& vector) {
  std::vector<float> rows;
  for (const auto& [index, value] : vector) {
    rows.push_back(std::bit_cast<float>(index));
    rows.push_back(value);
  }
  return rows;
}

std::vector<std::byte> Build(const std::vector<Vector>& vectors) {
  SparseIndexBuilder builder;
  for (const Vector& vector : vectors) builder.Count(SparseEntries(RowsOf(vector)));
  const uint64_t expected = builder.bytes();
  builder.BeginLists();
  for (const Vector& vector : vectors) builder.Add(SparseEntries(RowsOf(vector)));
  std::vector<std::byte> bytes = std::move(builder).Finish();
  EXPECT_EQ(bytes.size(), expected);
  return bytes;
}

TEST(SparseIndex, HoldsEveryPostingInOrderAndBoundsThem) {
  std::mt19937_64 generator(7);
  std::vector<Vector> vectors(1000);
  std::map<uint32_t, std::map<uint32_t, float>> expected;
  for (uint32_t number = 0; number < vectors.size(); ++number) {
    for (int i = 0; i < 8; ++i) {
      // Some indices are everywhere, some hardly anywhere, some as large as they may be.
      const uint32_t index = generator() % 3 == 0 ? generator() % 4 : ~uint32_t(generator() % 900);
      const float value = static_cast<float>(generator() % 2000) / 100 - 10;
      vectors[number][index] = value;
      expected[index][number] = value;
    }
  }
  const std::vector<std::byte> bytes = Build(vectors);
  Result<SparseIndex> index = SparseIndex::Open(bytes, 1000);
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  EXPECT_TRUE(index->Find(5).numbers.empty());
  for (const auto& [term, postings] : expected) {
    const PostingList list = index->Find(term);
    ASSERT_EQ(list.numbers.size(), postings.size());
    ASSERT_EQ(list.blocks.size(), (postings.size() + kPostingBlock - 1) / kPostingBlock);
    size_t i = 0;
    for (const auto& [number, value] : postings) {
      ASSERT_EQ(list.numbers[i], number);
      ASSERT_EQ(list.values[i], value);
      const PostingBounds& bounds = list.blocks[i / kPostingBlock];
      ASSERT_LE(bounds.least, value);
      ASSERT_GE(bounds.greatest, value);
      ASSERT_GE(bounds.last_number, number);
      ++i;
    }
    ASSERT_EQ(list.blocks.back().last_number, postings.rbegin()->first);
  }
}

TEST(SparseIndex, KnowsVectorsWithoutComponents) {
  const std::vector<std::byte> bytes = Build({{}, {{3, 1.5f}}, {}});
  Result<SparseIndex> index = SparseIndex::Open(bytes, 3);
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  EXPECT_EQ(index->vectors(), 3u);
  ASSERT_EQ(index->Find(3).numbers.size(), 1u);
  EXPECT_EQ(index->Find(3).numbers[0], 1u);
  const std::vector<std::byte> empty = Build({{}, {}});
  ASSERT_TRUE(SparseIndex::Open(empty, 2).ok());
  EXPECT_TRUE(SparseIndex::Open(empty, 2)->Find(0).numbers.empty());
}

TEST(SparseIndex, RefusesWhatIsDamaged) {
  std::vector<Vector> vectors(300);
  for (uint32_t i = 0; i < vectors.size(); ++i) vectors[i] = {{i % 5, 1.0f}, {77, 2.0f}};
  const std::vector<std::byte> good = Build(vectors);
  ASSERT_TRUE(SparseIndex::Open(good, 300).ok());
  EXPECT_EQ(SparseIndex::Open(good, 299).status().code(), ErrorCode::kCorruption);
  for (size_t size = 0; size < good.size(); size += 5) {
    const std::vector<std::byte> cut(good.begin(), good.begin() + static_cast<ptrdiff_t>(size));
    ASSERT_EQ(SparseIndex::Open(cut, 300).status().code(), ErrorCode::kCorruption) << size;
  }
  std::vector<std::byte> newer = good;
  newer[0] = std::byte{2};
  EXPECT_EQ(SparseIndex::Open(newer, 300).status().code(), ErrorCode::kUnsupported);
  for (size_t at = 4; at < 24; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> flipped = good;
      flipped[at] ^= static_cast<std::byte>(1 << bit);
      ASSERT_EQ(SparseIndex::Open(flipped, 300).status().code(), ErrorCode::kCorruption) << at;
    }
  }
  // Where the second list begins, and where its blocks do: 6 lists.
  for (size_t at : {size_t{32 + 8 + 1}, size_t{32 + 7 * 8 + 4}, size_t{32 + 7 * 8 + 7 * 4 + 2}}) {
    std::vector<std::byte> flipped = good;
    flipped[at] ^= std::byte{0xFF};
    ASSERT_EQ(SparseIndex::Open(flipped, 300).status().code(), ErrorCode::kCorruption) << at;
  }
}

}  // namespace
}  // namespace akidb::index
