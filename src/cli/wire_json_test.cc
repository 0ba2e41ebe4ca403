#include "cli/wire_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(WireJson, WritesTextsInThePlaceOfVectors) {
  TextPoint point;
  point.id = PointId(uint64_t{7});
  point.text = "a \"b\"";
  EXPECT_EQ(WriteUpsert({"m"}, std::span(&point, 1)),
            R"({"points":[{"id":7,"vector":{"text":"a \"b\"","model":"m"},"payload":{}}]})");
}

TEST(WireJson, WritesWordsBesideTheModelsVector) {
  TextPoint point;
  point.id = PointId(7);
  point.text = "a";
  EXPECT_EQ(WriteUpsert({"m", true}, std::span(&point, 1)),
            R"({"points":[{"id":7,"vector":{"":{"text":"a","model":"m"},)"
            R"("bm25":{"text":"a","model":"qdrant/bm25"}},"payload":{}}]})");
  EXPECT_EQ(
      WriteCreateCollection({3, true}),
      R"({"vectors":{"size":3,"distance":"Cosine"},"sparse_vectors":{"bm25":{"modifier":"idf"}}})");
  EXPECT_EQ(WriteCreateCollection({3}), R"({"vectors":{"size":3,"distance":"Cosine"}})");
}

TEST(WireJson, AHybridQuestionFusesTwoLists) {
  SearchQuestion question;
  question.text = "q";
  question.hybrid = true;
  EXPECT_EQ(WriteQuery(question),
            R"({"prefetch":[{"query":{"text":"q","model":""},"limit":40},)"
            R"({"query":{"text":"q","model":"qdrant/bm25"},"using":"bm25","limit":40}],)"
            R"("query":{"fusion":"rrf"},"limit":3,"with_payload":true})");
}

TEST(WireJson, ReadsWhetherACollectionHasWords) {
  const std::string head = R"({"result":{"config":{"params":{"vectors":{})";
  EXPECT_FALSE(ReadCollection(head + "}}}}")->has_words);
  EXPECT_FALSE(ReadCollection(head + R"(,"sparse_vectors":{"other":{}}}}}})")->has_words);
  EXPECT_TRUE(ReadCollection(head + R"(,"sparse_vectors":{"bm25":{}}}}}})")->has_words);
}

TEST(WireJson, WritesFiltersByType) {
  SearchQuestion question;
  question.text = "q";
  question.matches = {{"a", std::string("x")}, {"b.c", int64_t{3}}, {"d", true}};
  EXPECT_EQ(WriteQuery(question),
            R"({"query":{"text":"q","model":""},"limit":3,"with_payload":true,"filter":{"must":[)"
            R"({"key":"a","match":{"value":"x"}},{"key":"b.c","match":{"value":3}},)"
            R"({"key":"d","match":{"value":true}}]}})");
}

TEST(WireJson, ReadsAnswers) {
  Result<SearchAnswer> answer = ReadAnswer(
      R"({"result":{"points":[{"id":"936da01f-9abd-4d9d-80c7-02af85c822a8","version":1,"score":0.5,)"
      R"("payload":{"text":"t"}},{"id":3,"score":1}]},"akidb":{"embed_ms":2.5,"search_ms":0.25}})");
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  ASSERT_EQ(answer->passages.size(), 2U);
  EXPECT_EQ(answer->passages[0].id.ToString(), "936da01f-9abd-4d9d-80c7-02af85c822a8");
  EXPECT_EQ(answer->passages[0].payload.root().Member("text")->AsString(), "t");
  EXPECT_EQ(answer->passages[1].id, PointId(uint64_t{3}));
  EXPECT_EQ(answer->embed_ms, 2.5);
  EXPECT_EQ(answer->search_ms, 0.25);
}

TEST(WireJson, ReadsAnswersOfServersThatTellNoTimes) {
  Result<SearchAnswer> answer = ReadAnswer(R"({"result":{"points":[]}})");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->embed_ms, 0);
}

TEST(WireJson, ReadsPages) {
  Result<StoredPage> page =
      ReadPage(R"({"result":{"points":[{"id":1,"payload":null}],"next_page_offset":2}})");
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->points.size(), 1U);
  EXPECT_EQ(page->next, PointId(uint64_t{2}));
  page = ReadPage(R"({"result":{"points":[],"next_page_offset":null}})");
  ASSERT_TRUE(page.ok());
  EXPECT_FALSE(page->next.has_value());
}

TEST(WireJson, FindsModelsByIdAliasAndDefault) {
  const std::string body =
      R"({"data":[{"id":"one","akidb":{"aliases":[],"dimensions":8,"max_tokens":16,"default":false}},)"
      R"({"id":"two","akidb":{"aliases":["second"],"dimensions":4,"max_tokens":32,"default":true}}]})";
  EXPECT_EQ(ReadModel(body, "one")->dims, 8U);
  EXPECT_EQ(ReadModel(body, "second")->id, "two");
  EXPECT_EQ(ReadModel(body, "")->max_tokens, 32U);
  Result<ModelFacts> missing = ReadModel(body, "three");
  EXPECT_EQ(missing.status().code(), ErrorCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("one, two"));
  EXPECT_EQ(ReadModel(R"({"data":[]})", "").status().code(), ErrorCode::kInference);
}

TEST(WireJson, ReadsEmbeddings) {
  EmbedAnswer answer;
  Status read = ReadEmbeddings(
      R"({"data":[{"embedding":[1.0,0]},{"embedding":[0.5,-2e-1]}],"model":"m","usage":{"total_tokens":9}})",
      answer);
  ASSERT_TRUE(read.ok()) << read.ToString();
  EXPECT_EQ(answer.dims, 2U);
  EXPECT_EQ(answer.tokens, 9U);
  EXPECT_THAT(answer.vectors, ElementsAre(1.0F, 0.0F, 0.5F, -0.2F));
}

TEST(WireJson, TakesTheReasonFromEitherFormOfError) {
  EXPECT_EQ(ReadError(R"({"status":{"error":"a"},"time":0})"), "a");
  EXPECT_EQ(ReadError(R"({"error":{"message":"b"}})"), "b");
  EXPECT_EQ(ReadError("<html>"), "");
  EXPECT_EQ(ReadError(""), "");
}

TEST(WireJson, RefusesAnswersOfOtherServers) {
  for (const char* body :
       {"", "hello", "[]", "{}", R"({"result":1})", R"({"result":{"points":[1]}})"}) {
    EXPECT_FALSE(ReadAnswer(body).ok()) << body;
    EXPECT_FALSE(ReadPage(body).ok()) << body;
    EXPECT_FALSE(ReadPoints(body).ok()) << body;
    EXPECT_FALSE(ReadCollection(body).ok()) << body;
    EXPECT_FALSE(ReadModel(body, "").ok()) << body;
  }
}

}  // namespace
}  // namespace akidb::cli
