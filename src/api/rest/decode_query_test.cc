// The decoders of queries: what they accept, and in which words they refuse.
#include <string>

#include <gtest/gtest.h>

#include "api/rest/point_json.h"
#include "api/rest/query_json.h"
#include "types/formula.h"

namespace akidb::rest {
namespace {

TEST(DecodeQuery, DefaultsAreTheDialects) {
  Result<QueryRequest> request = DecodeQuery("{}");
  ASSERT_TRUE(request.ok());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(request->query));
  EXPECT_EQ(request->limit, 10u);
  EXPECT_EQ(request->offset, 0u);
  EXPECT_EQ(request->with_payload.mode, PayloadSelector::Mode::kNone);
  EXPECT_EQ(request->with_vectors.mode, VectorSelector::Mode::kNone);
  EXPECT_FALSE(request->score_threshold);
}

TEST(DecodeQuery, ReadsEveryFormOfNearest) {
  EXPECT_EQ(std::get<DenseVector>(DecodeQuery(R"({"query":[1,2]})")->query), (DenseVector{1, 2}));
  EXPECT_EQ(std::get<PointId>(DecodeQuery(R"({"query":7})")->query), PointId(7));
  EXPECT_EQ(std::get<TextInput>(DecodeQuery(R"({"query":{"text":"t","model":"m"}})")->query).text,
            "t");
  EXPECT_EQ(std::get<DenseVector>(DecodeQuery(R"({"query":{"nearest":[1]}})")->query),
            DenseVector{1});
  EXPECT_EQ(std::get<PointId>(DecodeQuery(R"({"query":{"nearest":3,"mmr":null}})")->query),
            PointId(3));
  Result<QueryRequest> full = DecodeQuery(R"({"query":[1],"using":"v","limit":3,"offset":2,
      "score_threshold":0.5,"with_payload":{"exclude":["a"]},"with_vector":["x"],
      "params":{"hnsw_ef":128,"exact":true,"quantization":{"oversampling":2.0},"akidb":{}},
      "prefetch":[],"filter":{},"lookup_from":null,"shard_key":null})");
  ASSERT_TRUE(full.ok()) << full.status().ToString();
  EXPECT_EQ(full->using_vector, "v");
  EXPECT_EQ(full->with_payload.mode, PayloadSelector::Mode::kExclude);
  EXPECT_EQ(full->with_vectors.names, std::vector<std::string>{"x"});
}

TEST(DecodeQuery, WhatTheBodySaysCountsMoreThanDefaults) {
  QueryRequest defaults;
  defaults.explain = true;
  defaults.recall = 0.9;
  for (const char* open :
       {"{}", R"({"params":null})", R"({"params":{"akidb":{"explain":null,"recall":null}}})"}) {
    EXPECT_TRUE(DecodeQuery(open, defaults)->explain) << open;
    EXPECT_EQ(DecodeQuery(open, defaults)->recall, 0.9) << open;
  }
  const std::string said = R"({"params":{"akidb":{"explain":false,"recall":0.5}}})";
  EXPECT_FALSE(DecodeQuery(said, defaults)->explain);
  EXPECT_EQ(DecodeQuery(said, defaults)->recall, 0.5);
  const auto both = DecodeQueryBatch("{\"searches\":[" + said + ",{}]}", defaults);
  ASSERT_TRUE(both.ok());
  EXPECT_FALSE((*both)[0].explain);
  EXPECT_TRUE((*both)[1].explain);
}

TEST(DecodeQuery, ALimitOfZeroIsAValidationErrorAndAHugeOneIsFine) {
  EXPECT_EQ(DecodeQuery(R"({"limit":"x"})").status().message(),
            "limit: expected an unsigned integer, got \"x\"");
  EXPECT_EQ(DecodeQuery(R"({"query":{"order_by":""}})").status().message(),
            "[query.order_by: must not be empty]");
  EXPECT_EQ(DecodeQuery(R"({"limit":0})").status().message(),
            "[limit: value 0 invalid, must be 1 or larger]");
  EXPECT_EQ(DecodeQuery(R"({"limit":999999999})")->limit, 999999999u);
  EXPECT_EQ(DecodeQuery(R"({"limit":-1})").status().code(), ErrorCode::kMalformed);
  EXPECT_EQ(DecodeQuery(R"({"limit":"3"})").status().code(), ErrorCode::kMalformed);
}

TEST(DecodeQuery, ReadsFormulas) {
  const auto request = DecodeQuery(
      R"({"prefetch":{},"query":{"formula":{"sum":["$score[1]",{"mult":[2,"price"]},
          {"key":"k","match":{"value":1}},{"must":[]},{"div":{"left":1,"right":"x"}},
          {"lin_decay":{"x":{"datetime_key":"t"},"target":{"datetime":"1970-01-02"},"scale":2}},
          {"geo_distance":{"origin":{"lat":1,"lon":2},"to":"g"}}]},
          "defaults":{"$score":1,"price":2}}})");
  ASSERT_TRUE(request.ok()) << request.status().message();
  const Formula& formula = *std::get<FormulaQuery>(request->query).formula;
  ASSERT_EQ(formula.root.operands.size(), 7u);
  EXPECT_EQ(formula.root.operands[0].index, 1u);
  EXPECT_EQ(formula.root.operands[1].operands[1].path.text(), "price");
  EXPECT_EQ(formula.conditions.size(), 2u);
  EXPECT_EQ(formula.root.operands[5].operands[1].number, 86400);
  EXPECT_EQ(formula.root.operands[5].number, 0.25);
  EXPECT_TRUE(formula.defaults.root().Member("$score[0]").has_value());
}

TEST(DecodeQuery, RefusesWhatIsNoFormula) {
  for (const char* formula :
       {"null", "[]", "{}x", "true", R"("$scores")", R"("$score[x]")", R"("$rank")", R"("a[")",
        R"({"sum":1})", R"({"max":[]})", R"({"div":{"left":1}})", R"({"pow":{"base":1,"power":2}})",
        R"({"datetime":"soon"})", R"({"geo_distance":{"to":"g"}})", R"({"unknown":1})",
        R"({"geo_distance":{"origin":{"lat":91,"lon":2},"to":"g"}})", R"({"lin_decay":{}})",
        R"({"exp_decay":{"x":1,"midpoint":1}})", R"({"gauss_decay":{"x":1,"scale":0}})"}) {
    const std::string body = std::string(R"({"query":{"formula":)") + formula + "}}";
    EXPECT_FALSE(DecodeQuery(body).ok()) << body;
  }
  EXPECT_FALSE(DecodeQuery(R"({"query":{"formula":1,"defaults":{"$x":1}}})").ok());
  std::string deep = "1";
  for (int i = 0; i < 64; ++i) deep = R"({"neg":)" + deep + "}";
  EXPECT_FALSE(DecodeQuery(R"({"query":{"formula":)" + deep + "}}").ok());
  std::string wide = "1";
  for (int i = 0; i < 1024; ++i) wide += ",1";
  EXPECT_FALSE(DecodeQuery(R"({"query":{"formula":{"sum":[)" + wide + "]}}}").ok());
}

TEST(DecodeQuery, ReadsAmongWhichPointsIndicesAreRare) {
  const auto corpus = [](const std::string& idf) {
    return DecodeQuery(R"({"query":[1],"params":{"idf":)" + idf + "}}");
  };
  EXPECT_EQ(corpus(R"("global")")->idf_corpus, nullptr);
  EXPECT_TRUE(corpus(R"("global")")->idf_scope);
  EXPECT_EQ(corpus("null")->idf_corpus, nullptr);
  EXPECT_FALSE(corpus("null")->idf_scope);
  EXPECT_TRUE(corpus(R"({"corpus":{}})")->idf_corpus->empty());
  EXPECT_EQ(corpus(R"({"corpus":{"must":{"has_id":[1]}}})")->idf_corpus->must.size(), 1u);
  for (const char* wrong : {R"("local")", "7", "{}", R"({"corpus":null})", R"({"corpus":7})",
                            R"({"corpus":{"must":7}})", R"({"scope":"global"})"}) {
    const Status status = corpus(wrong).status();
    EXPECT_EQ(status.code(), ErrorCode::kMalformed) << wrong;
    EXPECT_NE(status.message().find("params.idf"), std::string::npos) << status.message();
  }
}

TEST(DecodeQuery, KnowsNoOtherKinds) {
  EXPECT_EQ(DecodeQuery(R"({"query":{"vector":[1]}})").status().code(), ErrorCode::kMalformed);
}

TEST(DecodeQuery, ReadsEveryKind) {
  const auto form = [](const std::string& query) {
    Result<QueryRequest> request = DecodeQuery(R"({"query":)" + query + "}");
    EXPECT_TRUE(request.ok()) << query << request.status().ToString();
    return request.ok() ? request->query : QueryForm();
  };
  const auto recommend = std::get<RecommendQuery>(
      form(R"({"recommend":{"positive":[1,[1,2],{"text":"t"}],"strategy":"sum_scores"}})"));
  EXPECT_EQ(recommend.positive.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<TextInput>(recommend.positive[2]));
  EXPECT_EQ(recommend.strategy, RecommendStrategy::kSumScores);
  const auto discover = std::get<DiscoverQuery>(
      form(R"({"discover":{"target":[1],"context":{"positive":1,"negative":[2]}}})"));
  EXPECT_EQ(discover.context.size(), 1u);
  const auto context = std::get<ContextQuery>(
      form(R"({"context":[{"positive":1,"negative":2},{"positive":3,"negative":4}]})"));
  EXPECT_EQ(std::get<PointId>(context.context[1].negative), PointId(4));
  const auto order =
      std::get<OrderBy>(form(R"({"order_by":{"key":"k","direction":"desc","start_from":7}})"));
  EXPECT_TRUE(order.descending);
  EXPECT_EQ(order.start_from, OrderValue(int64_t{7}));
  EXPECT_EQ(std::get<OrderBy>(form(R"({"order_by":"k"})")).key, "k");
  const OrderBy in_time =
      std::get<OrderBy>(form(R"({"order_by":{"key":"k","start_from":"1970-01-02T00:00:00Z"}})"));
  EXPECT_EQ(*in_time.start_from, OrderValue(int64_t{86400} * 1000000));
  EXPECT_EQ(std::get<FusionQuery>(form(R"({"fusion":"dbsf"})")).method,
            FusionQuery::Method::kDistribution);
  const auto rrf = std::get<FusionQuery>(form(R"({"rrf":{"k":60,"weights":[1,0.5]}})"));
  EXPECT_EQ(rrf.k, 60u);
  EXPECT_EQ(rrf.weights, (std::vector<float>{1, 0.5f}));
  EXPECT_TRUE(std::holds_alternative<SampleQuery>(form(R"({"sample":"random"})")));
  const auto text = std::get<TextQuery>(form(R"({"text":{"query":"a hose"}})"));
  EXPECT_EQ(text.text, "a hose");
  EXPECT_EQ(text.k1, 1.2f);
  const auto scored =
      std::get<TextQuery>(form(R"({"text":{"query":"a","scoring":{"bm25":{"k":2,"b":null}}}})"));
  EXPECT_EQ(scored.k1, 2);
  EXPECT_EQ(scored.b, 0.75f);
  // Whether this is embedded the service knows.
  EXPECT_EQ(std::get<TextInput>(form(R"({"text":"a hose"})")).text, "a hose");
  const auto diverse = std::get<DiverseQuery>(
      form(R"({"nearest":[1],"mmr":{"diversity":0.25,"candidates_limit":50}})"));
  EXPECT_EQ(diverse.diversity, 0.25f);
  EXPECT_EQ(diverse.candidates_limit, 50u);
  const auto feedback = std::get<FeedbackQuery>(form(
      R"({"relevance_feedback":{"target":1,"feedback":[{"example":2,"score":0.5}],
          "strategy":{"naive":{"a":1,"b":2,"c":3}}}})"));
  EXPECT_EQ(feedback.feedback.size(), 1u);
  EXPECT_EQ(feedback.c, 3);
}

TEST(DecodeQuery, ReadsPrefetchesInsidePrefetches) {
  Result<QueryRequest> request = DecodeQuery(
      R"({"query":{"fusion":"rrf"},"prefetch":[{"limit":999999999,"filter":{}},
          {"query":[1],"using":"v","score_threshold":0.5,"params":{"exact":true},
           "lookup_from":{"collection":"c","vector":"w"},"prefetch":{"query":2}}]})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  ASSERT_EQ(request->prefetch.size(), 2u);
  EXPECT_EQ(request->prefetch[0].limit, 999999999u);
  const QueryStage& second = request->prefetch[1];
  EXPECT_EQ(second.using_vector, "v");
  EXPECT_TRUE(second.exact);
  EXPECT_EQ(second.lookup_from->vector, "w");
  ASSERT_EQ(second.prefetch.size(), 1u);
  EXPECT_EQ(std::get<PointId>(second.prefetch[0].query), PointId(2));
}

TEST(DecodeQuery, NamesTheFieldThatIsWrong) {
  const auto error = [](const std::string& body) {
    return std::string(DecodeQuery(body).status().message());
  };
  EXPECT_EQ(error(R"({"prefetch":[{},{"limit":0}]})"),
            "[prefetch[1].limit: value 0 invalid, must be 1 or larger]");
  EXPECT_EQ(error(R"({"query":{"rrf":{"k":0}}})"),
            "[query.rrf.k: value 0 invalid, must be 1 or larger]");
  EXPECT_EQ(error(R"({"query":{"nearest":[1],"mmr":{"diversity":2}}})"),
            "[query.mmr.diversity: must be from 0.0 to 1.0]");
  EXPECT_EQ(error(R"({"query":{"nearest":[1],"mmr":{"candidates_limit":16385}}})"),
            "[query.mmr.candidates_limit: must be 16384 or smaller]");
  EXPECT_EQ(error(R"({"query":{"fusion":"sum"}})"),
            "query.fusion: unknown variant, expected `rrf` or `dbsf`");
  EXPECT_EQ(error(R"({"query":{"recommend":{"positive":[true]}}})"),
            "query.recommend.positive[0]: expected an array of numbers or an object {\"text\": …, "
            "\"model\": …}, got a boolean");
  EXPECT_EQ(error(R"({"query":{"context":[{"positive":1}]}})"),
            "query.context[0]: missing field `negative`");
  EXPECT_EQ(error(R"({"query":{"order_by":{"direction":"up"}}})"),
            "query.order_by.direction: unknown variant, expected `asc` or `desc`");
  EXPECT_EQ(error(R"({"query":{"order_by":{"key":"k","start_from":"soon"}}})"),
            "query.order_by.start_from: expected a number or an RFC 3339 date and time");
  EXPECT_EQ(error(R"({"query":{"fusion":"rrf","sample":"random"}})"),
            "query: expected `fusion` alone");
  EXPECT_EQ(error(R"({"lookup_from":{}})"), "lookup_from: missing field `collection`");
  EXPECT_EQ(error(R"({"query":{"text":{"query":1}}})"),
            "query.text.query: expected a string, got an integer");
  EXPECT_EQ(error(R"({"query":{"text":{"query":"a","scoring":{"tf":{}}}}})"),
            "query.text.scoring: missing field `bm25`");
  EXPECT_EQ(error(R"({"query":{"text":{"query":"a","scoring":{"bm25":{"k":1e99}}}}})"),
            "[query.text.scoring.bm25.k: must fit a float32]");
}

TEST(DecodeQuery, OlderOperationsAskForTheSameInOtherWords) {
  Result<QueryRequest> search = DecodeQuery(
      R"({"vector":{"name":"v","vector":[1,2]},"limit":3,"offset":1})", {}, QueryDialect::kSearch);
  ASSERT_TRUE(search.ok()) << search.status().ToString();
  EXPECT_EQ(search->using_vector, "v");
  EXPECT_EQ(std::get<DenseVector>(search->query).size(), 2u);
  EXPECT_EQ(DecodeQuery(R"({"limit":3})", {}, QueryDialect::kSearch).status().message(),
            "missing field `vector`");
  EXPECT_EQ(DecodeQuery(R"({"vector":[1]})", {}, QueryDialect::kSearch).status().message(),
            "missing field `limit`");
  Result<QueryRequest> recommend =
      DecodeQuery(R"({"positive":[1],"negative":[2],"strategy":"best_score","limit":3})", {},
                  QueryDialect::kRecommend);
  EXPECT_EQ(std::get<RecommendQuery>(recommend->query).strategy, RecommendStrategy::kBestScore);
  Result<QueryRequest> context = DecodeQuery(
      R"({"context":[{"positive":1,"negative":2}],"limit":3})", {}, QueryDialect::kDiscover);
  EXPECT_TRUE(std::holds_alternative<ContextQuery>(context->query));
  EXPECT_EQ(DecodeQuery(R"({"limit":3})", {}, QueryDialect::kDiscover).status().code(),
            ErrorCode::kMalformed);
}

TEST(DecodeQueryGroups, ReadsWhatGroupsHaveBesideTheQuery) {
  Result<QueryGroupsRequest> request = DecodeQueryGroups(
      R"({"query":[1],"group_by":"a.b","group_size":2,"limit":4,"with_lookup":{"collection":"c",
          "with_payload":false,"with_vectors":true}})");
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(request->group_by, "a.b");
  EXPECT_EQ(request->group_size, 2u);
  EXPECT_EQ(request->query.limit, 4u);
  EXPECT_EQ(request->with_lookup->with_payload.mode, PayloadSelector::Mode::kNone);
  EXPECT_EQ(DecodeQueryGroups(R"({"query":[1],"group_by":"a","with_lookup":"c"})")
                ->with_lookup->with_payload.mode,
            PayloadSelector::Mode::kAll);
  EXPECT_EQ(DecodeQueryGroups(R"({"query":[1]})").status().message(), "missing field `group_by`");
  EXPECT_EQ(DecodeQueryGroups(R"({"group_by":"a","group_size":0})").status().message(),
            "[group_size: value 0 invalid, must be 1 or larger]");
}

TEST(DecodeQueryBatch, ReadsEverySearch) {
  Result<std::vector<QueryRequest>> requests =
      DecodeQueryBatch(R"({"searches":[{"query":[1]},{"query":2,"limit":1}]})");
  ASSERT_TRUE(requests.ok());
  EXPECT_EQ(requests->size(), 2u);
  EXPECT_EQ(DecodeQueryBatch(R"({"searches":[{},{"limit":0}]})").status().message(),
            "[searches[1].limit: value 0 invalid, must be 1 or larger]");
}

TEST(DecodeQuery, BoundsItsPrefetchesBeforeItMakesThem) {
  const auto times = [](size_t count, std::string_view text) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all.append(i == 0 ? "" : ",").append(text);
    return all;
  };
  const auto query = [&](size_t prefetches) {
    return R"({"query":{"fusion":"rrf"},"prefetch":[)" + times(prefetches, "{}") + "]}";
  };
  EXPECT_TRUE(DecodeQuery(query(kQueryStagesMax - 1)).ok());
  const std::string message = "A request may have at most 16384 queries and prefetches";
  EXPECT_EQ(DecodeQuery(query(kQueryStagesMax)).status().message(), message);
  const std::string nested = R"({"prefetch":[)" + times(128, query(127)) + "]}";
  EXPECT_EQ(DecodeQuery(nested).status().message(), message);
  EXPECT_TRUE(DecodeQueryBatch(R"({"searches":[)" + times(128, query(127)) + "]}").ok());
  EXPECT_EQ(DecodeQueryBatch(R"({"searches":[)" + times(129, query(127)) + "]}").status().message(),
            message);
}

TEST(DecodeScroll, ReadsItsFields) {
  Result<ScrollRequest> request = DecodeScroll(
      R"({"offset":"936da01f-9abd-4d9d-80c7-02af85c822a8","limit":5,"with_payload":false})");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->limit, 5u);
  EXPECT_EQ(request->with_payload.mode, PayloadSelector::Mode::kNone);
  EXPECT_EQ(DecodeScroll("{}")->with_payload.mode, PayloadSelector::Mode::kAll);
  EXPECT_EQ(DecodeScroll(R"({"order_by":"k"})")->order_by->key, "k");
}

TEST(DecodeFacetAndMatrix, ReadTheirFieldsAndDefaults) {
  EXPECT_EQ(DecodeFacet(R"({"key":"k","exact":true})")->limit, 10u);
  EXPECT_EQ(DecodeFacet("{}").status().message(), "missing field `key`");
  EXPECT_EQ(DecodeFacet(R"({"key":""})").status().message(), "[key: must not be empty]");
  EXPECT_EQ(DecodeFacet(R"({"key":"k","limit":0})").status().code(), ErrorCode::kValidation);
  Result<MatrixRequest> matrix = DecodeMatrix(R"({"using":"v","sample":5})");
  EXPECT_EQ(matrix->sample, 5u);
  EXPECT_EQ(matrix->limit, 3u);
  EXPECT_EQ(DecodeMatrix(R"({"sample":1})").status().message(),
            "[sample: value 1 invalid, must be 2 or larger]");
}

}  // namespace
}  // namespace akidb::rest
