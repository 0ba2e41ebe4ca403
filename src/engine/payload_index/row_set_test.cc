#include "engine/payload_index/row_set.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "engine/payload_index/row_set_fixture.h"
#include "engine/payload_index/stored_rows.h"

namespace akidb::engine {
namespace {

using Reference = std::set<uint32_t>;

Reference RandomRows(std::mt19937_64& random, uint32_t universe) {
  Reference rows;
  if (universe == 0) return rows;
  // From none to most, so that both forms and their borders are met.
  const uint64_t wanted = random() % 3 == 0 ? random() % 8 : random() % universe;
  for (uint64_t i = 0; i < wanted; ++i) rows.insert(static_cast<uint32_t>(random() % universe));
  return rows;
}

RowSet MakeSet(std::mt19937_64& random, uint32_t universe, const Reference& rows) {
  if (random() % 2 == 0) {
    RowCollector collector(universe, rows.size());
    std::vector<uint32_t> shuffled(rows.begin(), rows.end());
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    for (uint32_t row : shuffled) collector.Add(row);
    if (!shuffled.empty()) collector.Add(shuffled.front());
    return collector.Finish();
  }
  RowSet set = RowSet::FromAscending(universe, {rows.begin(), rows.end()});
  if (random() % 2 == 0) set.Words();
  return set;
}

Reference Everything(uint32_t universe) {
  Reference rows;
  for (uint32_t row = 0; row < universe; ++row) rows.insert(rows.end(), row);
  return rows;
}

constexpr uint32_t kUniverses[] = {0, 1, 31, 32, 33, 63, 64, 65, 200, 5000, 70000};

TEST(RowSet, AgreesWithOrderedSetsOnRandomOperations) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 300; ++i) {
    const uint32_t universe = kUniverses[static_cast<size_t>(i) % std::size(kUniverses)];
    const Reference a = RandomRows(random, universe);
    const Reference b = RandomRows(random, universe);
    RowSet set = MakeSet(random, universe, a);
    const RowSet other = MakeSet(random, universe, b);
    Reference expected;
    auto into = std::inserter(expected, expected.end());
    switch (random() % 4) {
      case 0:
        set.Unite(other);
        std::set_union(a.begin(), a.end(), b.begin(), b.end(), into);
        break;
      case 1:
        set.Intersect(other);
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), into);
        break;
      case 2:
        set.Subtract(other);
        std::set_difference(a.begin(), a.end(), b.begin(), b.end(), into);
        break;
      default:
        set.Invert();
        const Reference all = Everything(universe);
        std::set_difference(all.begin(), all.end(), a.begin(), a.end(), into);
    }
    ASSERT_EQ(RowsIn(set), std::vector<uint32_t>(expected.begin(), expected.end())) << "case " << i;
    ASSERT_EQ(set.count(), expected.size());
    ASSERT_EQ(set.empty(), expected.empty());
    ASSERT_TRUE(set == MakeSet(random, universe, expected));
    ASSERT_EQ(set == other, expected == b);
    for (int j = 0; j < 20; ++j) {
      const auto row = static_cast<uint32_t>(random() % (universe + 3));
      ASSERT_EQ(set.Contains(row), expected.count(row) == 1) << row;
    }
  }
}

TEST(RowCounter, KnowsWhichRowsWereAddedOftenEnough) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100; ++i) {
    const uint32_t universe = kUniverses[random() % 10];
    RowCounter counter(universe);
    std::map<uint32_t, uint64_t> counts;
    const uint64_t sets = random() % 20;
    for (uint64_t j = 0; j < sets; ++j) {
      const Reference rows = RandomRows(random, universe);
      counter.Add(MakeSet(random, universe, rows));
      for (uint32_t row : rows) ++counts[row];
    }
    for (uint64_t count = 0; count <= sets + 2; ++count) {
      std::vector<uint32_t> expected;
      for (uint32_t row = 0; row < universe; ++row) {
        if (counts[row] >= count) expected.push_back(row);
      }
      ASSERT_EQ(RowsIn(counter.AtLeast(count)), expected) << count << " of " << sets;
    }
    EXPECT_TRUE(counter.AtLeast(uint64_t{1} << 60).empty());
  }
}

TEST(StoredRows, ComeBackAsTheyWereInTheShorterForm) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 300; ++i) {
    const uint32_t universe = kUniverses[static_cast<size_t>(i) % std::size(kUniverses)];
    const Reference rows = RandomRows(random, universe);
    std::vector<std::byte> bytes;
    const std::vector<uint32_t> list(rows.begin(), rows.end());
    const uint32_t units = AppendStoredRows(universe, list, bytes);
    ASSERT_EQ(bytes.size(), size_t{units} * 4);
    ASSERT_LE(units, std::max<size_t>(std::min<size_t>(rows.size(), universe / 32 + 2), 0));
    Result<StoredRows> stored = StoredRows::Open(universe, Uint32View(bytes));
    ASSERT_TRUE(stored.ok()) << stored.status().ToString();
    EXPECT_EQ(stored->count(), rows.size());
    RowCollector collected(universe, stored->count());
    stored->AddTo(collected);
    EXPECT_EQ(RowsIn(collected.Finish()), list);

    const Reference other = RandomRows(random, universe);
    const std::vector<uint32_t> candidates(other.begin(), other.end());
    std::vector<uint32_t> common;
    stored->ForEachCommon(Uint32View(std::as_bytes(std::span(candidates))),
                          [&](size_t at) { common.push_back(candidates[at]); });
    std::vector<uint32_t> expected;
    std::set_intersection(rows.begin(), rows.end(), other.begin(), other.end(),
                          std::back_inserter(expected));
    ASSERT_EQ(common, expected) << "case " << i;
  }
}

TEST(StoredRows, RefusesWhatIsNoSetOfRows) {
  auto open = [](uint32_t universe, std::vector<uint32_t> units) {
    return StoredRows::Open(universe, Uint32View(std::as_bytes(std::span(units)))).status().code();
  };
  EXPECT_EQ(open(100, {3, 7}), ErrorCode::kOk);
  EXPECT_EQ(open(100, {7, 3}), ErrorCode::kCorruption);
  EXPECT_EQ(open(100, {7, 7}), ErrorCode::kCorruption);
  EXPECT_EQ(open(100, {3, 100}), ErrorCode::kCorruption);
  EXPECT_EQ(open(100, {1, 0, 0, 0, 8}), ErrorCode::kOk);
  EXPECT_EQ(open(100, {2, 0, 0, 0, 8}), ErrorCode::kCorruption);
  EXPECT_EQ(open(100, {1, 0, 0, 0, 16}), ErrorCode::kCorruption);
  EXPECT_EQ(open(100, {1, 0, 0, 0, 8, 0}), ErrorCode::kCorruption);
  EXPECT_EQ(open(0, {1}), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace akidb::engine
