// The decoders of request bodies: what they accept, and in which words they refuse.
#include <string>

#include <gtest/gtest.h>

#include "api/dialect/collection_json.h"
#include "api/rest/openai_json.h"
#include "api/rest/point_json.h"
#include "api/rest/update_json.h"
#include "types/collection_config_json.h"

namespace akidb::rest {
namespace {

std::string Repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

Status UpsertStatus(std::string_view body) { return DecodeUpsert(body).status(); }

Status IdStatus(std::string_view id) {
  return UpsertStatus("{\"points\":[{\"id\":" + std::string(id) + ",\"vector\":[1]}]}");
}

TEST(DecodeUpsert, ReadsListsOfPointsWithEveryKindOfVector) {
  Result<UpsertRequest> request = DecodeUpsert(R"({"points":[
      {"id":1,"vector":[0.1,2,-3e1],"payload":{"a":1.0}},
      {"id":"936da01f9abd4d9d80c702af85c822a8","vector":{"":[1],"title":{"text":"t","model":"m"}}},
      {"id":3,"vector":{"text":"hello","model":"m","options":{}},"payload":null}]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  ASSERT_EQ(request->points.size(), 3u);
  const auto& points = request->points;
  EXPECT_EQ(std::get<DenseVector>(points[0].vectors[0].second), (DenseVector{0.1f, 2, -30}));
  EXPECT_EQ(points[1].id.ToString(), "936da01f-9abd-4d9d-80c7-02af85c822a8");
  EXPECT_EQ(points[1].vectors[1].first, "title");
  EXPECT_EQ(std::get<TextInput>(points[1].vectors[1].second).text, "t");
  EXPECT_EQ(std::get<TextInput>(points[2].vectors[0].second).model, "m");
}

TEST(DecodeUpsert, ReadsMultivectorsWhoseRowsAreOfOneLength) {
  Result<UpsertRequest> request = DecodeUpsert(
      R"({"points":[{"id":1,"vector":[[1,2],[3,4]]},{"id":2,"vector":{"a":[[5]],"b":[]}}]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  const auto& points = request->points;
  EXPECT_EQ(std::get<DenseVector>(points[0].vectors[0].second),
            DenseVector::OfRows({1, 2, 3, 4}, 2));
  EXPECT_EQ(std::get<DenseVector>(points[1].vectors[0].second), DenseVector::OfRows({5}, 1));
  EXPECT_EQ(std::get<DenseVector>(points[1].vectors[1].second), DenseVector());
  request = DecodeUpsert(R"({"batch":{"ids":[1,2],"vectors":[[[1],[2]],[[3]]]}})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(std::get<DenseVector>(request->points[0].vectors[0].second),
            DenseVector::OfRows({1, 2}, 1));

  Status refused = UpsertStatus(R"({"points":[{"id":1,"vector":{"a":[[1,2],[3]]}}]})");
  EXPECT_EQ(refused.code(), ErrorCode::kValidation);
  EXPECT_NE(refused.message().find("points[0].vector.a[1]: all vectors must have the same "
                                   "dimension, found vector with dimension 1"),
            std::string::npos)
      << refused.message();
  for (const char* empty : {"[[]]", "[[1],[]]"}) {
    refused = UpsertStatus(R"({"points":[{"id":1,"vector":)" + std::string(empty) + "}]}");
    EXPECT_EQ(refused.code(), ErrorCode::kValidation);
    EXPECT_NE(refused.message().find("must be non-empty"), std::string::npos);
  }
  for (const char* bad : {"[[1],2]", "[1,[2]]", R"([[1],["a"]])", "[[[1]]]", R"([{"text":"a"}])",
                          R"([[1],{"text":"a"}])"}) {
    refused = UpsertStatus(R"({"points":[{"id":1,"vector":)" + std::string(bad) + "}]}");
    EXPECT_EQ(refused.code(), ErrorCode::kMalformed) << bad;
  }
}

TEST(DecodeUpsert, ReadsColumns) {
  Result<UpsertRequest> request =
      DecodeUpsert(R"({"batch":{"ids":[1,2],"vectors":[[1],[2]],"payloads":[{"a":1},null]}})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  ASSERT_EQ(request->points.size(), 2u);
  EXPECT_EQ(std::get<DenseVector>(request->points[1].vectors[0].second), DenseVector{2});
  EXPECT_FALSE(request->points[0].payload.empty());
  EXPECT_TRUE(request->points[1].payload.empty());

  request = DecodeUpsert(R"({"batch":{"ids":[1,2],"vectors":{"a":[[1],[2]],"b":[[3],[4]]}}})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->points[1].vectors.size(), 2u);
}

TEST(DecodeUpsert, RefusesColumnsOfUnequalLength) {
  EXPECT_EQ(UpsertStatus(R"({"batch":{"ids":[1,2],"vectors":[[1]]}})").code(),
            ErrorCode::kMalformed);
  EXPECT_EQ(UpsertStatus(R"({"batch":{"ids":[1],"vectors":[[1],[2]]}})").code(),
            ErrorCode::kMalformed);
  EXPECT_EQ(UpsertStatus(R"({"batch":{"ids":[1],"vectors":[[1]],"payloads":[]}})").code(),
            ErrorCode::kMalformed);
}

TEST(DecodeUpsert, AcceptsEveryIdOf64BitsAndEveryFormOfUuid) {
  for (const char* id :
       {"0", "1", "9007199254740993", "18446744073709551615",
        "\"936da01f-9abd-4d9d-80c7-02af85c822a8\"", "\"936DA01F9ABD4D9D80C702AF85C822A8\"",
        "\"urn:uuid:936da01f-9abd-4d9d-80c7-02af85c822a8\""}) {
    EXPECT_TRUE(IdStatus(id).ok()) << id << ": " << IdStatus(id).ToString();
  }
  Result<UpsertRequest> request =
      DecodeUpsert(R"({"points":[{"id":18446744073709551615,"vector":[1]}]})");
  EXPECT_EQ(request->points[0].id.number(), UINT64_MAX);
}

TEST(DecodeUpsert, RefusesEveryOtherId) {
  for (const char* id : {"18446744073709551616", "-1", "1.5", "1.0", "true", "null", "\"\"",
                         "\"abc\"", "\"936da01f-9abd-4d9d-80c7-02af85c822a\"", "[1]", "{}"}) {
    EXPECT_EQ(IdStatus(id).code(), ErrorCode::kMalformed) << id;
  }
  EXPECT_EQ(IdStatus("-1").message(),
            "points[0].id: value -1 is not a valid point ID, valid values are either an unsigned "
            "integer or a UUID");
}

TEST(DecodeUpsert, SaysWhereSomethingIsWrong) {
  EXPECT_EQ(UpsertStatus(R"({"points":[{"id":1,"vector":[1]},{"id":2,"vector":{"a":[1,"x"]}}]})")
                .message(),
            "points[1].vector.a[1]: expected a number, got a string");
  EXPECT_EQ(UpsertStatus(R"({"points":[{"id":1}]})").message(),
            "points[0]: missing field `vector`");
  EXPECT_EQ(UpsertStatus("{}").message(), "missing field `points` or `batch`");
  EXPECT_EQ(UpsertStatus("[]").message(), "body: expected a JSON object, got an array");
}

TEST(DecodeUpsert, RefusesWhatIsNoJson) {
  for (const char* body :
       {"", " ", "{", "{\"points\":[", "{\"points\":[{\"id\":1,\"vector\":[1,]}]}", "nonsense",
        "{\"points\":[{\"id\":1,\"vector\":[NaN]}]}",
        "{\"points\":[{\"id\":1,\"vector\":[Infinity]}]}",
        "{\"points\":[{\"id\":1,\"vector\":[-Infinity]}]}",
        "{\"points\":[{\"id\":1,\"vector\":[1e999]}]}", "{\"points\":\"\xff\"}", "{} {}"}) {
    EXPECT_EQ(UpsertStatus(body).code(), ErrorCode::kMalformed) << body;
  }
}

TEST(DecodeUpsert, RefusesDeepNestingWithoutRecursion) {
  std::string deep = Repeat("[", 100000) + Repeat("]", 100000);
  EXPECT_EQ(UpsertStatus(deep).message(), "nested deeper than 256 levels");
  std::string payload = Repeat("{\"a\":", 130) + "1" + Repeat("}", 130);
  EXPECT_EQ(
      UpsertStatus("{\"points\":[{\"id\":1,\"vector\":[1],\"payload\":" + payload + "}]}").code(),
      ErrorCode::kMalformed);
  payload = Repeat("{\"a\":", 100) + "1" + Repeat("}", 100);
  EXPECT_TRUE(
      UpsertStatus("{\"points\":[{\"id\":1,\"vector\":[1],\"payload\":" + payload + "}]}").ok());
}

TEST(DecodeUpsert, NamesWhatIsNotServed) {
  for (const char* vector :
       {R"({"image":"x","model":"m"})", R"({"text":"x","model":"m","options":{"k":1}})"}) {
    Status status =
        UpsertStatus("{\"points\":[{\"id\":1,\"vector\":{\"a\":" + std::string(vector) + "}}]}");
    EXPECT_EQ(status.code(), ErrorCode::kUnsupported) << vector;
  }
  EXPECT_EQ(UpsertStatus(R"({"points":[],"shard_key":"a"})").code(), ErrorCode::kUnsupported);
}

TEST(DecodeUpsert, ReadsWhichPointsAreWritten) {
  const std::pair<std::string_view, UpsertMode> modes[] = {
      {R"("upsert")", UpsertMode::kAll},
      {R"("insert_only")", UpsertMode::kInsertOnly},
      {R"("update_only")", UpsertMode::kUpdateOnly},
      {"null", UpsertMode::kAll},
  };
  for (const auto& [text, mode] : modes) {
    auto request =
        DecodeUpsert(R"({"points":[],"update_filter":{},"update_mode":)" + std::string(text) + "}");
    ASSERT_TRUE(request.ok()) << text;
    EXPECT_EQ(request->mode, mode) << text;
    EXPECT_NE(request->filter, nullptr);
  }
  EXPECT_EQ(UpsertStatus(R"({"points":[],"update_mode":"replace"})").code(), ErrorCode::kMalformed);
  EXPECT_EQ(UpsertStatus(R"({"points":[],"update_filter":{"x":1}})").code(), ErrorCode::kMalformed);
}

TEST(DecodeUpsert, ReadsSparseVectors) {
  const auto body = [](std::string_view vector) {
    return R"({"points":[{"id":1,"vector":{"s":)" + std::string(vector) + "}}]}";
  };
  Result<UpsertRequest> request =
      DecodeUpsert(body(R"({"values":[1,2],"indices":[7,4294967295]})"));
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(std::get<DenseVector>(request->points[0].vectors[0].second),
            DenseVector::AtIndices({7, 4294967295u}, {1, 2}));
  EXPECT_EQ(UpsertStatus(body(R"({"indices":[1,1],"values":[1,2]})")).message(),
            "[points[0].vector.s.indices: must be unique]");
  EXPECT_EQ(UpsertStatus(body(R"({"indices":[1],"values":[1,2]})")).code(), ErrorCode::kValidation);
  for (const char* bad :
       {R"({"indices":[1]})", R"({"values":[1]})", R"({"indices":[-1],"values":[1]})",
        R"({"indices":[4294967296],"values":[1]})", R"({"indices":[1],"values":["a"]})",
        R"({"indices":{},"values":[]})"}) {
    EXPECT_EQ(UpsertStatus(body(bad)).code(), ErrorCode::kMalformed) << bad;
  }
}

TEST(DecodeUpsert, KeepsVectorsThatAreNamedLikeFieldsOfInferenceObjects) {
  Result<UpsertRequest> request =
      DecodeUpsert(R"({"points":[{"id":1,"vector":{"text":[1],"image":[2]}}]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->points[0].vectors.size(), 2u);
}

// The filter of a count request.
Result<CountRequest> Filtered(std::string_view filter) {
  return DecodeCount("{\"filter\":" + std::string(filter) + "}");
}

TEST(DecodeFilter, ReadsEveryConditionThatIsServed) {
  Result<CountRequest> request = Filtered(R"({
      "must":[{"key":"a.b","match":{"value":"x"}},{"key":"n","match":{"any":[1,2]}},
              {"key":"n","match":{"except":["u"]}},
              {"key":"f","range":{"gte":1,"lt":2.5,"gt":null}}],
      "should":{"is_empty":{"key":"e"}},
      "must_not":[{"is_null":{"key":"z"}},{"has_id":[3,1]},{"has_vector":"v"}],
      "min_should":{"conditions":[{"nested":{"key":"o","filter":{"must":[]}}},{"should":[]}],
                    "min_count":1}})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  const Filter& filter = *request->filter;
  EXPECT_EQ(filter.must.size(), 4u);
  EXPECT_EQ(filter.should.size(), 1u);
  EXPECT_EQ(filter.must_not.size(), 3u);
  EXPECT_EQ(filter.min_should.size(), 2u);
  EXPECT_EQ(filter.min_should_count, 1u);
  EXPECT_EQ(std::get<HasIdCondition>(filter.must_not[1]).ids.front(), PointId(1));
  const auto& range = std::get<FieldCondition>(filter.must[3]);
  EXPECT_EQ(std::get<NumericRange>(range.predicate).lt, 2.5);
}

TEST(DecodeFilter, TypesOfMatchedValuesAreKept) {
  Result<CountRequest> request =
      Filtered(R"({"must":[{"key":"k","match":{"value":1}},{"key":"k","match":{"value":true}}]})");
  ASSERT_TRUE(request.ok());
  auto value = [&](size_t i) {
    return std::get<MatchValue>(std::get<FieldCondition>(request->filter->must[i]).predicate).value;
  };
  EXPECT_TRUE(std::holds_alternative<int64_t>(value(0)));
  EXPECT_TRUE(std::holds_alternative<bool>(value(1)));
}

TEST(DecodeFilter, RefusesUnknownKeysAndMisshapenConditions) {
  for (const char* filter :
       {R"({"musst":[]})", R"({"must":[{"key":"a","match":{"valu":1}}]})",
        R"({"must":[{"key":"a","match":{"value":1,"any":[1]}}]})",
        R"({"must":[{"key":"a","match":{"value":1.5}}]})",
        R"({"must":[{"key":"a","match":{"any":[1,"x"]}}]})",
        R"({"must":[{"key":"a","rnge":{"gt":1}}]})", R"({"must":[{"has_id":[1],"x":1}]})",
        R"({"must":[{"key":"a","range":{"above":1}}]})", R"({"must":[1]})", R"({"must":"x"})",
        R"({"min_should":{"conditions":[]}})", R"({"must":[{"nested":{"key":"a"}}]})", "[]",
        R"({"must":[{"key":"a[","match":{"value":1}}]})"}) {
    EXPECT_EQ(Filtered(filter).status().code(), ErrorCode::kMalformed) << filter;
  }
  EXPECT_EQ(Filtered(R"({"must":[{"key":"a[","match":{"value":1}}]})").status().message(),
            "filter.must[0].key: `a[` is no payload path: `[` is not closed");
  EXPECT_EQ(Filtered(R"({"musst":[]})").status().message(),
            "unknown field `filter.musst`, expected one of `should`, `min_should`, `must`, "
            "`must_not`");
}

TEST(DecodeFilter, AKeyWithoutAPredicateIsAValidationError) {
  Status status = Filtered(R"({"must":[{"key":"a"}]})").status();
  EXPECT_EQ(status.code(), ErrorCode::kValidation);
  EXPECT_EQ(status.message(), "[filter.must[0]: At least one field condition must be specified]");
}

TEST(DecodeFilter, NestsToTheLimitAndNoDeeper) {
  auto nested = [](int depth) { return Repeat("{\"must\":[", depth) + Repeat("]}", depth); };
  EXPECT_TRUE(Filtered(nested(kFilterDepthMax)).ok());
  EXPECT_EQ(Filtered(nested(kFilterDepthMax + 1)).status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(Filtered(nested(100)).status().code(), ErrorCode::kMalformed);
}

TEST(DecodeUpdates, ReadsEveryKindInOrder) {
  Result<std::vector<UpdateOperation>> updates = DecodeUpdates(R"({"operations":[
      {"upsert":{"points":[{"id":1,"vector":[1]}]}},
      {"delete":{"points":[2]}},
      {"set_payload":{"payload":{"a":1},"points":[3],"key":"k"}},
      {"overwrite_payload":{"payload":{"a":1},"points":[3]}},
      {"delete_payload":{"keys":["a"],"points":[3]}},
      {"clear_payload":{"filter":{}}},
      {"update_vectors":{"points":[{"id":4,"vector":[1]}]}},
      {"delete_vectors":{"vector":["v"],"points":[5],"filter":{}}}]})");
  ASSERT_TRUE(updates.ok()) << updates.status().ToString();
  ASSERT_EQ(updates->size(), 8u);
  EXPECT_EQ(std::get<UpsertRequest>(updates->at(0)).points.at(0).id, PointId(1));
  EXPECT_EQ(std::get<PointsDeletion>(updates->at(1)).points.ids.at(0), PointId(2));
  const auto change = [&](size_t i) { return std::get<PayloadEdit>(updates->at(i)).change; };
  EXPECT_TRUE(std::get<SetPayload>(change(2)).key);
  EXPECT_TRUE(std::holds_alternative<OverwritePayload>(change(3)));
  EXPECT_EQ(std::get<DeletePayloadKeys>(change(4)).keys.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<ClearPayload>(change(5)));
  EXPECT_TRUE(std::get<PayloadEdit>(updates->at(5)).points.filter);
  EXPECT_EQ(std::get<VectorsUpdate>(updates->at(6)).points.at(0).id, PointId(4));
  EXPECT_EQ(std::get<VectorsRemoval>(updates->at(7)).points.size(), 2u);
  EXPECT_TRUE(DecodeUpdates(R"({"operations":[]})")->empty());
}

TEST(DecodeUpdates, NamesTheOperationThatIsWrong) {
  const auto error = [](const std::string& operation) {
    return std::string(
        DecodeUpdates(R"({"operations":[{"delete":{"points":[1]}},)" + operation + "]}")
            .status()
            .message());
  };
  EXPECT_EQ(error("{}"), "operations[1]: expected one operation, got none");
  EXPECT_EQ(error(R"({"delete":{"points":[1]},"upsert":{"points":[]}})"),
            "operations[1]: expected one operation, got several");
  EXPECT_EQ(error(R"({"set_payload":{"points":[1]}})"),
            "operations[1].set_payload: missing field `payload`");
  EXPECT_EQ(error(R"({"update_vectors":{"points":[]}})"),
            "[operations[1].update_vectors.points: must specify points to update]");
  EXPECT_EQ(DecodeUpdates("{}").status().message(), "missing field `operations`");
}

TEST(DecodePointSelector, WantsIdsOrAFilterAndTakesIdsOfBoth) {
  EXPECT_EQ(DecodePointSelector(R"({"points":[1,2]})")->ids.size(), 2u);
  EXPECT_TRUE(DecodePointSelector(R"({"filter":{}})")->filter != nullptr);
  EXPECT_FALSE(DecodePointSelector("{}").ok());
  for (const char* both : {R"({"points":[5],"filter":{}})", R"({"filter":{},"points":[5]})"}) {
    const Result<PointSelector> selector = DecodePointSelector(both);
    ASSERT_TRUE(selector.ok()) << selector.status().ToString();
    EXPECT_EQ(selector->ids, std::vector<PointId>{PointId(5)});
    EXPECT_EQ(selector->filter, nullptr);
  }
}

std::string Described(const CollectionConfig& config, const service::CollectionStats& stats = {}) {
  std::string out;
  JsonWriter json(out);
  dialect::WriteCollectionInfo({stats, config}, json);
  return out;
}

TEST(DecodeCreateCollection, ASingleVectorIsTheDefaultOneAndRoundTrips) {
  Result<CollectionConfig> config = dialect::DecodeCreateCollection(
      R"({"vectors":{"size":4,"distance":"Dot","on_disk":true,"hnsw_config":{"m":8}},
          "hnsw_config":{"ef_construct":64},"optimizers_config":{"max_optimization_threads":"auto"},
          "metadata":{"owner":"me","akidb":{"durability":"interval"}},"shard_number":1})");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  ASSERT_EQ(config->vectors.size(), 1u);
  EXPECT_EQ(config->vectors.at("").dim, 4u);
  EXPECT_EQ(config->vectors.at("").metric, Metric::kDot);
  EXPECT_EQ(config->durability, Durability::kInterval);
  std::string info = Described(*config);
  for (const char* part :
       {R"("vectors":{"size":4,"distance":"Dot","on_disk":true,"hnsw_config":{"m":8}})",
        R"("hnsw_config":{"m":16,"ef_construct":64,"full_scan_threshold":10000)",
        R"("metadata":{"owner":"me","akidb":{"durability":"interval"}})",
        R"("max_optimization_threads":null)", R"("quantization_config":null)",
        R"("status":"green","optimizer_status":"ok")", R"("payload_schema":{})"}) {
    EXPECT_NE(info.find(part), std::string::npos) << part << "\nin " << info;
  }
}

TEST(WriteCollectionInfo, LeavesOutWhatEarlierVersionsKeptUnknown) {
  CollectionConfig config;
  config.vectors[""] = {.dim = 2, .metric = Metric::kDot};
  config.vectors["s"] = VectorConfig::Sparse(false);
  config.echoed_json["vector_options"] =
      R"({"":{"unknown":1,"on_disk":true,"hnsw_config":{"m":4,"unknown":1}}})";
  config.echoed_json["sparse_vector_options"] = R"({"s":{"index":{"unknown":1}}})";
  config.echoed_json["payload"] = R"({"memory":"cold","unknown":1})";
  for (const char* key : {"hnsw_config", "optimizers_config", "wal_config", "strict_mode_config"}) {
    config.echoed_json[key] = R"({"unknown":1})";
  }
  config.echoed_json["quantization_config"] = R"({"binary":{"unknown":1},"unknown":1})";
  std::string text;
  JsonWriter json(text);
  service::CollectionInfo info{{}, config};
  info.payload_indexes["k"].index = {.kind = PayloadFieldKind::kKeyword,
                                     .params_json = R"({"type":"keyword","unknown":1})"};
  dialect::WriteCollectionInfo(info, json);
  EXPECT_EQ(text.find("unknown"), std::string::npos) << text;
  for (const char* kept :
       {R"("on_disk":true,"hnsw_config":{"m":4})", R"("sparse_vectors":{"s":{"index":{}}})",
        R"("payload":{"memory":"cold"})", R"("quantization_config":{"binary":{}})",
        R"("params":{"type":"keyword"})"}) {
    EXPECT_NE(text.find(kept), std::string::npos) << text;
  }
}

TEST(WriteCollectionInfo, TheStatusTellsOfMergesAndFailures) {
  service::CollectionStats stats;
  stats.graph_due = true;
  EXPECT_NE(Described({}, stats).find(R"("status":"yellow","optimizer_status":"ok")"),
            std::string::npos);
  stats.graph_due = false;
  EXPECT_NE(Described({}, stats).find(R"("status":"green")"), std::string::npos);
  stats.merge_due = true;
  EXPECT_NE(Described({}, stats).find(R"("status":"yellow","optimizer_status":"ok")"),
            std::string::npos);
  stats.merge_failure = "full";
  EXPECT_NE(Described({}, stats).find(R"("status":"yellow","optimizer_status":{"error":"full"})"),
            std::string::npos);
  stats.damage = "damaged: a.seg";
  EXPECT_NE(
      Described({}, stats).find(R"("status":"red","optimizer_status":{"error":"damaged: a.seg"})"),
      std::string::npos);
  stats.read_only_reason = "broken";
  EXPECT_NE(Described({}, stats).find(R"("status":"red","optimizer_status":{"error":"broken"})"),
            std::string::npos);
}

TEST(DecodeCreateCollection, NamedVectorsMayBeCalledAnything) {
  Result<CollectionConfig> config = dialect::DecodeCreateCollection(
      R"({"vectors":{"size":{"size":2,"distance":"Cosine"},"":{"size":3,"distance":"Euclid"}}})");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->vectors.at("size").dim, 2u);
  EXPECT_EQ(config->vectors.at("").dim, 3u);
  EXPECT_NE(Described(*config).find(R"("vectors":{"":{"size":3)"), std::string::npos);
  EXPECT_TRUE(dialect::DecodeCreateCollection("{}")->vectors.empty());
  EXPECT_TRUE(dialect::DecodeCreateCollection(R"({"vectors":{}})")->vectors.empty());
}

TEST(DecodeCreateCollection, RefusesValuesOutOfRangeWithTheirPath) {
  struct Case {
    const char* body;
    const char* message;
  };
  for (const Case& c :
       {Case{R"({"hnsw_config":{"ef_construct":1}})",
             "[hnsw_config.ef_construct: value 1 invalid, must be 4 or larger]"},
        Case{R"({"vectors":{"size":0,"distance":"Dot"}})",
             "[vectors.size: value 0 invalid, must be 1 or larger]"},
        Case{R"({"vectors":{"size":65537,"distance":"Dot"}})",
             "[vectors.size: value 65537 invalid, must be from 1 to 65536]"},
        Case{R"({"optimizers_config":{"deleted_threshold":1.5}})",
             "[optimizers_config.deleted_threshold: value 1.5 invalid, must be from 0.0 to 1.0]"},
        Case{R"({"shard_number":0})", "[shard_number: value 0 invalid, must be 1 or larger]"}}) {
    Status status = dialect::DecodeCreateCollection(c.body).status();
    EXPECT_EQ(status.code(), ErrorCode::kValidation) << c.body;
    EXPECT_EQ(status.message(), c.message);
  }
}

TEST(DecodeCreateCollection, RefusesWrongTypesAndVariants) {
  for (const char* body :
       {R"({"vectors":{"size":4}})", R"({"vectors":{"distance":"Dot"}})",
        R"({"vectors":{"size":4,"distance":"Hamming"}})",
        R"({"vectors":{"size":"4","distance":"Dot"}})", R"({"vectors":[1]})",
        R"({"vectors":{"a":{"size":4}}})", R"({"hnsw_config":3})",
        R"({"quantization_config":{"scalar":{}}})", R"({"quantization_config":{"cubic":{}}})",
        R"({"on_disk_payload":1})", R"({"metadata":{"akidb":{"durability":"never"}}})",
        R"({"metadata":{"akidb":{"colour":1}}})", R"({"sharding_method":"mine"})"}) {
    EXPECT_EQ(dialect::DecodeCreateCollection(body).status().code(), ErrorCode::kMalformed) << body;
  }
}

TEST(DecodeCreateCollection, PrefixesBelongToVectorsThatAreThere) {
  const std::string one = R"({"vectors":{"size":2560,"distance":"Dot"},"metadata":{"akidb":{)";
  const std::string named =
      R"({"metadata":{"akidb":{"matryoshka":%}},"vectors":{"a/b":{"size":2560,"distance":"Dot"}}})";
  auto of_one = [&](const std::string& value) {
    return dialect::DecodeCreateCollection(one + R"("matryoshka":)" + value + "}}}");
  };
  auto of_named = [&](const std::string& value) {
    std::string body = named;
    return dialect::DecodeCreateCollection(body.replace(body.find('%'), 1, value));
  };
  ASSERT_TRUE(of_one("[64,1024,2560]").ok());
  EXPECT_EQ(PrefixesOf(*of_one("[64,1024,2560]"), ""), (std::vector<uint32_t>{64, 1024, 2560}));
  ASSERT_TRUE(of_one(R"({"":[1024]})").ok());
  EXPECT_EQ(PrefixesOf(*of_one(R"({"":[1024]})"), ""), std::vector<uint32_t>{1024});
  ASSERT_TRUE(of_one("null").ok());
  ASSERT_TRUE(of_named(R"({"a/b":[512]})").ok());
  EXPECT_EQ(PrefixesOf(*of_named(R"({"a/b":[512]})"), "a/b"), std::vector<uint32_t>{512});
  for (const char* value :
       {"[]", "[63]", "[2561]", "[512,512]", "[1024,512]", "[-1]", "[1.5]", "[\"512\"]", "512",
        "true", R"({"":[]})", R"({"":512})", R"({"b":[512]})"}) {
    const Status status = of_one(value).status();
    const bool below = std::string_view(value) == "[63]";
    EXPECT_EQ(status.code(), below ? ErrorCode::kValidation : ErrorCode::kMalformed) << value;
    EXPECT_NE(status.message().find("metadata.akidb.matryoshka"), std::string::npos)
        << status.ToString();
  }
  EXPECT_EQ(of_named("[512]").status().code(), ErrorCode::kMalformed);
  EXPECT_NE(of_named("[512]").status().message().find("by name"), 0u);
}

TEST(DecodeCreateCollection, ReadsMultivectorsAndDatatypes) {
  Result<CollectionConfig> config = dialect::DecodeCreateCollection(
      R"({"vectors":{"a":{"size":4,"distance":"Dot","multivector_config":{"comparator":"max_sim"},
                          "datatype":"float16"},
                     "b":{"size":4,"distance":"Dot","multivector_config":null,"datatype":"uint8"},
                     "c":{"size":4,"distance":"Dot","datatype":"turbo4"}}})");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_TRUE(config->vectors.at("a").multivector);
  EXPECT_EQ(config->vectors.at("a").datatype, VectorDatatype::kFloat16);
  EXPECT_FALSE(config->vectors.at("b").multivector);
  EXPECT_EQ(config->vectors.at("b").datatype, VectorDatatype::kUint8);
  EXPECT_EQ(config->vectors.at("c").datatype, VectorDatatype::kFloat32);
  for (const char* bad : {R"({"comparator":"min_sim"})", "{}", "1", R"({"comparator":1})"}) {
    const std::string body =
        R"({"vectors":{"size":4,"distance":"Dot","multivector_config":)" + std::string(bad) + "}}";
    EXPECT_EQ(dialect::DecodeCreateCollection(body).status().code(), ErrorCode::kMalformed) << body;
  }
}

TEST(DecodeCreateCollection, NamesWhatIsNotServed) {
  for (const char* body :
       {R"({"sharding_method":"custom"})", R"({"metadata":{"akidb":{"string_ids":true}}})"}) {
    EXPECT_EQ(dialect::DecodeCreateCollection(body).status().code(), ErrorCode::kUnsupported)
        << body;
  }
}

TEST(DecodeEmbeddings, ReadsOpenAisRequest) {
  Result<EmbeddingsRequest> request = DecodeEmbeddings(
      R"({"input":["a","b"],"model":"m","encoding_format":"base64","dimensions":64,"user":"u",
          "input_type":"query","truncate":"none","instruction":"find"})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->texts, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(request->base64);
  EXPECT_EQ(request->dims, 64u);
  EXPECT_EQ(request->input_type, service::InputType::kQuery);
  EXPECT_EQ(request->truncate, service::Truncate::kNone);
  EXPECT_EQ(DecodeEmbeddings(R"({"input":""})")->texts, std::vector<std::string>{""});
}

TEST(DecodeEmbeddings, RefusesWhatItCantEmbed) {
  EXPECT_EQ(DecodeEmbeddings("{}").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(DecodeEmbeddings(R"({"input":[]})").status().code(), ErrorCode::kValidation);
  EXPECT_EQ(DecodeEmbeddings(R"({"input":["a",1]})").status().code(), ErrorCode::kMalformed);
  std::string many = "{\"input\":[\"a\"" + Repeat(",\"a\"", kEmbeddingInputsMax) + "]}";
  EXPECT_EQ(DecodeEmbeddings(many).status().code(), ErrorCode::kValidation);
  EXPECT_EQ(DecodeEmbeddings(R"({"input":"a","encoding_format":"hex"})").status().code(),
            ErrorCode::kMalformed);
}

}  // namespace
}  // namespace akidb::rest
