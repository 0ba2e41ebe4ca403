#include "engine/payload_index/row_bounds.h"

#include <random>

#include <gtest/gtest.h>

#include "engine/payload_index/row_set_fixture.h"

namespace akidb::engine {
namespace {

// A set of rows and what an index might know about it.
struct Known {
  RowSet truth;
  RowBounds bounds;
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  RowSet Rows(uint32_t universe, uint32_t one_of) {
    RowCollector rows(universe, universe);
    for (uint32_t row = 0; row < universe; ++row) {
      if (Pick(one_of) == 0) rows.Add(row);
    }
    return rows.Finish();
  }

  RowBounds BoundsAround(const RowSet& truth) {
    if (Pick(3) == 0) return RowBounds::Exact(truth);
    RowSet certain = truth;
    certain.Subtract(Rows(truth.universe(), 3));
    RowSet possible = truth;
    possible.Unite(Rows(truth.universe(), 3));
    return RowBounds::Between(std::move(certain), std::move(possible));
  }

  Known Make(uint32_t universe) {
    RowSet truth = Rows(universe, 2);
    RowBounds bounds = BoundsAround(truth);
    return {std::move(truth), std::move(bounds)};
  }

 private:
  std::mt19937_64 random_;
};

bool Within(const RowSet& part, const RowSet& whole) {
  RowSet rest = part;
  rest.Subtract(whole);
  return rest.empty();
}

void ExpectTrue(const RowBounds& bounds, const RowSet& truth) {
  EXPECT_TRUE(Within(bounds.certain(), truth));
  EXPECT_TRUE(Within(truth, bounds.possible()));
  EXPECT_EQ(bounds.exact(), bounds.certain() == bounds.possible());
}

TEST(RowBounds, StayTrueThroughEveryOperation) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  Generator generator(seed);
  for (int i = 0; i < 1000; ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    const uint32_t universe = 1 + generator.Pick(150);
    Known a = generator.Make(universe);
    const Known b = generator.Make(universe);
    switch (generator.Pick(5)) {
      case 0:
        a.bounds.And(b.bounds);
        a.truth.Intersect(b.truth);
        break;
      case 1:
        a.bounds.Or(b.bounds);
        a.truth.Unite(b.truth);
        break;
      case 2:
        a.bounds.Not();
        a.truth.Invert();
        break;
      case 3:
        a.bounds.Narrow(generator.BoundsAround(a.truth));
        break;
      default: {
        // What is forgotten may have become anything.
        const RowSet changed = generator.Rows(universe, 4);
        a.bounds.Forget(changed);
        RowSet other = b.truth;
        other.Intersect(changed);
        a.truth.Subtract(changed);
        a.truth.Unite(other);
      }
    }
    ExpectTrue(a.bounds, a.truth);
  }
}

TEST(RowBounds, AreExactForExactConditionsAndCountThem) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  Generator generator(seed);
  for (int i = 0; i < 300; ++i) {
    const uint32_t universe = 1 + generator.Pick(150);
    std::vector<RowBounds> conditions;
    std::vector<RowBounds> exact;
    RowCounter counter(universe);
    for (uint32_t j = generator.Pick(6); j > 0; --j) {
      Known known = generator.Make(universe);
      counter.Add(known.truth);
      conditions.push_back(known.bounds);
      exact.push_back(RowBounds::Exact(known.truth));
    }
    const uint64_t count = generator.Pick(5);
    ExpectTrue(AtLeast(count, conditions, universe), counter.AtLeast(count));
    EXPECT_TRUE(AtLeast(count, exact, universe).exact());
    EXPECT_TRUE(AtLeast(count, exact, universe).possible() == counter.AtLeast(count));
  }
}

TEST(RowBounds, OneExactSideOfAnOrCanSettleRows) {
  RowBounds bounds = RowBounds::Exact(RowSet::FromAscending(4, {1, 2}));
  bounds.Or(RowBounds::Unknown(4));
  EXPECT_EQ(RowsIn(bounds.certain()), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(RowsIn(bounds.possible()), (std::vector<uint32_t>{0, 1, 2, 3}));
  bounds.And(RowBounds::Exact(RowSet::FromAscending(4, {2})));
  EXPECT_TRUE(bounds.exact());
  EXPECT_EQ(RowsIn(bounds.possible()), (std::vector<uint32_t>{2}));
}

}  // namespace
}  // namespace akidb::engine
