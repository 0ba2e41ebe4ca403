// Texts ranked by BM25 against the formula over all points, under random writes, with the index
// over some of the segments.
#include "engine/text_ranking.h"

#include <cmath>
#include <cstdlib>
#include <random>

#include "engine/collection_merge_fixture.h"
#include "engine/vector_index.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kIds = 1500;
constexpr int kRounds = 10;
constexpr int kQueries = 15;  // in each round

uint64_t TestSeed() {
  const char* text = std::getenv("AKIDB_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 271828;
}

// A point as it must be.
struct Known {
  std::vector<std::string> texts;
  int64_t n = 0;
  std::vector<std::string> tokens{};  // of the texts
};

struct Asked {
  TextRankRequest request;
  std::function<bool(const Known&)> admits = [](const Known&) { return true; };
  std::function<bool(const Known&)> counts = [](const Known&) { return true; };
};

class TextRanking : public CollectionMergeFixture {
 protected:
  TextRanking() : random_(TestSeed()) {
    options_.head_rows_max = 400;
    options_.merge_policy.resting_max = 12;
    options_.merge_policy.busy_more = 0;
    UseIndexer(MakeVectorIndexer({}, *log_));
    CollectionEnvironment parts = Parts(fs_);
    // No merges: which segments have the index is what the test says.
    parts.optimizer = nullptr;
    parts.alarms = nullptr;
    collection_ = Collection::Create(options_, config_, parts).value();
  }

  uint64_t Pick(uint64_t n) { return random_() % n; }
  bool Chance(uint64_t of) { return Pick(of) == 0; }

  // Some words are frequent, and some texts long.
  std::string Word() {
    const uint64_t most = Chance(2) ? 8 : Chance(2) ? 60 : 500;
    return "Word" + std::to_string(Pick(most));
  }
  std::string Text() {
    std::string text;
    const uint64_t words = Chance(300) ? 9000 + Pick(300) : Pick(40);
    for (uint64_t i = 0; i < words; ++i) text += Word() + (Chance(9) ? ", " : " ");
    if (Chance(60)) text += std::string(kKeywordBytesMax + 1 + Pick(5), 'x');
    return text;
  }
  Known Make() {
    Known point{{}, static_cast<int64_t>(Pick(100))};
    for (uint64_t i = Chance(8) ? 0 : 1 + Pick(2); i > 0; --i) {
      point.texts.push_back(Text());
      for (std::string& token : analyzer_.DocumentTokens(point.texts.back())) {
        point.tokens.push_back(std::move(token));
      }
    }
    return point;
  }
  static std::string TextsJson(const Known& point) {
    std::string json = "[null,7";
    for (const std::string& text : point.texts) json += ",\"" + text + "\"";
    return json + "]";
  }
  static Payload PayloadOf(const Known& point) {
    const std::string texts = TextsJson(point);
    return *ParsePayloadJson(R"({"n":)" + std::to_string(point.n) + R"(,"o":{"t":)" + texts + "}}");
  }

  void Write() {
    std::map<uint64_t, Known> written;
    for (int i = 0; i < 300; ++i) written[Pick(kIds)] = Make();
    std::vector<Point> points;
    for (const auto& [id, point] : written) {
      points.push_back(MakePoint(id, 0));
      points.back().payload = PayloadOf(point);
      known_[id] = point;
    }
    ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
    std::vector<PointId> gone;
    for (int i = 0; i < 30; ++i) {
      gone.push_back(PointId(Pick(kIds)));
      known_.erase(gone.back().number());
    }
    ASSERT_TRUE(collection_->Delete(context_, gone).ok());
    // Texts of points that lie in segments become others.
    for (int i = 0; i < 10; ++i) {
      const auto found = known_.lower_bound(Pick(kIds));
      if (found == known_.end()) continue;
      const int64_t n = found->second.n;
      found->second = Make();
      found->second.n = n;
      const PayloadChange change = OverwritePayload{PayloadOf(found->second)};
      ASSERT_TRUE(
          collection_->ChangePayloads(context_, {{PointId(found->first)}, nullptr}, change).ok());
    }
  }

  Status IndexTexts(const std::string& scoring = R"({"type":"bm25"})") {
    const PayloadFieldIndex index{PayloadFieldKind::kText,
                                  R"({"type":"text","scoring":)" + scoring + "}"};
    return collection_->PutPayloadIndex(context_, "o.t", index).status();
  }

  static std::shared_ptr<const Filter> Below(int64_t n) {
    NumericRange range;
    range.lt = static_cast<double>(n);
    auto filter = std::make_shared<Filter>();
    filter->must = {FieldCondition{*PayloadPath::Parse("n"), range}};
    return filter;
  }
  Asked MakeQuery() {
    Asked asked;
    asked.request.field = "o.t";
    // More words are looked for in another way.
    for (uint64_t i = Chance(5) ? 100 : Pick(6); i > 0; --i) asked.request.text += Word() + " ";
    if (Chance(10)) asked.request.text += std::string(kKeywordBytesMax + 2, 'x');
    asked.request.limit = Chance(4) ? kIds : 1 + Pick(20);
    asked.request.offset = Chance(4) ? Pick(10) : 0;
    if (Chance(3)) asked.request.k1 = static_cast<float>(Pick(30)) / 10;
    if (Chance(3)) asked.request.b = static_cast<float>(Pick(11)) / 10;
    if (Chance(3)) {
      const auto n = static_cast<int64_t>(Pick(100));
      asked.request.filter = Below(n);
      asked.admits = [n](const Known& point) { return point.n < n; };
    }
    if (Chance(4)) {
      const auto n = static_cast<int64_t>(Pick(100));
      asked.request.idf_corpus = Below(n);
      asked.counts = [n](const Known& point) { return point.n < n; };
    }
    return asked;
  }

  // The formula, over points one by one.
  std::vector<std::pair<double, uint64_t>> Expected(const Asked& asked) const {
    const TextTerms terms(analyzer_.QueryTokens(asked.request.text));
    std::map<uint64_t, std::map<std::string, double>> counts;
    std::map<uint64_t, double> lengths;
    std::map<std::string, double> having;
    double texts = 0;
    double sum = 0;
    for (const auto& [id, point] : known_) {
      for (const std::string& token : point.tokens) {
        if (terms.Find(token)) counts[id][token] += 1;
      }
      const auto length = static_cast<uint32_t>(point.tokens.size());
      lengths[id] = KeptLength(length);
      if (length == 0 || !asked.counts(point)) continue;
      ++texts;
      sum += KeptLength(length);
      for (const auto& [token, count] : counts[id]) having[token] += 1;
    }
    std::vector<std::pair<double, uint64_t>> ranked;
    for (const auto& [id, of_point] : counts) {
      if (of_point.empty() || !asked.admits(known_.at(id))) continue;
      const double mean = texts == 0 ? 1 : sum / texts;
      const double k1 = asked.request.k1;
      const double b = asked.request.b;
      double score = 0;
      for (const auto& [token, count] : of_point) {
        const double rare = std::log((texts - having[token] + 0.5) / (having[token] + 0.5) + 1);
        score += rare * count * (k1 + 1) / (count + k1 * (1 - b + b * lengths[id] / mean));
      }
      ranked.emplace_back(-score, id);
    }
    std::sort(ranked.begin(), ranked.end());
    return ranked;
  }

  void Compare(const Asked& asked) {
    const std::vector<std::pair<double, uint64_t>> expected = Expected(asked);
    const Result<std::vector<Hit>> hits = collection_->RankTexts(context_, asked.request);
    ASSERT_TRUE(hits.ok()) << hits.status().ToString();
    const size_t begin = std::min(expected.size(), asked.request.offset);
    ASSERT_EQ(hits->size(), std::min(expected.size() - begin, asked.request.limit));
    std::map<uint64_t, double> scores;
    for (const auto& [score, id] : expected) scores[id] = score;
    for (size_t i = 0; i < hits->size(); ++i) {
      const Hit& hit = (*hits)[i];
      // Equal scores may change places by rounding.
      EXPECT_NEAR(hit.distance, expected[begin + i].first, 1e-4);
      ASSERT_TRUE(scores.contains(hit.id.number()));
      EXPECT_NEAR(hit.distance, scores[hit.id.number()], 1e-4);
    }
    if (hits->empty() || !asked.request.filter) return;
    // Of the points that a prefetch found, each has the score that it has among all.
    TextRankRequest listed = asked.request;
    auto only = std::make_shared<Filter>();
    only->must = {HasIdCondition({hits->front().id, PointId(kIds + 5)})};
    listed.filter = only;
    listed.offset = 0;
    const Result<std::vector<Hit>> again = collection_->RankTexts(context_, listed);
    ASSERT_TRUE(again.ok() && again->size() == 1);
    EXPECT_NEAR((*again)[0].distance, hits->front().distance, 1e-5);
  }

  std::mt19937_64 random_;
  const TextAnalyzer analyzer_ = TextAnalyzer::Create({}).value();
  std::map<uint64_t, Known> known_;
};

TEST_F(TextRanking, IsTheFormulasWhateverTheIndexCovers) {
  SCOPED_TRACE("AKIDB_TEST_SEED=" + std::to_string(TestSeed()));
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Write();
    // The first segments come before the index, or have one that does not rank.
    if (round == 1) {
      ASSERT_TRUE(
          collection_->PutPayloadIndex(context_, "o.t", {PayloadFieldKind::kText, ""}).ok());
    }
    if (round == 2) {
      Asked asked = MakeQuery();
      EXPECT_EQ(collection_->RankTexts(context_, asked.request).status().message(),
                "Validation failed: The text index on `o.t` does not score: set `scoring` on it to "
                "query it");
    }
    if (round % 2 == 1) ASSERT_TRUE(collection_->Seal().ok());
    if (round < 2) continue;
    if (round == 2) ASSERT_TRUE(IndexTexts().ok());
    for (int i = 0; i < kQueries; ++i) ASSERT_NO_FATAL_FAILURE(Compare(MakeQuery()));
  }
}

TEST_F(TextRanking, NeedsAnIndexOverTexts) {
  TextRankRequest request;
  request.field = "t";
  request.text = "x";
  EXPECT_EQ(collection_->RankTexts(context_, request).status().message(),
            "Validation failed: BM25 requires a text index on field t, which has none");
  ASSERT_TRUE(collection_->PutPayloadIndex(context_, "t", {PayloadFieldKind::kKeyword, ""}).ok());
  EXPECT_EQ(collection_->RankTexts(context_, request).status().code(), ErrorCode::kInvalidArgument);
  request.field = "t[";
  EXPECT_EQ(collection_->RankTexts(context_, request).status().code(), ErrorCode::kValidation);
}

TEST_F(TextRanking, LeavesOutWhatIsNoBetterThanTheThreshold) {
  ASSERT_TRUE(IndexTexts("true").ok());
  Write();
  TextRankRequest request;
  request.field = "o.t";
  request.text = "word1 word2";
  const std::vector<Hit> hits = collection_->RankTexts(context_, request).value();
  ASSERT_GT(hits.size(), 3u);
  request.score_above = -hits[2].distance;
  const std::vector<Hit> better = collection_->RankTexts(context_, request).value();
  for (const Hit& hit : better) {
    EXPECT_LT(hit.distance, hits[2].distance);
  }
  request.text = "";
  EXPECT_TRUE(collection_->RankTexts(context_, request).value().empty());
}

TEST_F(TextRanking, FindsTextsByAllOfTheirManyWords) {
  ASSERT_TRUE(IndexTexts().ok());
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "w" + std::to_string(i) + " ";
  for (uint64_t id = 0; id < 3; ++id) {
    std::vector<Point> points = {MakePoint(id, 0)};
    points[0].payload = PayloadOf({{text}, 0});
    ASSERT_TRUE(collection_->Upsert(context_, std::move(points)).ok());
  }
  ASSERT_TRUE(collection_->Seal().ok());
  TextRankRequest request;
  request.field = "o.t";
  request.text = text;
  const Result<std::vector<Hit>> hits = collection_->RankTexts(context_, request);
  ASSERT_TRUE(hits.ok()) << hits.status().ToString();
  EXPECT_EQ(hits->size(), 3u);
}

TEST_F(TextRanking, EndsWithItsRequest) {
  ASSERT_TRUE(IndexTexts("true").ok());
  Write();
  TextRankRequest request;
  request.field = "o.t";
  request.text = "word1";
  const RequestContext late(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(collection_->RankTexts(late, request).status().code(), ErrorCode::kDeadlineExceeded);
}

TEST(KeptLength, AreThirteenBits) {
  EXPECT_EQ(KeptLength(0), 0u);
  EXPECT_EQ(KeptLength(8191), 8191u);
  EXPECT_EQ(KeptLength(8193), 8192u);
  EXPECT_EQ(KeptLength(16387), 16384u);
  EXPECT_EQ(KeptLength(16388), 16388u);
}

}  // namespace
}  // namespace akidb::engine
