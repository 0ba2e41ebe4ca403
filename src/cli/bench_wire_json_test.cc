#include "cli/bench_wire_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akidb::cli {
namespace {

using ::testing::HasSubstr;

TEST(BenchWireJson, WritesWhatTheApiReads) {
  EXPECT_EQ(WriteBenchCollection("", 3, Metric::kDot),
            R"({"vectors":{"size":3,"distance":"Dot"}})");
  EXPECT_EQ(WriteBenchCollection("a", 3, Metric::kEuclid),
            R"({"vectors":{"a":{"size":3,"distance":"Euclid"}}})");
  const DenseVector vector = {0.5f, 2};
  const SharedPoint point{7, vector, 9};
  EXPECT_EQ(WriteBenchPoints("", std::span(&point, 1)),
            R"({"points":[{"id":7,"vector":[0.5,2.0],"payload":{"share":9}}]})");
  EXPECT_EQ(WriteBenchPoints("a", std::span(&point, 1)),
            R"({"points":[{"id":7,"vector":{"a":[0.5,2.0]},"payload":{"share":9}}]})");
  EXPECT_EQ(WriteBenchQuery({"", ""}, {.vector = vector, .limit = 5, .exact = true}),
            R"({"query":[0.5,2.0],"limit":5,"params":{"exact":true}})");
  EXPECT_EQ(WriteBenchQuery({"a", R"({"must":[]})"}, {.vector = vector, .limit = 5, .ef = 40}),
            R"({"query":[0.5,2.0],"using":"a","limit":5,"params":{"exact":false,"hnsw_ef":40},)"
            R"("filter":{"must":[]}})");
  SearchCost cost;
  EXPECT_EQ(WriteBenchQuery({"", ""}, {.vector = vector, .limit = 5, .cost = &cost}),
            R"({"query":[0.5,2.0],"limit":5,"params":{"exact":false,"akidb":{"explain":true}}})");
  EXPECT_EQ(WriteFilteredCount(""), R"({"exact":true})");
  EXPECT_EQ(WriteIdPage(PointId(4), 10), R"({"limit":10,"offset":4,"with_payload":false})");
  const PointId id(3);
  EXPECT_EQ(WriteVectorsOf("a", std::span(&id, 1)),
            R"({"ids":[3],"with_payload":false,"with_vector":["a"]})");
}

TEST(BenchWireJson, ReadsFactsOfOneVector) {
  const std::string unnamed = R"({"result":{"status":"yellow","points_count":12,"config":
      {"params":{"vectors":{"size":3,"distance":"Manhattan"}}}}})";
  Result<CollectionFacts> facts = ReadCollectionFacts(unnamed, "");
  ASSERT_TRUE(facts.ok()) << facts.status().ToString();
  EXPECT_EQ(facts->facts.dim, 3u);
  EXPECT_EQ(facts->facts.metric, Metric::kManhattan);
  EXPECT_EQ(facts->facts.points, 12u);
  EXPECT_FALSE(facts->green);
  EXPECT_EQ(ReadCollectionFacts(unnamed, "a").status().code(), ErrorCode::kNotFound);
  const std::string named = R"({"result":{"status":"green","points_count":12,"config":
      {"params":{"vectors":{"a":{"size":3,"distance":"Dot"}}}}}})";
  facts = ReadCollectionFacts(named, "a");
  ASSERT_TRUE(facts.ok());
  EXPECT_TRUE(facts->green);
  EXPECT_THAT(ReadCollectionFacts(named, "").status().message(), HasSubstr("--vector"));
}

TEST(BenchWireJson, CostsAreThoseOfAllSources) {
  Result<SearchCost> cost = ReadSearchCost(R"({"result":{"points":[]},"akidb":{"plans":[{"sources":[
      {"way":"graph","estimated":100,"compared":20,"bytes":3000},
      {"way":"vectors","estimated":0,"compared":7,"bytes":500}]}]}})");
  ASSERT_TRUE(cost.ok()) << cost.status().ToString();
  EXPECT_EQ(cost->rows, 127u);
  EXPECT_EQ(cost->bytes, 3500u);
  cost = ReadSearchCost(R"({"result":{"points":[]}})");
  ASSERT_TRUE(cost.ok());
  EXPECT_EQ(cost->rows, 0u);
  EXPECT_FALSE(ReadSearchCost(R"({"akidb":{"plans":[{"sources":[{}]}]}})").ok());
}

TEST(BenchWireJson, ScoresBecomeDistances) {
  const std::string body = R"({"result":{"points":[{"id":1,"score":0.5},{"id":2,"score":2}]}})";
  Result<std::vector<Neighbour>> found = ReadNeighbours(body, Metric::kCosine);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->at(0).distance, -0.5f);
  found = ReadNeighbours(body, Metric::kEuclid);
  EXPECT_EQ(found->at(1).distance, 4);
  EXPECT_EQ(found->at(1).id, PointId(2));
}

TEST(BenchWireJson, ReadsPagesAndVectors) {
  Result<IdPage> page = ReadIdPage(R"({"result":{"points":[{"id":1}],"next_page_offset":5}})");
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->ids, std::vector<PointId>{PointId(1)});
  EXPECT_EQ(page->next, PointId(5));
  const std::string body = R"({"result":[{"id":1,"vector":{"a":[1,2]}},{"id":2,"vector":{}}]})";
  auto vectors = ReadVectorsOf(body, "a");
  ASSERT_TRUE(vectors.ok());
  ASSERT_EQ(vectors->size(), 1u);
  EXPECT_EQ(vectors->at(0).second, (DenseVector{1, 2}));
  EXPECT_EQ(*ReadCount(R"({"result":{"count":3}})"), 3u);
}

TEST(BenchWireJson, OtherAnswersAreRefused) {
  for (const char* body : {"", "{}", "[]", R"({"result":7})"}) {
    EXPECT_EQ(ReadCount(body).status().code(), ErrorCode::kInternal) << body;
    EXPECT_EQ(ReadIdPage(body).status().code(), ErrorCode::kInternal) << body;
    EXPECT_EQ(ReadNeighbours(body, Metric::kDot).status().code(), ErrorCode::kInternal) << body;
    EXPECT_EQ(ReadVectorsOf(body, "").status().code(), ErrorCode::kInternal) << body;
    EXPECT_EQ(ReadCollectionFacts(body, "").status().code(), ErrorCode::kInternal) << body;
  }
  EXPECT_TRUE(CheckJsonObject("{}").ok());
  for (const char* text : {"", "[]", "{", "{} {}"}) {
    EXPECT_EQ(CheckJsonObject(text).code(), ErrorCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace akidb::cli
