// What a plan does with conditions beside one index. That its answers are the evaluator's is tested
// in engine/filter_plan_reference_test.cc.
#include "engine/payload_index/filter_plan.h"

#include <gtest/gtest.h>

#include "engine/payload_index/payload_index_fixture.h"

namespace akidb::engine {
namespace {

using Rows = std::vector<uint32_t>;
using Verdict = PlannedRows::Verdict;

std::vector<Payload> Books() {
  return TestPayloads({
      R"({"genre": "novel", "year": 1920, "pages": 100})",
      R"({"genre": "novel", "year": 1980, "pages": 200})",
      R"({"genre": "essay", "year": 1980, "pages": 300})",
      R"({"genre": ["essay", "novel"], "year": 2000, "pages": 400})",
      R"({"year": 2010, "pages": 500})",
  });
}

class FilterPlanTest : public testing::Test {
 protected:
  static Condition Genre(const char* genre) {
    return FieldCondition{TestPath("genre"), MatchValue{genre}};
  }
  static Condition YearFrom(double year) {
    return FieldCondition{TestPath("year"), TestRange(">=", year)};
  }
  static Condition PagesFrom(double pages) {  // has no index
    return FieldCondition{TestPath("pages"), TestRange(">=", pages)};
  }

  const TestSection section_{
      Books(), {{"genre", PayloadIndexKind::kKeyword}, {"year", PayloadIndexKind::kInteger}}};
  FilterScope scope_{section_.section()};
};

TEST_F(FilterPlanTest, AnEmptyFilterHasAllRows) {
  const Filter filter;
  const PlannedRows rows = FilterPlan(filter, scope_).Rows();
  EXPECT_TRUE(rows.exact());
  EXPECT_EQ(RowsIn(rows.possible()), (Rows{0, 1, 2, 3, 4}));
  EXPECT_EQ(FilterPlan(filter, scope_).Estimate().least, 5u);
}

TEST_F(FilterPlanTest, IndexedConditionsAreExactInAnyNesting) {
  Filter inner;
  inner.should = {Genre("essay"), YearFrom(2005)};
  inner.must_not = {IsNullCondition{TestPath("genre")}};
  Filter filter;
  filter.must = {std::make_shared<const Filter>(inner), YearFrom(1970)};
  filter.min_should = {Genre("novel"), YearFrom(2000), IsEmptyCondition{TestPath("genre")}};
  filter.min_should_count = 2;
  const PlannedRows rows = FilterPlan(filter, scope_).Rows();
  EXPECT_TRUE(rows.exact());
  EXPECT_EQ(rows.residual(), nullptr);
  EXPECT_EQ(RowsIn(rows.possible()), (Rows{3, 4}));
}

TEST_F(FilterPlanTest, ConditionsWithoutIndexStayInTheResidualFilter) {
  Filter filter;
  filter.must = {PagesFrom(250), Genre("novel")};
  filter.must_not = {YearFrom(1990)};
  const PlannedRows rows = FilterPlan(filter, scope_).Rows();
  EXPECT_FALSE(rows.exact());
  EXPECT_EQ(RowsIn(rows.possible()), (Rows{0, 1}));
  EXPECT_TRUE(rows.certain().empty());
  ASSERT_NE(rows.residual(), nullptr);
  EXPECT_EQ(rows.residual()->must.size(), 1u);
  EXPECT_TRUE(rows.residual()->must_not.empty());
  EXPECT_EQ(rows.Decide(0), Verdict::kEvaluate);
  EXPECT_EQ(rows.Decide(2), Verdict::kNo);
  EXPECT_EQ(rows.Decide(99), Verdict::kNo);
}

TEST_F(FilterPlanTest, AnIndexedAlternativeSettlesItsRows) {
  Filter filter;
  filter.should = {Genre("essay"), PagesFrom(450)};
  const PlannedRows rows = FilterPlan(filter, scope_).Rows();
  EXPECT_EQ(RowsIn(rows.certain()), (Rows{2, 3}));
  EXPECT_EQ(rows.possible().count(), 5u);
  EXPECT_EQ(rows.Decide(3), Verdict::kYes);
  EXPECT_EQ(rows.Decide(4), Verdict::kEvaluate);
}

TEST_F(FilterPlanTest, NoPossibleRowNeedsNoEvaluation) {
  Filter filter;
  filter.must = {PagesFrom(0), Genre("poem")};
  const PlannedRows rows = FilterPlan(filter, scope_).Rows();
  EXPECT_TRUE(rows.exact());
  EXPECT_TRUE(rows.possible().empty());
}

class OwnerLookup final : public RowLookup {
 public:
  std::optional<uint32_t> RowOf(PointId id) const override {
    if (id.number() == 1000) return 1;
    if (id.number() == 9999) return 9999;  // of no row of this segment
    return std::nullopt;
  }
  std::optional<RowSet> RowsWithVector(std::string_view name) const override {
    if (name != "image") return std::nullopt;
    return RowSet::FromAscending(5, {0, 1});
  }
};

TEST_F(FilterPlanTest, TheOwnerResolvesIdsAndVectors) {
  Filter filter;
  filter.must = {HasIdCondition({PointId(1000), PointId(7), PointId(9999)})};
  EXPECT_FALSE(FilterPlan(filter, scope_).Rows().exact());
  EXPECT_LE(FilterPlan(filter, scope_).Estimate().most, 3u);
  const OwnerLookup lookup;
  scope_.lookup = &lookup;
  EXPECT_EQ(RowsIn(FilterPlan(filter, scope_).Rows().certain()), (Rows{1}));
  filter.must = {HasVectorCondition{"image"}};
  EXPECT_EQ(RowsIn(FilterPlan(filter, scope_).Rows().certain()), (Rows{0, 1}));
  filter.must = {HasVectorCondition{"text"}};
  EXPECT_FALSE(FilterPlan(filter, scope_).Rows().exact());
}

TEST_F(FilterPlanTest, ChangedRowsAreAlwaysPossibleAndEvaluatedWhole) {
  const RowSet changed = RowSet::FromAscending(5, {1, 4});
  scope_.changed = &changed;
  Filter filter;
  filter.must = {Genre("novel")};
  const PlannedRows rows = FilterPlan(filter, scope_).Rows();
  EXPECT_EQ(RowsIn(rows.certain()), (Rows{0, 3}));
  EXPECT_EQ(RowsIn(rows.possible()), (Rows{0, 1, 3, 4}));
  EXPECT_EQ(rows.residual()->must.size(), 1u);
  const RowEstimate estimate = FilterPlan(filter, scope_).Estimate();
  EXPECT_LE(estimate.least, 2u);
  EXPECT_GE(estimate.most, 4u);
  filter.must = {};
  filter.must_not = {Genre("novel")};
  EXPECT_EQ(RowsIn(FilterPlan(filter, scope_).Rows().possible()), (Rows{1, 2, 4}));
}

TEST_F(FilterPlanTest, TwoIndexesOfAPathKnowMoreThanOne) {
  const std::vector<Payload> payloads = TestPayloads({R"({"k": "a"})", R"({"k": 5})"});
  Filter filter;
  filter.must = {FieldCondition{TestPath("k"), MatchAny{{"a", int64_t{5}}}}};
  const TestSection one(payloads, {{"k", PayloadIndexKind::kKeyword}});
  EXPECT_EQ(RowsIn(FilterPlan(filter, FilterScope{one.section()}).Rows().certain()), (Rows{0}));
  const TestSection two(payloads,
                        {{"k", PayloadIndexKind::kKeyword}, {"k", PayloadIndexKind::kInteger}});
  EXPECT_TRUE(FilterPlan(filter, FilterScope{two.section()}).Rows().exact());
}

TEST_F(FilterPlanTest, FiltersTooDeepAreLeftToTheEvaluation) {
  auto nested = std::make_shared<Filter>();
  nested->must = {Genre("novel")};
  for (int i = 0; i < 10'000; ++i) {
    auto outer = std::make_shared<Filter>();
    outer->must = {std::shared_ptr<const Filter>(nested)};
    nested = outer;
  }
  const PlannedRows rows = FilterPlan(*nested, scope_).Rows();
  EXPECT_FALSE(rows.exact());
  EXPECT_EQ(rows.possible().count(), 5u);
  EXPECT_EQ(FilterPlan(*nested, scope_).Estimate().most, 5u);
  // Let go from the outside in, or the destructors would nest as deep.
  while (!nested->must.empty()) {
    auto inner = std::get_if<std::shared_ptr<const Filter>>(&nested->must[0]);
    if (inner == nullptr) break;
    nested = std::const_pointer_cast<Filter>(*inner);
  }
}

TEST_F(FilterPlanTest, EstimatesWithoutFinding) {
  Filter filter;
  filter.must = {Genre("novel")};
  EXPECT_EQ(FilterPlan(filter, scope_).Estimate().least, 3u);
  EXPECT_EQ(FilterPlan(filter, scope_).Estimate().most, 3u);
  filter.must = {YearFrom(1980)};
  EXPECT_TRUE(FilterPlan(filter, scope_).Estimate().exact());
  filter.must = {YearFrom(1980), PagesFrom(1)};
  const RowEstimate estimate = FilterPlan(filter, scope_).Estimate();
  EXPECT_EQ(estimate.least, 0u);
  EXPECT_EQ(estimate.most, 4u);
  EXPECT_DOUBLE_EQ(estimate.expected, 2);
}

}  // namespace
}  // namespace akidb::engine
