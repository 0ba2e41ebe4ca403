#include "service/service.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace akidb::service {
namespace {

// A collection that remembers what it was asked and answers from a plain map.
class FakeCollection final : public engine::Collection {
 public:
  explicit FakeCollection(CollectionConfig config) : config_(std::move(config)) {}

  const CollectionConfig& config() const override { return config_; }
  engine::CollectionStats stats() const override {
    engine::CollectionStats stats;
    stats.points = points.size();
    return stats;
  }

  Result<engine::WriteResult> Upsert(const RequestContext&, std::vector<Point> batch) override {
    for (Point& point : batch) points[point.id] = std::move(point);
    return engine::WriteResult{++seq, true};
  }
  Result<engine::WriteResult> Delete(const RequestContext&, std::span<const PointId> ids) override {
    for (const PointId& id : ids) points.erase(id);
    return engine::WriteResult{++seq, true};
  }
  Result<engine::WriteResult> DeleteByFilter(const RequestContext&, const Filter&) override {
    points.clear();
    return engine::WriteResult{++seq, true};
  }
  Result<engine::EditResult> ChangePayloads(const RequestContext&, const PointSelector&,
                                            const PayloadChange&) override {
    return engine::EditResult{{++seq, true}, std::nullopt};
  }
  Result<engine::EditResult> UpdateVectors(const RequestContext&, std::vector<Point>,
                                           const Filter*) override {
    return engine::EditResult{{++seq, true}, std::nullopt};
  }
  Result<engine::EditResult> DeleteVectors(const RequestContext&, const PointSelector&,
                                           std::span<const std::string>) override {
    return engine::EditResult{{++seq, true}, std::nullopt};
  }
  Result<std::vector<PointRecord>> Retrieve(const RequestContext&,
                                            const RetrieveRequest& request) const override {
    std::vector<PointRecord> records;
    for (const PointId& id : request.ids) {
      auto it = points.find(id);
      if (it != points.end()) records.push_back({id, std::nullopt, it->second.vectors});
    }
    return records;
  }
  Result<engine::ScrollPage> Scroll(const RequestContext&,
                                    const ScrollRequest& request) const override {
    engine::ScrollPage page;
    auto it = request.offset ? points.lower_bound(*request.offset) : points.begin();
    for (; it != points.end() && page.points.size() < request.limit; ++it) {
      page.points.push_back({it->first, std::nullopt, std::nullopt});
    }
    if (it != points.end()) page.next = it->first;
    return page;
  }
  Result<uint64_t> Count(const RequestContext&, const Filter*) const override {
    return points.size();
  }
  Result<std::vector<Hit>> Search(const RequestContext&,
                                  const engine::SearchRequest& request) const override {
    last_query.assign(request.query.begin(), request.query.end());
    last_filter = request.filter;
    last_distance_max = request.distance_max;
    return hits;
  }
  Result<engine::WriteResult> PutPayloadIndex(const RequestContext&, const std::string& field,
                                              const PayloadFieldIndex& index) override {
    indexes[field].index = index;
    return engine::WriteResult{seq, true};
  }
  Result<engine::WriteResult> DropPayloadIndex(const RequestContext&,
                                               const std::string& field) override {
    indexes.erase(field);
    return engine::WriteResult{seq, true};
  }
  Result<engine::PayloadIndexInfos> PayloadIndexes(const RequestContext&) const override {
    return indexes;
  }
  Status Seal() override { return OkStatus(); }
  Status Merge() override { return OkStatus(); }
  void Drop() override {}

  CollectionConfig config_;
  std::map<PointId, Point> points;
  engine::PayloadIndexInfos indexes;
  uint64_t seq = 0;
  std::vector<Hit> hits;
  mutable std::vector<float> last_query;
  mutable std::shared_ptr<const Filter> last_filter;
  mutable std::optional<float> last_distance_max;
};

class FakeDatabase final : public engine::Database {
 public:
  Status CreateCollection(const std::string& name, const CollectionConfig& config) override {
    collections[name] = std::make_shared<FakeCollection>(config);
    return OkStatus();
  }
  Result<bool> DeleteCollection(const std::string& name) override {
    return collections.erase(name) > 0;
  }
  std::vector<std::string> ListCollections() const override { return {}; }
  bool CollectionExists(std::string_view name) const override {
    return collections.count(std::string(name)) > 0;
  }
  Result<std::shared_ptr<engine::Collection>> FindCollection(std::string_view name) override {
    auto it = collections.find(std::string(name));
    if (it == collections.end()) return NotFoundError("no such collection");
    return std::shared_ptr<engine::Collection>(it->second);
  }
  Status BindModel(std::string_view collection, std::string_view vector, std::string_view model,
                   std::string_view fingerprint) override {
    std::string key = std::string(collection) + "/" + std::string(vector);
    auto [it, is_new] = bindings.emplace(key, fingerprint);
    if (is_new || it->second == fingerprint) return OkStatus();
    return InvalidArgumentError("bound to another model than " + std::string(model));
  }
  std::optional<engine::BoundModel> ModelOf(std::string_view collection,
                                            std::string_view vector) const override {
    auto bound = bindings.find(std::string(collection) + "/" + std::string(vector));
    if (bound == bindings.end()) return std::nullopt;
    static constexpr std::string_view kPrefix = "fingerprint of ";
    return engine::BoundModel{bound->second.substr(kPrefix.size()), bound->second};
  }

  std::map<std::string, std::shared_ptr<FakeCollection>> collections;
  std::map<std::string, std::string> bindings;
};

// Vector of a text: its length, then zeros; tokens: its length.
class FakeEmbedder final : public embedding::Embedder {
 public:
  Result<embedding::EmbedResult> Embed(const RequestContext&,
                                       const embedding::EmbedRequest& request) override {
    calls.push_back(
        {request.model, {request.texts.begin(), request.texts.end()}, request.input_type});
    if (!failure.ok()) return failure;
    embedding::EmbedResult result;
    result.model = request.model;
    result.dims = Dims(request.model);
    for (const std::string& text : request.texts) {
      result.vectors.push_back(static_cast<float>(text.size()));
      result.vectors.resize(result.vectors.size() + result.dims - 1);
      result.tokens.push_back(static_cast<uint32_t>(text.size()));
      result.truncated.push_back(text.size() > 100);
    }
    return result;
  }
  std::vector<embedding::ModelInfo> Models() override { return {}; }
  Result<embedding::ModelInfo> FindModel(std::string_view name) override {
    std::string id(name.empty() || name == "alias" ? "small" : name);
    if (id != "small" && id != "large") return NotFoundError("no model " + id);
    embedding::ModelInfo info;
    info.id = id;
    info.dims = Dims(id);
    info.fingerprint = "fingerprint of " + id;
    return info;
  }
  Status Load(const RequestContext&, std::string_view) override { return OkStatus(); }

  struct Call {
    std::string model;
    std::vector<std::string> texts;
    embedding::InputType input_type;
  };
  std::vector<Call> calls;
  Status failure;

 private:
  static uint32_t Dims(std::string_view id) { return id == "small" ? 3 : 5; }
};

class ServiceTest : public testing::Test {
 protected:
  FakeCollection& MakeCollection(Metric metric = Metric::kCosine) {
    CollectionConfig config;
    config.vectors[""].dim = 3;
    config.vectors[""].metric = metric;
    config.vectors["wide"].dim = 5;
    config.vectors["wide"].metric = metric;
    EXPECT_TRUE(service_.CreateCollection("c", config).ok());
    return *database_.collections["c"];
  }
  static PointInput TextPoint(uint64_t id, std::string text, std::string model = "",
                              std::string vector = "") {
    PointInput point;
    point.id = PointId(id);
    point.vectors.emplace_back(vector, TextInput{std::move(text), std::move(model)});
    return point;
  }
  Result<WriteReply> Upsert(std::vector<PointInput> points) {
    return service_.Upsert(context_, "c", {std::move(points)});
  }
  static Hit MakeHit(uint64_t id, float distance) {
    Hit hit;
    hit.id = PointId(id);
    hit.seq = id;
    hit.distance = distance;
    return hit;
  }

  RequestContext context_;
  FakeDatabase database_;
  FakeEmbedder embedder_;
  Service service_{database_, embedder_};
};

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
