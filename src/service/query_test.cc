// Queries of all kinds against a collection that answers from memory: what the engine is asked.
#include "service/service_fixture.h"

namespace akidb::service {
namespace {

class QueryTest : public ServiceFixture {
 protected:
  void Put(uint64_t id, DenseVector vector) {
    PointInput point;
    point.id = PointId(id);
    point.vectors.emplace_back("", std::move(vector));
    ASSERT_TRUE(Upsert({point}).ok());
  }
  Status StatusOf(const QueryRequest& query) {
    return service_.Query(context_, "c", query).status();
  }
  static std::vector<PointId> ExcludedBy(const Filter& filter) {
    return std::get<HasIdCondition>(filter.must_not.back()).ids;
  }
  static QueryStage Nearest(DenseVector vector) {
    QueryStage stage;
    stage.query = std::move(vector);
    return stage;
  }
};

TEST_F(QueryTest, WhatMakesNoSenseIsRefusedInTheDialectsWords) {
  MakeCollection();
  QueryRequest no_query;
  no_query.prefetch.push_back(Nearest({1, 2, 3}));
  EXPECT_EQ(StatusOf(no_query).message(),
            "Bad request: A query is needed to merge the prefetches. Can't have prefetches without "
            "defining a query.");
  QueryRequest threshold;
  threshold.score_threshold = 1;
  EXPECT_TRUE(StatusOf(threshold).message().starts_with("Bad request: A query is needed to use"));
  threshold.query = OrderBy{"k", false, std::nullopt};
  EXPECT_EQ(StatusOf(threshold).message(),
            "Bad request: Can't use score_threshold with an order_by query.");
  QueryRequest fusion;
  fusion.query = FusionQuery();
  EXPECT_EQ(StatusOf(fusion).message(), "cannot apply Fusion without prefetches");
  fusion.prefetch = {Nearest({1, 2, 3}), Nearest({1, 2, 3})};
  fusion.query = FusionQuery{FusionQuery::Method::kReciprocalRank, 2, {1, 2, 3}};
  EXPECT_EQ(StatusOf(fusion).message(),
            "Number of weights in RRF should match number of pre-fetches: got 3, expected 2");
  QueryRequest recommend;
  recommend.query = RecommendQuery{{}, {DenseVector{1, 2, 3}}, RecommendStrategy::kAverageVector};
  EXPECT_EQ(StatusOf(recommend).message(),
            "Bad request: At least one positive vector ID required with this strategy");
  QueryRequest deep;
  for (int i = 0; i < 65; ++i) {
    QueryStage above;
    above.query = DenseVector{1, 2, 3};
    above.prefetch.push_back(static_cast<QueryStage>(deep));
    static_cast<QueryStage&>(deep) = std::move(above);
  }
  EXPECT_EQ(StatusOf(deep).message(), "prefetches depth exceeds max depth 64");
}

TEST_F(QueryTest, TextsRankByTheFieldThatUsingNames) {
  FakeCollection& collection = MakeCollection();
  collection.hits = {MakeHit(5, -2.5f)};
  QueryRequest query;
  query.query = TextQuery{"coolant hose", 0.9f, 0.5f};
  EXPECT_EQ(StatusOf(query).message(),
            "Validation failed: A text query needs `using` to name the payload field to search");
  query.using_vector = "body";
  query.limit = 7;
  query.score_threshold = 1.5f;
  Result<QueryReply> reply = service_.Query(context_, "c", query);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->points[0].score, 2.5f);
  EXPECT_EQ(collection.last_text_rank.field, "body");
  EXPECT_EQ(collection.last_text_rank.text, "coolant hose");
  EXPECT_EQ(collection.last_text_rank.k1, 0.9f);
  EXPECT_EQ(collection.last_text_rank.limit, 7u);
  EXPECT_EQ(collection.last_text_rank.score_above, 1.5f);

  QueryRequest fused;
  fused.query = FusionQuery();
  fused.prefetch = {Nearest({1, 2, 3}), static_cast<QueryStage>(query)};
  EXPECT_TRUE(StatusOf(fused).ok());

  query.prefetch = {Nearest({1, 2, 3})};
  EXPECT_EQ(StatusOf(query).message(), "BM25 over a text index cannot rescore prefetches");
  query.prefetch.clear();
  query.query = TextQuery{"x", -1, 0.5f};
  EXPECT_EQ(StatusOf(query).message(),
            "Validation failed: BM25 k1 must be finite and non-negative, got -1");
  query.query = TextQuery{std::string(65'537, 'x')};
  EXPECT_EQ(StatusOf(query).message(), "The text of a query has at most 65536 bytes, got 65537");
  query.query = TextQuery{"x", 1, 1.5f};
  EXPECT_EQ(StatusOf(query).message(),
            "Validation failed: BM25 b must be finite and within [0, 1], got 1.5");
}

TEST_F(QueryTest, ATextAloneRanksWhereUsingNamesAFieldOfTexts) {
  FakeCollection& collection = MakeCollection();
  ASSERT_TRUE(collection.PutPayloadIndex(context_, "body", {PayloadFieldKind::kText, ""}).ok());
  QueryRequest query;
  query.query = TextInput{"coolant hose", ""};
  query.using_vector = "body";
  EXPECT_TRUE(StatusOf(query).ok());
  EXPECT_EQ(collection.last_text_rank.text, "coolant hose");
  query.using_vector = "title";
  EXPECT_EQ(StatusOf(query).message(), "Not existing vector name error: title");
  query.query = TextInput{"coolant hose", "a-model"};
  query.using_vector = "body";
  EXPECT_EQ(StatusOf(query).message(), "Not existing vector name error: body");
}

TEST_F(QueryTest, AnAverageMovesAwayFromNegativeExamplesAndLeavesExamplesOut) {
  FakeCollection& collection = MakeCollection(Metric::kDot);
  Put(1, {1, 2, 3});
  Put(2, {0, 0, 1});
  QueryRequest query;
  query.query = RecommendQuery{
      {PointId(1), DenseVector{3, 2, 1}}, {PointId(2)}, RecommendStrategy::kAverageVector};
  ASSERT_TRUE(StatusOf(query).ok());
  EXPECT_EQ(collection.last_query, (std::vector<float>{4, 4, 3}));
  EXPECT_EQ(ExcludedBy(*collection.last_filter), (std::vector<PointId>{PointId(1), PointId(2)}));
}

TEST_F(QueryTest, OtherStrategiesAskTheEngineForAScoreByExamples) {
  FakeCollection& collection = MakeCollection(Metric::kEuclid);
  collection.hits = {MakeHit(5, -0.75f), MakeHit(6, -0.25f), MakeHit(7, 0.5f)};
  QueryRequest query;
  query.query =
      RecommendQuery{{DenseVector{3, 2, 1}}, {DenseVector{1, 1, 1}}, RecommendStrategy::kBestScore};
  Result<QueryReply> reply = service_.Query(context_, "c", query);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_TRUE(collection.last_examples);
  EXPECT_EQ(collection.last_examples->vectors.size(), 2u);
  ASSERT_EQ(reply->points.size(), 3u);
  EXPECT_EQ(reply->points[0].score, 0.75f);
  EXPECT_EQ(reply->points[2].score, -0.5f);
}

TEST_F(QueryTest, AThresholdOfScoresByExamplesBoundsThemAsTheMetricDoes) {
  FakeCollection& collection = MakeCollection(Metric::kEuclid);
  const auto count = [&](float threshold, size_t offset) {
    collection.hits = {MakeHit(5, -0.75f), MakeHit(6, -0.25f), MakeHit(7, 0.5f)};
    QueryRequest query;
    query.query = ContextQuery{{{DenseVector{3, 2, 1}, DenseVector{1, 1, 1}}}};
    query.score_threshold = threshold;
    query.offset = offset;
    Result<QueryReply> reply = service_.Query(context_, "c", query);
    EXPECT_TRUE(reply.ok()) << reply.status().ToString();
    return reply.ok() ? reply->points.size() : 0;
  };
  // Distances have an upper bound, which is held against the best first.
  EXPECT_EQ(count(0.75f, 0), 3u);
  EXPECT_EQ(count(0.75f, 1), 2u);
  EXPECT_EQ(count(0.25f, 1), 0u);
}

TEST_F(QueryTest, FiltersAndExclusionsReachThePrefetches) {
  FakeCollection& collection = MakeCollection();
  Put(9, {1, 2, 3});
  auto outer = std::make_shared<Filter>();
  outer->must.push_back(HasVectorCondition{"wide"});
  auto inner = std::make_shared<Filter>();
  inner->must.push_back(HasVectorCondition{""});
  QueryRequest query;
  query.query = FusionQuery();
  query.filter = outer;
  query.prefetch.emplace_back();
  query.prefetch[0].query = PointId(9);
  query.prefetch[0].filter = inner;
  query.prefetch[0].limit = 999999999;
  ASSERT_TRUE(StatusOf(query).ok());
  EXPECT_EQ(collection.last_filter->must.size(), 2u);
  EXPECT_EQ(ExcludedBy(*collection.last_filter), std::vector<PointId>{PointId(9)});
  EXPECT_EQ(collection.last_limit, 999999999u);
}

TEST_F(QueryTest, ManyLimitsMayNotComeToMorePointsThanFitIntoMemory) {
  FakeCollection& collection = MakeCollection();
  collection.count = 1'000'000;
  QueryRequest query;
  query.query = FusionQuery();
  query.limit = 1;
  for (int i = 0; i < 2; ++i) {
    query.prefetch.push_back(Nearest({0, 1, 0}));
    query.prefetch.back().limit = 999'999'999;
  }
  EXPECT_TRUE(StatusOf(query).ok());
  query.prefetch.push_back(query.prefetch.back());
  Status status = StatusOf(query);
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("3000001 points"), std::string::npos) << status.ToString();
  // Alone, a query may ask for all.
  collection.count = 10'000'000;
  QueryRequest alone;
  alone.query = DenseVector{0, 1, 0};
  alone.limit = 999'999'999;
  EXPECT_TRUE(StatusOf(alone).ok());
}

TEST_F(QueryTest, RescoringAsksForThePointsThatThePrefetchesFound) {
  FakeCollection& collection = MakeCollection();
  collection.hits = {MakeHit(4, -1), MakeHit(2, -0.5f)};
  QueryRequest query;
  query.query = DenseVector{1, 0, 0};
  query.prefetch = {Nearest({0, 1, 0}), Nearest({0, 0, 1})};
  ASSERT_TRUE(StatusOf(query).ok());
  // Both prefetches at once, and then the query.
  EXPECT_EQ(collection.batches, std::vector<size_t>{2});
  EXPECT_EQ(collection.last_query, (std::vector<float>{1, 0, 0}));
  EXPECT_EQ(std::get<HasIdCondition>(collection.last_filter->must[0]).ids,
            (std::vector<PointId>{PointId(2), PointId(4)}));
}

TEST_F(QueryTest, TextsOfExamplesAndPrefetchesAreEmbeddedTogether) {
  MakeCollection();
  QueryRequest query;
  query.query =
      RecommendQuery{{TextInput{"four", ""}, TextInput{"eight888", ""}}, {}, RecommendStrategy{}};
  query.prefetch.emplace_back();
  query.prefetch[0].query = TextInput{"four", ""};
  Result<QueryReply> reply = service_.Query(context_, "c", query);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(embedder_.calls[0].texts, (std::vector<std::string>{"four", "eight888"}));
}

TEST_F(QueryTest, IdsMayBeLookedUpInAnotherCollectionAndThenLeaveNobodyOut) {
  FakeCollection& collection = MakeCollection();
  CollectionConfig config;
  config.vectors["other"].dim = 3;
  ASSERT_TRUE(service_.CreateCollection("d", config).ok());
  Point stored;
  stored.id = PointId(1);
  stored.vectors = {{"other", {7, 8, 9}}};
  database_.collections["d"]->points[stored.id] = stored;
  QueryRequest query;
  query.query = PointId(1);
  query.lookup_from = LookupFrom{"d", "other"};
  ASSERT_TRUE(StatusOf(query).ok());
  EXPECT_EQ(collection.last_query, (std::vector<float>{7, 8, 9}));
  EXPECT_FALSE(collection.last_filter);
  query.lookup_from->collection = "none";
  EXPECT_EQ(StatusOf(query).code(), ErrorCode::kNotFound);
}

TEST_F(QueryTest, APrefetchWithoutAQueryTakesPointsByTheirIds) {
  FakeCollection& collection = MakeCollection();
  for (uint64_t id = 1; id <= 5; ++id) Put(id, {1, 2, 3});
  QueryRequest query;
  query.query = FusionQuery();
  query.prefetch.emplace_back();
  query.prefetch[0].limit = 3;
  Result<QueryReply> reply = service_.Query(context_, "c", query);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(reply->points.size(), 3u);
  EXPECT_EQ(reply->points[2].id, PointId(3));
  EXPECT_EQ(reply->points[2].score, 0.25f);
  EXPECT_TRUE(collection.batches.empty());
}

}  // namespace
}  // namespace akidb::service
