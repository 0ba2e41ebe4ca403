// Filtered answers of a collection with payload indexes over half of its segments against those of
// one without, under random writes.
#include <cstdlib>
#include <random>

#include "engine/collection_merge_fixture.h"
#include "engine/vector_index.h"
#include "types/datetime.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kIds = 4000;
constexpr int kRounds = 12;
constexpr int kFilters = 20;  // in each round

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 314159;
}

PayloadPath Path(const char* text) { return *PayloadPath::Parse(text); }

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}
  uint64_t Pick(uint64_t n) { return random_() % n; }
  bool Chance(uint64_t of) { return Pick(of) == 0; }

  std::string Text() { return "\"t" + std::to_string(Pick(12)) + "\""; }
  std::string Number() {
    return Chance(6) ? std::to_string(Pick(90)) + ".5" : std::to_string(Pick(100));
  }
  std::string Moment() { return "\"2024-01-" + std::to_string(10 + Pick(20)) + "\""; }
  std::string Place() {
    return R"({"lat":)" + std::to_string(Pick(180)) + R"(,"lon":)" + std::to_string(Pick(180)) +
           "}";
  }
  std::string Value(bool text) {
    switch (Pick(14)) {
      case 12:
        return Moment();
      case 13:
        return Place();
      case 0:
        return "null";
      case 1:
        return "[" + Text() + "," + Number() + "," + Text() + "]";
      case 2:
        return text ? Number() : Text();
      case 3:
        return "true";
      default:
        return text ? Text() : Number();
    }
  }
  std::string Document() {
    std::string json = R"({"u":)" + Value(true);
    if (!Chance(6)) json += R"(,"k":)" + Value(true);
    if (!Chance(6)) json += R"(,"n":)" + Value(false);
    if (!Chance(6)) json += R"(,"d":)" + (Chance(5) ? Value(true) : Moment());
    if (!Chance(6)) json += R"(,"g":)" + (Chance(5) ? Value(true) : Place());
    return json + R"(,"o":{"k":)" + Value(true) + "}}";
  }

  Condition MakeCondition(int depth) {
    const char* keys[] = {"k", "n", "u", "o.k", "k", "n", "d", "g"};
    const char* key = keys[Pick(8)];
    switch (Pick(depth > 0 ? 14 : 12)) {
      case 8:
        return FieldCondition{Path(Chance(4) ? key : "d"), Moments()};
      case 9: {
        const auto lat = static_cast<double>(Pick(90));
        const auto lon = static_cast<double>(Pick(180));
        return FieldCondition{Path(Chance(4) ? key : "g"),
                              GeoBox{{lat + 40, lon}, {lat, lon + static_cast<double>(Pick(90))}}};
      }
      case 10:
        return FieldCondition{Path(Chance(4) ? key : "g"),
                              GeoCircle{{45, 90}, static_cast<double>(Pick(5'000'000))}};
      case 11:
        return FieldCondition{Path(key), MatchPrefix{"t1"}};
      case 0:
        return FieldCondition{Path(key), MatchAny{{Scalar(), Scalar(), Scalar()}}};
      case 1:
        return FieldCondition{Path(key), MatchExcept{{Scalar(), Scalar()}}};
      case 2:
        return FieldCondition{Path("n"), Range()};
      case 3:
        return IsEmptyCondition{Path(key)};
      case 4:
        return IsNullCondition{Path(key)};
      case 5: {
        std::vector<PointId> ids;
        for (int i = 0; i < 50; ++i) ids.push_back(PointId(Pick(kIds)));
        return HasIdCondition(std::move(ids));
      }
      case 12:
      case 13:
        return std::shared_ptr<const Filter>(MakeFilter(depth - 1));
      default:
        return FieldCondition{Path(key), MatchValue{Scalar()}};
    }
  }
  std::shared_ptr<const Filter> MakeFilter(int depth) {
    auto filter = std::make_shared<Filter>();
    auto add = [&](std::vector<Condition>& to, uint64_t most) {
      for (uint64_t i = Pick(most + 1); i > 0; --i) to.push_back(MakeCondition(depth));
    };
    add(filter->must, 2);
    add(filter->must_not, 1);
    add(filter->should, 2);
    if (filter->empty()) filter->must.push_back(MakeCondition(0));
    return filter;
  }

 private:
  MatchScalar Scalar() {
    if (Chance(8)) return true;
    if (Chance(2)) return static_cast<int64_t>(Pick(100));
    return "t" + std::to_string(Pick(12));
  }
  DatetimeRange Moments() {
    DatetimeRange range;
    range.gte = ParseDatetime("2024-01-" + std::to_string(10 + Pick(20)));
    if (!Chance(3)) range.lt = *range.gte + static_cast<int64_t>(Pick(10)) * 86'400'000'000;
    return range;
  }
  NumericRange Range() {
    NumericRange range;
    range.gte = static_cast<double>(Pick(100));
    if (!Chance(3)) range.lt = *range.gte + static_cast<double>(Pick(40));
    return range;
  }

  std::mt19937_64 random_;
};

class FilterReference : public CollectionMergeFixture {
 protected:
  FilterReference() {
    config_.vectors[""] = {.dim = 16, .metric = Metric::kEuclid};
    options_.head_rows_max = 1000;
    options_.merge_policy.resting_max = 12;
    options_.merge_policy.busy_more = 0;
    UseIndexer(MakeVectorIndexer({}, *log_));
    SetUpBoth();
  }
  ~FilterReference() override { indexed_.reset(); }

  void SetUpBoth() {
    // No merges: which segments have indexes is what the test says, and both keep the same ones.
    for (auto* collection : {&collection_, &indexed_}) {
      CollectionEnvironment parts = Parts(fs_);
      parts.optimizer = nullptr;
      parts.alarms = nullptr;
      options_.directory = collection == &indexed_ ? "/data/indexed" : "/data/plain";
      auto made = Collection::Create(options_, config_, parts);
      ASSERT_TRUE(made.ok()) << made.status().ToString();
      *collection = *made;
    }
  }
  void Write(Generator& pick) {
    for (int batch = 0; batch < 4; ++batch) {
      std::vector<Point> points;
      for (int i = 0; i < 100; ++i) {
        Point point;
        point.id = PointId(pick.Pick(kIds));
        DenseVector vector(16);
        for (float& value : vector) value = static_cast<float>(pick.Pick(1000)) / 100;
        point.vectors = {{"", vector}};
        point.payload = *ParsePayloadJson(pick.Document());
        points.push_back(std::move(point));
      }
      std::vector<PointId> ids;
      for (int i = 0; i < 15; ++i) ids.push_back(PointId(pick.Pick(kIds)));
      for (Collection* collection : {collection_.get(), indexed_.get()}) {
        ASSERT_TRUE(collection->Upsert(context_, points).ok());
        ASSERT_TRUE(collection->Delete(context_, ids).ok());
      }
    }
  }
  static std::vector<std::pair<PointId, float>> Hits(const Result<std::vector<Hit>>& hits) {
    EXPECT_TRUE(hits.ok()) << hits.status().ToString();
    std::vector<std::pair<PointId, float>> found;
    for (size_t i = 0; hits.ok() && i < hits->size(); ++i) {
      found.emplace_back((*hits)[i].id, (*hits)[i].distance);
    }
    return found;
  }
  std::vector<PointId> ScrollAll(const Collection& collection,
                                 const std::shared_ptr<const Filter>& filter) {
    ScrollRequest request;
    request.filter = filter;
    request.limit = 97;
    std::vector<PointId> ids;
    for (;;) {
      Result<ScrollPage> page = collection.Scroll(context_, request);
      EXPECT_TRUE(page.ok()) << page.status().ToString();
      if (!page.ok()) return ids;
      for (const PointRecord& record : page->points) ids.push_back(record.id);
      if (!page->next) return ids;
      request.offset = page->next;
    }
  }
  void Compare(const std::shared_ptr<const Filter>& filter, Generator& pick) {
    EXPECT_EQ(*collection_->Count(context_, filter.get()),
              *indexed_->Count(context_, filter.get()));
    EXPECT_EQ(ScrollAll(*collection_, filter), ScrollAll(*indexed_, filter));
    DenseVector query(16);
    for (float& value : query) value = static_cast<float>(pick.Pick(1000)) / 100;
    SearchRequest request;
    request.query = query;
    request.filter = filter;
    // Segments so small have codes and no graph, and those of both collections are the same.
    for (bool exact : {true, false}) {
      request.exact = exact;
      request.limit = 1 + pick.Pick(30);
      EXPECT_EQ(Hits(collection_->Search(context_, request)),
                Hits(indexed_->Search(context_, request)));
    }
  }

  std::shared_ptr<Collection> indexed_;
};

TEST_F(FilterReference, AnswersAreTheSameWithAndWithoutIndexes) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(seed));
  Generator pick(seed);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Write(pick);
    for (Collection* collection : {collection_.get(), indexed_.get()}) {
      if (round % 2 == 1) ASSERT_TRUE(collection->Seal().ok());
    }
    if (round % 4 == 1) {
      using Kind = PayloadFieldKind;
      constexpr Kind kNumbers[] = {Kind::kKeyword, Kind::kInteger, Kind::kFloat};
      constexpr Kind kTexts[] = {Kind::kInteger, Kind::kDatetime, Kind::kBool};
      ASSERT_TRUE(indexed_->PutPayloadIndex(context_, "k", {Kind::kKeyword, ""}).ok());
      ASSERT_TRUE(indexed_->PutPayloadIndex(context_, "n", {kNumbers[round / 4], ""}).ok());
      ASSERT_TRUE(indexed_->PutPayloadIndex(context_, "o.k", {kTexts[round / 4], ""}).ok());
      ASSERT_TRUE(indexed_->PutPayloadIndex(context_, "d", {Kind::kDatetime, ""}).ok());
      ASSERT_TRUE(indexed_->PutPayloadIndex(context_, "g", {Kind::kGeo, ""}).ok());
    } else if (round % 4 == 3) {
      for (const char* field : {"k", "n"}) {
        ASSERT_TRUE(indexed_->DropPayloadIndex(context_, field).ok());
      }
    }
    for (int i = 0; i < kFilters; ++i) {
      ASSERT_NO_FATAL_FAILURE(Compare(pick.MakeFilter(2), pick));
    }
    const std::shared_ptr<const Filter> gone = pick.MakeFilter(0);
    if (*collection_->Count(context_, gone.get()) < kIds / 8) {
      ASSERT_TRUE(collection_->DeleteByFilter(context_, *gone).ok());
      ASSERT_TRUE(indexed_->DeleteByFilter(context_, *gone).ok());
    }
    ASSERT_EQ(ScrollAll(*collection_, nullptr), ScrollAll(*indexed_, nullptr));
    if (HasFailure()) return;
  }
  EXPECT_EQ(collection_->stats().segments, indexed_->stats().segments);
}

}  // namespace
}  // namespace akidb::engine
