// Plans from payload indexes against the evaluation of every row: random payloads, indexes and
// filters.
#include <random>

#include <gtest/gtest.h>

#include "engine/filter_evaluator.h"
#include "engine/payload_index/filter_plan.h"
#include "engine/payload_index/payload_index_builder.h"
#include "engine/payload_index/row_set_fixture.h"
#include "types/datetime.h"

namespace akidb::engine {
namespace {

constexpr PayloadIndexKind kKinds[] = {PayloadIndexKind::kKeyword,  PayloadIndexKind::kInteger,
                                       PayloadIndexKind::kFloat,    PayloadIndexKind::kBool,
                                       PayloadIndexKind::kDatetime, PayloadIndexKind::kUuid,
                                       PayloadIndexKind::kGeo,      PayloadIndexKind::kText};
constexpr const char* kPaths[] = {"a", "b", "c", "a.b", "a[].b", "c[]", "b[0]"};
constexpr size_t kCases = 10'000;
constexpr size_t kFiltersOfASegment = 25;

PayloadPath Path(const char* text) { return std::move(PayloadPath::Parse(text)).value(); }

// A segment: row i has the id 10 * i, every third row the vector "v", some rows a payload that came
// after the indexes.
struct Segment {
  std::vector<Payload> payloads;
  std::vector<std::byte> bytes;
  std::optional<RowSet> changed;
};

class Row final : public FilterSubject {
 public:
  Row(const Segment& segment, uint32_t row) : segment_(segment), row_(row) {}
  std::optional<PointId> id() override { return PointId(row_ * 10); }
  PayloadValue payload() override { return segment_.payloads[row_].root(); }
  bool HasVector(std::string_view name) override { return name == "v" && row_ % 3 == 0; }

 private:
  const Segment& segment_;
  const uint32_t row_;
};

class Owner final : public RowLookup {
 public:
  explicit Owner(uint32_t rows) : rows_(rows) {}
  std::optional<uint32_t> RowOf(PointId id) const override {
    if (id.number() % 10 != 0 || id.number() / 10 >= rows_) return std::nullopt;
    return static_cast<uint32_t>(id.number() / 10);
  }
  std::optional<RowSet> RowsWithVector(std::string_view name) const override {
    std::vector<uint32_t> having;
    for (uint32_t row = 0; name == "v" && row < rows_; row += 3) having.push_back(row);
    return RowSet::FromAscending(rows_, std::move(having));
  }

 private:
  const uint32_t rows_;
};

std::shared_ptr<const TextAnalyzer> Analyzer(TextOptions options) {
  return std::make_shared<const TextAnalyzer>(TextAnalyzer::Create(std::move(options)).value());
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint32_t Pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool Chance(uint32_t of) { return Pick(of) == 0; }

  // Few distinct values of every kind, so that all conditions hold for some rows.
  void Value(PayloadBuilder& out, int depth) {
    switch (Pick(depth > 0 ? 23 : 14)) {
      case 16:
      case 11:
        return out.String(Moment());
      case 17:
      case 12:
        return Place(out);
      case 18:
      case 13:
        return out.String(Id());
      case 0:
        return out.Null();
      case 1:
        return out.Bool(Chance(2));
      case 2:
        return out.Double(Pick(12) / 2.0);
      case 3:
        return Chance(4) ? out.Uint(uint64_t{1} << 63) : out.String(Long());
      case 4:
      case 5:
      case 6:
        return out.Int(Integer());
      case 7:
      case 8:
      case 9:
      case 10:
        return out.String(Text());
      case 14:
        return Object(out, depth - 1);
      default:
        out.BeginArray();
        for (uint32_t i = Pick(4); i > 0; --i) Value(out, depth - 1);
        return out.EndArray();
    }
  }

  void Object(PayloadBuilder& out, int depth) {
    out.BeginObject();
    for (const char* key : {"a", "b", "c"}) {
      if (Chance(4)) continue;
      out.Key(key);
      Value(out, depth);
    }
    out.EndObject();
  }

  Segment MakeSegment() {
    Segment segment;
    // Now and then enough rows that some sets of them are lists.
    const uint32_t rows = Chance(10) ? 1200 + Pick(2000) : 1 + Pick(120);
    std::vector<PayloadIndexBuilder> builders;
    for (const char* path : kPaths) {
      for (auto kind : kKinds) {
        if (!Chance(4)) continue;
        PayloadIndexSpec spec{Path(path), kind};
        if (kind == PayloadIndexKind::kText) {
          spec.analyzer = analyzers_[Pick(2)];
          spec.sequences = Chance(2);
        }
        builders.emplace_back(std::move(spec), size_t{1} << 30);
      }
    }
    for (uint32_t row = 0; row < rows; ++row) {
      segment.payloads.push_back(Document());
      for (PayloadIndexBuilder& builder : builders) {
        EXPECT_TRUE(builder.AddRow(segment.payloads.back().root()).ok());
      }
    }
    std::vector<std::vector<std::byte>> indexes;
    for (PayloadIndexBuilder& builder : builders) indexes.push_back(std::move(builder).Finish());
    segment.bytes = WritePayloadIndexes(rows, indexes);
    if (Chance(4)) Change(segment);
    return segment;
  }

  Condition MakeCondition(int depth) {
    switch (Pick(depth > 0 ? 22 : 18)) {
      case 20:
      case 21:
        return FieldCondition{Path(Key()), Texts()};
      case 12:
        return FieldCondition{Path(Key()), Moments()};
      case 13:
      case 14:
        return FieldCondition{Path(Key()), Region()};
      case 15:
        return FieldCondition{Path(Key()), Texts()};
      case 16:
        return ValuesCountCondition{Path(Key()), {.gte = Pick(4)}};
      case 17:
        return SliceCondition{3, Pick(3)};
      case 0:
      case 1:
        return FieldCondition{Path(Key()), MatchAny{Scalars()}};
      case 2:
      case 3:
        return FieldCondition{Path(Key()), MatchExcept{Scalars()}};
      case 4:
      case 5:
        return FieldCondition{Path(Key()), Range()};
      case 6:
        return IsEmptyCondition{Path(Key())};
      case 7:
        return IsNullCondition{Path(Key())};
      case 8:
        return HasIdCondition({PointId(Pick(200) * 5), PointId(Pick(200) * 10)});
      case 9:
        return HasVectorCondition{Chance(3) ? "w" : "v"};
      case 10:
      case 11:
        return FieldCondition{Path(Key()), MatchValue{Scalar()}};
      case 18:
        return NestedCondition{Path(Key()), std::make_shared<const Filter>(MakeFilter(depth - 1))};
      default:
        return std::make_shared<const Filter>(MakeFilter(depth - 1));
    }
  }

  Filter MakeFilter(int depth) {
    Filter filter;
    for (auto* clause : {&filter.must, &filter.should, &filter.must_not, &filter.min_should}) {
      if (Chance(2)) continue;
      for (uint32_t i = 1 + Pick(2); i > 0; --i) clause->push_back(MakeCondition(depth));
    }
    if (!filter.min_should.empty()) filter.min_should_count = Pick(4);
    return filter;
  }

 private:
  Payload Document() {
    PayloadBuilder builder;
    Object(builder, 3);
    return builder.Finish();
  }

  void Change(Segment& segment) {
    std::vector<uint32_t> changed;
    for (uint32_t row = 0; row < segment.payloads.size(); ++row) {
      if (!Chance(6)) continue;
      changed.push_back(row);
      segment.payloads[row] = Document();
    }
    segment.changed =
        RowSet::FromAscending(static_cast<uint32_t>(segment.payloads.size()), std::move(changed));
  }

  std::string Text() { return std::string(1, static_cast<char>('u' + Pick(6))); }
  std::string Long() { return std::string(kKeywordBytesMax + Pick(3), 'l'); }
  // The same moment in two spellings, and what is none.
  std::string Moment() {
    const std::string day = std::to_string(1 + Pick(4));
    return Chance(5) ? "2024-02-3" + day : "2024-01-0" + day + (Chance(2) ? "" : "T00:00:00Z");
  }
  std::string Id() {
    const std::string id = "936da01f-9abd-4d9d-80c7-02af85c822a" + std::to_string(Pick(3));
    return Chance(3) ? Uuid::Parse(id)->ToString().substr(0, 30) : id;
  }
  void Place(PayloadBuilder& out) {
    const GeoPoint place = Point();
    out.BeginObject();
    out.Key("lat");
    out.Double(Chance(20) ? 200 : place.lat);
    if (!Chance(10)) out.Key("lon"), out.Double(place.lon);
    out.EndObject();
  }
  GeoPoint Point() {
    return {static_cast<double>(Pick(7)) * 30 - 90, static_cast<double>(Pick(13)) * 30 - 180};
  }
  DatetimeRange Moments() {
    DatetimeRange range;
    if (Chance(2)) range.gte = ParseDatetime("2024-01-0" + std::to_string(1 + Pick(4)));
    if (Chance(2)) range.lt = ParseDatetime("2024-01-0" + std::to_string(1 + Pick(4)));
    return range;
  }
  FieldPredicate Region() {
    const GeoPoint a = Point();
    const GeoPoint b = Point();
    switch (Pick(3)) {
      case 0:
        return GeoBox{a, b};
      case 1:
        return GeoCircle{a, Pick(4) * 4e6};
      default:
        return GeoPolygon{{a, b, Point(), a}, {}};
    }
  }
  FieldPredicate Texts() {
    if (!Chance(3)) return Tokens();
    if (Chance(2)) return MatchPrefix{Chance(2) ? Text() : "20"};
    return MatchSubstring{Chance(2) ? Text() : "01"};
  }
  MatchText Tokens() {
    MatchText match{static_cast<MatchText::Mode>(Pick(3)), {}};
    for (uint32_t i = Pick(4); i > 0; --i) {
      match.words.push_back(Chance(2) ? Text() : Chance(5) ? Long() : Chance(2) ? "2024" : "01");
    }
    match.analyzer = Chance(4) ? nullptr : analyzers_[Pick(2)];
    return match;
  }
  int64_t Integer() { return Chance(20) ? (int64_t{1} << 53) + Pick(3) : int64_t{Pick(6)} - 1; }
  const char* Key() { return Chance(12) ? "none" : kPaths[Pick(std::size(kPaths))]; }

  MatchScalar Scalar() {
    switch (Pick(8)) {
      case 0:
        return Chance(2);
      case 1:
        return Chance(3) ? Long() : Chance(2) ? Moment() : Id();
      case 2:
      case 3:
      case 4:
        return Integer();
      default:
        return Text();
    }
  }

  // Mostly of one type, as clients write them.
  std::vector<MatchScalar> Scalars() {
    std::vector<MatchScalar> scalars;
    const uint32_t type = Pick(3);
    for (uint32_t i = Pick(4); i > 0; --i) {
      scalars.push_back(type == 0 ? Scalar()
                                  : (type == 1 ? MatchScalar(Text()) : MatchScalar(Integer())));
    }
    return scalars;
  }

  NumericRange Range() {
    NumericRange range;
    auto bound = [&] { return Chance(10) ? 0x1p53 + Pick(3) : Pick(14) / 2.0 - 1; };
    if (Chance(2)) range.lt = bound();
    if (Chance(2)) range.gte = bound();
    if (Chance(4)) range.lte = bound();
    if (Chance(4)) range.gt = bound();
    return range;
  }

  std::mt19937_64 random_;
  const std::shared_ptr<const TextAnalyzer> analyzers_[2] = {
      Analyzer({}), Analyzer({.tokenizer = TextTokenizer::kWhitespace, .stop_words = {"u"}})};
};

struct Tally {
  size_t exact = 0;      // answers that left nothing to evaluate
  size_t evaluated = 0;  // rows that were left to evaluate
  size_t settled = 0;    // rows that were not, in answers that left some
  size_t matched = 0;
  size_t narrow = 0;  // estimates that were exact
};

void Compare(const Filter& filter, const Segment& segment, const FilterScope& scope, Tally& tally) {
  const FilterPlan plan(filter, scope);
  const PlannedRows planned = plan.Rows();
  ASSERT_EQ(planned.exact(), planned.residual() == nullptr);
  uint64_t count = 0;
  for (uint32_t row = 0; row < segment.payloads.size(); ++row) {
    Row subject(segment, row);
    const bool expected = Matches(filter, subject);
    count += expected;
    const PlannedRows::Verdict verdict = planned.Decide(row);
    if (verdict == PlannedRows::Verdict::kEvaluate) {
      ++tally.evaluated;
      ASSERT_FALSE(planned.exact());
    } else {
      tally.settled += !planned.exact();
      ASSERT_EQ(verdict == PlannedRows::Verdict::kYes, expected) << "row " << row;
    }
    if (!planned.exact() && planned.possible().Contains(row)) {
      ASSERT_EQ(Matches(*planned.residual(), subject), expected) << "row " << row;
    }
  }
  const RowEstimate estimate = plan.Estimate();
  ASSERT_LE(estimate.least, count);
  ASSERT_GE(estimate.most, count);
  ASSERT_GE(estimate.expected, static_cast<double>(estimate.least));
  ASSERT_LE(estimate.expected, static_cast<double>(estimate.most));
  tally.exact += planned.exact();
  tally.matched += count;
  tally.narrow += estimate.exact();
}

TEST(FilterPlanReference, AgreesWithTheEvaluationOfEveryRow) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  Generator generator(seed);
  Tally tally;
  size_t rows = 0;
  for (size_t i = 0; i < kCases; i += kFiltersOfASegment) {
    const Segment segment = generator.MakeSegment();
    const auto count = static_cast<uint32_t>(segment.payloads.size());
    Result<PayloadIndexSection> section = PayloadIndexSection::Open(segment.bytes, count);
    ASSERT_TRUE(section.ok()) << section.status().ToString();
    const Owner owner(count);
    FilterScope scope{*section};
    scope.lookup = generator.Chance(4) ? nullptr : &owner;
    scope.changed = segment.changed ? &*segment.changed : nullptr;
    for (size_t j = 0; j < kFiltersOfASegment; ++j) {
      SCOPED_TRACE("case " + std::to_string(i + j));
      const Filter filter = generator.MakeFilter(j % 2 == 0 ? 0 : 2);
      Compare(filter, segment, scope, tally);
      if (HasFatalFailure()) return;
      rows += count;
    }
  }
  // Neither kind of answer may be missing, nor trivial.
  EXPECT_GT(tally.exact, kCases / 5);
  EXPECT_LT(tally.exact, kCases * 4 / 5);
  EXPECT_GT(tally.evaluated, rows / 20);
  EXPECT_GT(tally.settled, rows / 20);
  EXPECT_GT(tally.matched, rows / 20);
  EXPECT_GT(tally.narrow, kCases / 20);
}

}  // namespace
}  // namespace akidb::engine
