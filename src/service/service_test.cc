#include "service/service.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "service/service_fixture.h"

namespace akidb::service {
namespace {

using ServiceTest = ServiceFixture;

TEST_F(ServiceTest, UpsertEmbedsTheTextsOfOneRequestAsOneBatchIdenticalOnesOnce) {
  FakeCollection& collection = MakeCollection();
  Result<WriteReply> reply =
      Upsert({TextPoint(1, "four"), TextPoint(2, "sixsix"), TextPoint(3, "four", "alias")});
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(embedder_.calls[0].texts, (std::vector<std::string>{"four", "sixsix"}));
  EXPECT_EQ(embedder_.calls[0].input_type, embedding::InputType::kDocument);
  EXPECT_EQ(collection.points[PointId(1)].vectors[0].second, (DenseVector{4, 0, 0}));
  EXPECT_EQ(collection.points[PointId(2)].vectors[0].second, (DenseVector{6, 0, 0}));
  EXPECT_EQ(collection.points[PointId(3)].vectors[0].second, (DenseVector{4, 0, 0}));
  EXPECT_EQ(reply->usage, (InferenceUsage{{"small", 10}}));
  EXPECT_EQ(reply->truncated_texts, 0u);
}

TEST_F(ServiceTest, UpsertRunsEachModelOnceAndBindsItToItsVector) {
  MakeCollection();
  PointInput both = TextPoint(1, "a", "small");
  both.vectors.emplace_back("wide", TextInput{std::string(101, 'x'), "large"});
  Result<WriteReply> reply = Upsert({both, TextPoint(2, "b", "small")});
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(embedder_.calls.size(), 2u);
  EXPECT_EQ(reply->truncated_texts, 1u);
  EXPECT_EQ(database_.bindings["c/"], "fingerprint of small");
  EXPECT_EQ(database_.bindings["c/wide"], "fingerprint of large");
  EXPECT_EQ(database_.collections["c"]->prefixes["wide"], (std::vector<uint32_t>{2, 4}));
  EXPECT_EQ(database_.collections["c"]->prefixes["wide"], (std::vector<uint32_t>{2, 4}));
}

// Neither written nor bound: the new one may have other vectors, or be of another model.
TEST_F(ServiceTest, WhatBecameAnotherCollectionWhileTextsWereEmbeddedIsLeftAlone) {
  MakeCollection();
  std::shared_ptr<FakeCollection> other;
  embedder_.meanwhile = [&] {
    other = std::make_shared<FakeCollection>(database_.collections["c"]->config());
    database_.collections["c"] = other;
  };
  EXPECT_EQ(Upsert({TextPoint(1, "a")}).status().code(), ErrorCode::kUnavailable);
  UpdateBatch batch;
  batch.operations.emplace_back(UpsertRequest{{TextPoint(1, "a")}});
  EXPECT_EQ(service_.Update(context_, "c", std::move(batch)).status().code(),
            ErrorCode::kUnavailable);
  embedder_.meanwhile = [&] { database_.collections.erase("c"); };
  EXPECT_EQ(Upsert({TextPoint(1, "a")}).status().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(other->points.empty());
  EXPECT_TRUE(database_.bindings.empty());
}

// A restore puts another in its place; the name was there all along.
TEST_F(ServiceTest, AQueryOfWhatBecameAnotherCollectionMayBeTriedAgain) {
  MakeCollection();
  QueryRequest query;
  query.query = TextInput{"a", ""};
  database_.after_find = [&] {
    database_.collections["c"] =
        std::make_shared<FakeCollection>(database_.collections["c"]->config());
  };
  EXPECT_EQ(service_.Query(context_, "c", query).status().code(), ErrorCode::kUnavailable);
  database_.after_find = [&] { database_.collections.erase("c"); };
  EXPECT_EQ(service_.Query(context_, "c", query).status().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(embedder_.calls.empty());
}

TEST_F(ServiceTest, TextsOfPointsThatAreNotThereRunNoModelAndBindNone) {
  FakeCollection& collection = MakeCollection();
  VectorsUpdate update;
  update.points = {TextPoint(1, "a"), TextPoint(2, "b")};
  Result<WriteReply> reply = service_.UpdateVectors(context_, "c", update);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->not_found, PointId(1));
  EXPECT_TRUE(embedder_.calls.empty());
  EXPECT_TRUE(database_.bindings.empty());
  collection.points[PointId(2)] = {};
  ASSERT_TRUE(service_.UpdateVectors(context_, "c", update).ok());
  EXPECT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(database_.bindings["c/"], "fingerprint of small");
}

TEST_F(ServiceTest, UpsertRefusesAModelOtherThanTheBoundOne) {
  FakeCollection& collection = MakeCollection();
  database_.bindings["c/"] = "fingerprint of large";
  Result<WriteReply> reply = Upsert({TextPoint(1, "a", "small")});
  EXPECT_EQ(reply.status().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(collection.points.empty());
}

TEST_F(ServiceTest, AModelOfAnotherLengthIsRefusedBeforeItRunsNamingBoth) {
  FakeCollection& collection = MakeCollection();
  Result<WriteReply> reply = Upsert({TextPoint(1, "a", "large")});
  EXPECT_EQ(reply.status().code(), ErrorCode::kInference);
  EXPECT_EQ(reply.status().message(),
            "model `large` makes vectors of 5 dimensions, but the default vector of the collection "
            "has 3");
  EXPECT_TRUE(embedder_.calls.empty());
  EXPECT_TRUE(collection.points.empty());
}

TEST_F(ServiceTest, ATextIsNoneOfAVectorOfWholeNumbers) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 3, .datatype = VectorDatatype::kUint8};
  ASSERT_TRUE(service_.CreateCollection("c", config).ok());
  Result<WriteReply> reply = Upsert({TextPoint(1, "a", "small")});
  EXPECT_EQ(reply.status().code(), ErrorCode::kInference);
  EXPECT_NE(reply.status().message().find("uint8"), std::string::npos);
  EXPECT_TRUE(embedder_.calls.empty());
}

TEST_F(ServiceTest, ATextIsNoMultivector) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 3, .multivector = true};
  ASSERT_TRUE(service_.CreateCollection("c", config).ok());
  QueryRequest query;
  query.query = TextInput{"a", "small"};
  for (const Status& refused : {Upsert({TextPoint(1, "a", "small")}).status(),
                                service_.Query(context_, "c", query).status()}) {
    EXPECT_EQ(refused.code(), ErrorCode::kInference);
    EXPECT_NE(refused.message().find("multivector"), std::string::npos);
  }
  EXPECT_TRUE(embedder_.calls.empty());
}

TEST_F(ServiceTest, AnUnknownModelIsAnInferenceError) {
  MakeCollection();
  EXPECT_EQ(Upsert({TextPoint(1, "a", "nobody")}).status().code(), ErrorCode::kInference);
  QueryRequest query;
  query.query = TextInput{"a", "nobody"};
  EXPECT_EQ(service_.Query(context_, "c", query).status().code(), ErrorCode::kInference);
}

TEST_F(ServiceTest, ATextForAnUnknownVectorIsRefused) {
  MakeCollection();
  Result<WriteReply> reply = Upsert({TextPoint(1, "a", "", "nowhere")});
  EXPECT_EQ(reply.status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(reply.status().message(), "Not existing vector name error: nowhere");
}

TEST_F(ServiceTest, AFailedModelLeavesTheCollectionUntouched) {
  FakeCollection& collection = MakeCollection();
  embedder_.failure = CorruptionError("model.onnx has the wrong checksum");
  EXPECT_EQ(Upsert({TextPoint(1, "a")}).status().code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(collection.points.empty());
  EXPECT_TRUE(database_.bindings.empty());
}

TEST_F(ServiceTest, TextQueriesAreEmbeddedAsQueries) {
  FakeCollection& collection = MakeCollection();
  QueryRequest query;
  query.query = TextInput{"seven77", ""};
  Result<QueryReply> reply = service_.Query(context_, "c", query);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(embedder_.calls.at(0).input_type, embedding::InputType::kQuery);
  EXPECT_EQ(collection.last_query, (std::vector<float>{7, 0, 0}));
  EXPECT_EQ(reply->usage, (InferenceUsage{{"small", 7}}));
  EXPECT_TRUE(database_.bindings.empty());
}

TEST_F(ServiceTest, AQueryWithoutAModelMeansTheOneWhoseVectorsAreStored) {
  MakeCollection();
  database_.bindings["c/wide"] = "fingerprint of large";
  QueryRequest query;
  query.using_vector = "wide";
  query.query = TextInput{"seven77", ""};
  ASSERT_TRUE(service_.Query(context_, "c", query).ok());
  EXPECT_EQ(embedder_.calls.at(0).model, "large");
}

TEST_F(ServiceTest, AQueryByAnotherModelThanTheStoredOneIsRefusedBeforeItRuns) {
  MakeCollection();
  database_.bindings["c/"] = "fingerprint of large";
  QueryRequest query;
  query.query = TextInput{"seven77", "small"};
  EXPECT_EQ(service_.Query(context_, "c", query).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(embedder_.calls.empty());
}

TEST_F(ServiceTest, ARequestWithABadVectorBindsNoModelAndRunsNone) {
  MakeCollection();
  PointInput both = TextPoint(1, "a", "small");
  both.vectors.emplace_back("wide", DenseVector{1});
  EXPECT_EQ(Upsert({both}).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(embedder_.calls.empty());
  EXPECT_TRUE(database_.bindings.empty());
}

TEST_F(ServiceTest, QueryByIdSearchesTheStoredVectorAndLeavesThatPointOut) {
  FakeCollection& collection = MakeCollection();
  PointInput point;
  point.id = PointId(9);
  point.vectors.emplace_back("", DenseVector{1, 2, 3});
  ASSERT_TRUE(Upsert({point}).ok());
  QueryRequest query;
  query.query = PointId(9);
  ASSERT_TRUE(service_.Query(context_, "c", query).ok());
  EXPECT_EQ(collection.last_query, (std::vector<float>{1, 2, 3}));
  ASSERT_TRUE(collection.last_filter);
  ASSERT_EQ(collection.last_filter->must_not.size(), 1u);
  EXPECT_EQ(std::get<HasIdCondition>(collection.last_filter->must_not[0]).ids,
            std::vector<PointId>{PointId(9)});
}

TEST_F(ServiceTest, ABatchOfWritesIsEmbeddedAtOnceAndCommittedAtOnce) {
  FakeCollection& collection = MakeCollection();
  UpdateBatch batch;
  batch.operations.emplace_back(UpsertRequest{{TextPoint(1, "one1")}});
  batch.operations.emplace_back(PayloadEdit{{{PointId(1)}, nullptr}, ClearPayload{}});
  batch.operations.emplace_back(UpsertRequest{{TextPoint(2, "two22")}});
  batch.operations.emplace_back(PointsDeletion{{{PointId(1)}, nullptr}});
  Result<UpdateBatchReply> reply = service_.Update(context_, "c", std::move(batch));
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(embedder_.calls[0].texts, (std::vector<std::string>{"one1", "two22"}));
  EXPECT_FALSE(reply->usage.empty());
  ASSERT_EQ(reply->replies.size(), 4u);
  for (uint64_t i = 0; i < 4; ++i) EXPECT_EQ(reply->replies[i].seq, i + 1);
  EXPECT_EQ(collection.commits, 1);
  EXPECT_FALSE(collection.points.contains(PointId(1)));
  EXPECT_TRUE(collection.points.contains(PointId(2)));
}

TEST_F(ServiceTest, ABatchOfWritesEndsAtItsFirstErrorAndKeepsWhatWasDone) {
  for (bool is_error : {false, true}) {
    FakeCollection& collection = MakeCollection();
    PointInput point;
    point.id = PointId(1);
    point.vectors.emplace_back("", DenseVector{1, 2, 3});
    UpdateBatch batch;
    batch.missing_is_an_error = is_error;
    batch.operations.emplace_back(UpsertRequest{{point}});
    batch.operations.emplace_back(
        PayloadEdit{{{PointId(1), PointId(7), PointId(8)}, nullptr}, ClearPayload{}});
    batch.operations.emplace_back(PointsDeletion{{{PointId(1)}, nullptr}});
    Result<UpdateBatchReply> reply = service_.Update(context_, "c", std::move(batch));
    EXPECT_EQ(reply.ok(), !is_error);
    EXPECT_EQ(collection.points.contains(PointId(1)), is_error);
    EXPECT_EQ(collection.commits, 1);
    if (!is_error) continue;
    EXPECT_EQ(reply.status().code(), ErrorCode::kNotFound);
    EXPECT_EQ(reply.status().message(), "operations[1]: No point with id 7 found");
  }
}

TEST_F(ServiceTest, ACollectionThatGoesWhileItIsChangedIsNoneByItsName) {
  FakeCollection& collection = MakeCollection();
  collection.refusal = NotFoundError("gone");
  PointInput point;
  point.id = PointId(1);
  point.vectors.emplace_back("", DenseVector{1, 2, 3});
  const auto change = [](CollectionConfig& config) {
    config.echoed_json["metadata"] = "{}";
    return OkStatus();
  };
  UpdateBatch batch;
  batch.operations.emplace_back(UpsertRequest{{point}});
  for (const Status& status :
       {Upsert({point}).status(), service_.Update(context_, "c", std::move(batch)).status(),
        service_.ChangeCollection(context_, "c", change),
        service_.PutPayloadIndex(context_, "c", {"k", {}}).status(),
        service_.DropPayloadIndex(context_, "c", "k").status()}) {
    EXPECT_EQ(status.code(), ErrorCode::kNotFound);
    EXPECT_TRUE(status.message().ends_with("Collection `c` doesn't exist!")) << status.ToString();
  }
}

TEST_F(ServiceTest, ABatchOfQueriesIsEmbeddedAtOnceAndSearchedAtOnceInOneState) {
  FakeCollection& collection = MakeCollection();
  PointInput point;
  point.id = PointId(9);
  point.vectors.emplace_back("", DenseVector{1, 2, 3});
  ASSERT_TRUE(Upsert({point}).ok());
  collection.hits = {MakeHit(9, -1)};
  std::vector<QueryRequest> queries(5);
  queries[0].query = TextInput{"seven77", ""};
  // queries[1] asks for points by id.
  queries[2].query = TextInput{"eight888", ""};
  queries[3].query = PointId(9);
  queries[4].query = TextInput{"seven77", ""};
  Result<QueryBatchReply> reply = service_.QueryBatch(context_, "c", queries);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(embedder_.calls.size(), 1u);
  EXPECT_EQ(embedder_.calls[0].texts, (std::vector<std::string>{"seven77", "eight888"}));
  EXPECT_EQ(reply->usage, (InferenceUsage{{"small", 15}}));
  EXPECT_EQ(collection.pins, 1);
  EXPECT_EQ(collection.batches, std::vector<size_t>{4});
  ASSERT_EQ(reply->answers.size(), 5u);
  for (const QueryAnswer& answer : reply->answers) {
    ASSERT_EQ(answer.points.size(), 1u);
    EXPECT_EQ(answer.points[0].id, PointId(9));
  }
  EXPECT_EQ(reply->answers[1].points[0].score, 1);
  EXPECT_EQ(reply->answers[2].points[0].score, 1);
}

TEST_F(ServiceTest, ABadQueryOfABatchIsRefusedBeforeAModelRuns) {
  FakeCollection& collection = MakeCollection();
  std::vector<QueryRequest> queries(2);
  queries[0].query = TextInput{"seven77", ""};
  queries[1].query = DenseVector{1};
  const Status refused = service_.QueryBatch(context_, "c", queries).status();
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(refused.message().starts_with("searches[1]: ")) << refused.message();
  EXPECT_TRUE(embedder_.calls.empty());
  EXPECT_TRUE(collection.batches.empty());
}

TEST_F(ServiceTest, QueryByAnUnknownIdIsNotFound) {
  MakeCollection();
  QueryRequest query;
  query.query = PointId(1);
  Status status = service_.Query(context_, "c", query).status();
  EXPECT_EQ(status.code(), ErrorCode::kNotFound);
  EXPECT_EQ(status.message(), "No point with id 1 found");
}

TEST_F(ServiceTest, ScoresAreTheWiresForEveryMetric) {
  struct Case {
    Metric metric;
    float distance;
    float score;
  };
  for (const Case& c : {Case{Metric::kCosine, -0.5f, 0.5f}, Case{Metric::kDot, -7.0f, 7.0f},
                        Case{Metric::kEuclid, 9.0f, 3.0f}, Case{Metric::kManhattan, 4.0f, 4.0f}}) {
    FakeCollection& collection = MakeCollection(c.metric);
    collection.hits = {MakeHit(1, c.distance)};
    QueryRequest query;
    query.query = DenseVector{1, 0, 0};
    Result<QueryReply> reply = service_.Query(context_, "c", query);
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(reply->points.at(0).score, c.score) << MetricName(c.metric);
  }
}

TEST_F(ServiceTest, ScoresBeyondFloat32AreTheLargestThereAre) {
  constexpr float kMax = std::numeric_limits<float>::max();
  struct Case {
    Metric metric;
    float distance;
    float score;
  };
  for (const Case& c :
       {Case{Metric::kDot, INFINITY, -kMax}, Case{Metric::kDot, -INFINITY, kMax},
        Case{Metric::kEuclid, INFINITY, kMax}, Case{Metric::kManhattan, INFINITY, kMax}}) {
    FakeCollection& collection = MakeCollection(c.metric);
    collection.hits = {MakeHit(1, c.distance)};
    QueryRequest query;
    query.query = DenseVector{1, 0, 0};
    EXPECT_EQ(service_.Query(context_, "c", query)->points.at(0).score, c.score);
  }
}

TEST_F(ServiceTest, ScoreOfOrthogonalVectorsIsPositiveZero) {
  FakeCollection& collection = MakeCollection();
  collection.hits = {MakeHit(1, 0.0f)};
  QueryRequest query;
  query.query = DenseVector{1, 0, 0};
  EXPECT_FALSE(std::signbit(service_.Query(context_, "c", query)->points.at(0).score));
}

TEST_F(ServiceTest, ThresholdKeepsScoresEqualToItAndDropsTheRest) {
  FakeCollection& collection = MakeCollection(Metric::kEuclid);
  float threshold = 0.3f;
  float just_in = threshold * threshold;
  collection.hits = {MakeHit(1, 0.01f), MakeHit(2, just_in), MakeHit(3, just_in * 1.001f)};
  QueryRequest query;
  query.query = DenseVector{1, 0, 0};
  query.score_threshold = std::sqrt(just_in);
  Result<QueryReply> reply = service_.Query(context_, "c", query);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->points.size(), 2u);
  EXPECT_GE(*collection.last_distance_max, just_in);

  FakeCollection& similar = MakeCollection(Metric::kDot);
  similar.hits = {MakeHit(1, -2.0f), MakeHit(2, -1.0f), MakeHit(3, -0.5f)};
  query.score_threshold = 1.0f;
  EXPECT_EQ(service_.Query(context_, "c", query)->points.size(), 2u);
}

TEST_F(ServiceTest, WithoutAQueryPointsComeById) {
  FakeCollection& collection = MakeCollection();
  for (uint64_t id = 1; id <= 5; ++id) collection.points[PointId(id)] = Point{};
  QueryRequest query;
  query.limit = 2;
  query.offset = 2;
  Result<QueryReply> reply = service_.Query(context_, "c", query);
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->points.size(), 2u);
  EXPECT_EQ(reply->points[0].id, PointId(3));
  EXPECT_EQ(reply->points[1].id, PointId(4));
  query.offset = SIZE_MAX;
  query.limit = SIZE_MAX;
  EXPECT_TRUE(service_.Query(context_, "c", query)->points.empty());
}

TEST_F(ServiceTest, AModelThatIsAbsentIsListedWhereItShouldBeThere) {
  MakeCollection();
  for (const char* id : {"installed", "unwanted", "first", "pinned", "small", "large"}) {
    embedder_.models.emplace_back().id = id;
  }
  embedder_.models[0].state = ModelState::kInstalled;
  embedder_.models[2].is_default = true;
  embedder_.models[3].pinned = true;
  const auto listed = [&] {
    std::string ids;
    for (const ModelInfo& model : service_.ModelsToServe()) ids += model.id + " ";
    return ids;
  };
  EXPECT_EQ(listed(), "installed first pinned ");
  database_.bindings["c/"] = "fingerprint of small";
  database_.bindings["c/wide"] = "fingerprint of large";
  EXPECT_EQ(listed(), "installed first pinned small ");
  database_.opened = {"c"};
  EXPECT_EQ(listed(), "installed first pinned small large ");
  EXPECT_EQ(service_.Models().size(), 6u);
}

TEST_F(ServiceTest, UnknownVectorNameInAQueryIsRefused) {
  MakeCollection();
  QueryRequest query;
  query.query = DenseVector{1, 0, 0};
  query.using_vector = "nowhere";
  EXPECT_EQ(service_.Query(context_, "c", query).status().message(),
            "Not existing vector name error: nowhere");
}

}  // namespace
}  // namespace akidb::service
