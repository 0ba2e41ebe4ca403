#include "service/strict_checks.h"

#include <gtest/gtest.h>

#include "service/rate_limiter.h"
#include "service/service_fixture.h"
#include "service/strict_limits.h"
#include "types/strict_mode_json.h"

namespace akidb::service {
namespace {

PayloadPath Path(std::string_view text) { return *PayloadPath::Parse(text); }

Filter Must(Condition condition) {
  Filter filter;
  filter.must.push_back(std::move(condition));
  return filter;
}

class StrictChecksTest : public testing::Test {
 protected:
  StrictChecksTest() : collection_(MakeConfig()) {
    collection_.indexes["k"].index = {PayloadFieldKind::kKeyword, ""};
    collection_.indexes["n"].index = {PayloadFieldKind::kInteger, R"({"range":false})"};
    collection_.indexes["a[].f"].index = {PayloadFieldKind::kFloat, ""};
    mode_.enabled = true;
  }
  static CollectionConfig MakeConfig() {
    CollectionConfig config;
    config.vectors[""] = {.dim = 2};
    return config;
  }
  StrictChecks Checks() const { return {mode_, collection_, meter_}; }
  std::string Error(const Status& status) const { return std::string(status.message()); }
  // Of a read through this filter.
  std::string ReadError(const Filter& filter) const { return Error(Checks().Read(&filter, 1)); }

  StrictMode mode_;
  FakeCollection collection_;
  StrictChecks::MemoryMeter meter_;
};

TEST_F(StrictChecksTest, WithoutLimitsEverythingPasses) {
  QueryStage stage;
  stage.limit = SIZE_MAX;
  stage.exact = true;
  EXPECT_TRUE(Checks().Query(stage).ok());
  EXPECT_TRUE(Checks().Timeout(1'000'000).ok());
}

TEST_F(StrictChecksTest, LimitsHoldForPrefetchesAndGroupsToo) {
  mode_.max_query_limit = 10;
  QueryStage stage;
  EXPECT_TRUE(Checks().Query(stage).ok());
  stage.prefetch.emplace_back();
  stage.prefetch[0].limit = 11;
  EXPECT_EQ(Error(Checks().Query(stage)),
            "Bad request: Limit exceeded 11 > 10 for \"limit\". Help: Reduce the \"limit\" "
            "parameter to or below 10.");
  QueryGroupsRequest groups;
  groups.query.limit = 4;
  groups.group_size = 3;
  EXPECT_FALSE(Checks().Groups(groups).ok());
  groups.query.limit = SIZE_MAX;
  EXPECT_FALSE(Checks().Groups(groups).ok());
  groups.query.limit = 3;
  EXPECT_TRUE(Checks().Groups(groups).ok());
}

TEST_F(StrictChecksTest, WhatASearchMayCost) {
  mode_.search_allow_exact = false;
  mode_.search_max_hnsw_ef = 100;
  mode_.search_max_oversampling = 1.5;
  mode_.search_max_batchsize = 2;
  mode_.max_timeout = 5;
  QueryStage stage;
  stage.ef = 101;
  EXPECT_NE(Error(Checks().Query(stage)).find("Limit exceeded 101 > 100 for \"hnsw_ef\""),
            std::string::npos);
  stage.ef = 100;
  stage.oversampling = 2.5;
  EXPECT_NE(Error(Checks().Query(stage)).find("Limit exceeded 2.5 > 1.5 for \"oversampling\""),
            std::string::npos);
  stage.oversampling = 0;
  stage.exact = true;
  EXPECT_EQ(Error(Checks().Query(stage)),
            "Bad request: Exact search disabled!. Help: Set exact=false.");
  EXPECT_TRUE(Checks().Batch(2).ok());
  EXPECT_NE(Error(Checks().Batch(3)).find("\"search batch size\""), std::string::npos);
  EXPECT_NE(Error(Checks().Timeout(6)).find("\"timeout\""), std::string::npos);
}

TEST_F(StrictChecksTest, SearchesThatCompareEverythingCountAsExact) {
  mode_.search_allow_exact = false;
  CollectionConfig config = MakeConfig();
  config.echoed_json["hnsw_config"] = R"({"m":0})";
  FakeCollection without(config);
  const StrictChecks checks(mode_, without, meter_);
  QueryStage stage;
  stage.query = DenseVector{1, 2};
  EXPECT_NE(Error(checks.Query(stage)).find("global vector indexing is disabled"),
            std::string::npos);
  without.indexes["tenant"].index = {PayloadFieldKind::kKeyword, R"({"is_tenant":true})"};
  auto filter = Must(FieldCondition{Path("tenant"), MatchValue{"x"}});
  stage.filter = std::make_shared<const Filter>(std::move(filter));
  EXPECT_TRUE(checks.Query(stage).ok());
  EXPECT_TRUE(Checks().Query(stage).ok());
}

TEST_F(StrictChecksTest, FieldsNeedAnIndexOfTheRightKind) {
  mode_.unindexed_filtering_retrieve = false;
  const auto missing = [](const std::string& key, const std::string& kinds) {
    return "Bad request: Index required but not found for \"" + key +
           "\" of one of the following types: [" + kinds +
           "]. Help: Create an index for this key or use a different filter.";
  };
  NumericRange range;
  range.gt = 1;
  EXPECT_EQ(ReadError(Must(FieldCondition{Path("k"), MatchValue{"x"}})), "");
  EXPECT_EQ(ReadError(Must(FieldCondition{Path("k"), MatchValue{int64_t{1}}})),
            missing("k", "integer"));
  EXPECT_EQ(ReadError(Must(FieldCondition{Path("u"), MatchAny{{"x"}}})),
            missing("u", "keyword, uuid"));
  EXPECT_EQ(ReadError(Must(FieldCondition{Path("n"), MatchValue{int64_t{1}}})), "");
  EXPECT_EQ(ReadError(Must(FieldCondition{Path("n"), range})), missing("n", "float, integer"));
  EXPECT_EQ(ReadError(Must(IsEmptyCondition{Path("x")})), "");
  auto inner = std::make_shared<const Filter>(Must(FieldCondition{Path("f"), NumericRange(range)}));
  EXPECT_EQ(ReadError(Must(NestedCondition{Path("a"), inner})), "");
  EXPECT_EQ(ReadError(Must(NestedCondition{Path("b"), inner})), missing("b[].f", "float, integer"));
  QueryGroupsRequest groups;
  groups.group_by = "k";
  EXPECT_TRUE(Checks().Groups(groups).ok());
  groups.group_by = "other";
  EXPECT_NE(Error(Checks().Groups(groups)).find("Index required but not found for \"other\""),
            std::string::npos);
  groups.group_by = "a[].f";
  EXPECT_NE(Error(Checks().Groups(groups)).find("Index of type \"float\" found"),
            std::string::npos);
}

TEST_F(StrictChecksTest, FiltersAreBoundedWhateverTheirFieldsHave) {
  mode_.filter_max_conditions = 1;
  mode_.condition_max_size = 2;
  Filter two = Must(IsEmptyCondition{Path("x")});
  two.should.push_back(std::make_shared<const Filter>(Must(IsNullCondition{Path("y")})));
  EXPECT_NE(ReadError(two).find("Filter condition limit reached (2 > 1)"), std::string::npos);
  EXPECT_NE(ReadError(Must(FieldCondition{Path("k"), MatchAny{{"a", "b", "c"}}}))
                .find("Condition size limit reached (3 > 2)"),
            std::string::npos);
  EXPECT_NE(ReadError(Must(FieldCondition{Path("k"), MatchSubstring{"a"}}))
                .find("Substring matching is not allowed, used for \"k\""),
            std::string::npos);
}

TEST_F(StrictChecksTest, WritesAreBounded) {
  mode_.upsert_max_batchsize = 1;
  mode_.max_points_count = 1;
  mode_.unindexed_filtering_update = false;
  mode_.max_length[""] = 1;
  UpsertRequest upsert;
  upsert.points.resize(2);
  EXPECT_NE(Error(Checks().Write(upsert)).find("\"upsert limit\""), std::string::npos);
  upsert.points.resize(1);
  EXPECT_TRUE(Checks().Write(upsert).ok());
  DenseVector sparse{1, 2};
  sparse.indices = {3, 4};
  upsert.points[0].vectors.emplace_back("", sparse);
  EXPECT_EQ(Error(Checks().Write(upsert)),
            "Bad request: Sparse vector '' has a limit of 1 indices");
  upsert.points[0].vectors.clear();
  collection_.points[PointId(1)] = {};
  EXPECT_EQ(Error(Checks().Write(upsert)), "Bad request: Max points count limit of 1 reached!");
  PointsDeletion deletion;
  deletion.points.filter =
      std::make_shared<const Filter>(Must(FieldCondition{Path("x"), MatchValue{"y"}}));
  EXPECT_NE(Error(Checks().Write(deletion)).find("Index required"), std::string::npos);
  mode_.max_points_count.reset();
  mode_.max_resident_memory_percent = 50;
  EXPECT_TRUE(Checks().Write(upsert).ok());
  meter_ = [] { return std::optional<uint64_t>(49); };
  EXPECT_TRUE(Checks().Write(upsert).ok());
  meter_ = [] { return std::optional<uint64_t>(50); };
  EXPECT_NE(Error(Checks().Write(upsert)).find("Resident memory usage is at 50% of total memory"),
            std::string::npos);
  deletion.points.filter = nullptr;
  EXPECT_TRUE(Checks().Write(deletion).ok());
  mode_.max_payload_index_count = 3;
  EXPECT_TRUE(Checks().NewIndex("k").ok());
  EXPECT_FALSE(Checks().NewIndex("another").ok());
}

TEST(StrictMode, IsReadAndForgotten) {
  const StrictMode mode = *StrictModeFromJson(
      R"({"enabled":true,"max_query_limit":7,"search_allow_exact":false,"unknown":1,
          "sparse_config":{"w":{"max_length":3},"x":{}},"search_max_oversampling":2})");
  EXPECT_TRUE(mode.enabled);
  EXPECT_EQ(mode.max_query_limit, 7u);
  EXPECT_EQ(mode.search_allow_exact, false);
  EXPECT_EQ(mode.search_max_oversampling, 2.0);
  EXPECT_EQ(mode.max_length, (std::map<std::string, uint64_t>{{"w", 3}}));
  EXPECT_FALSE(StrictModeFromJson("7").ok());
  EXPECT_FALSE(StrictModeFromJson(R"({"max_timeout":"x"})").ok());

  StrictCollections collections;
  CollectionConfig config;
  config.echoed_json["strict_mode_config"] = R"({"enabled":true,"read_rate_limit":1})";
  std::shared_ptr<engine::Collection> collection = std::make_shared<FakeCollection>(config);
  const auto limits = *collections.Of(collection);
  ASSERT_NE(limits, nullptr);
  EXPECT_EQ(*collections.Of(collection), limits);
  config.echoed_json["strict_mode_config"] = R"({"enabled":false,"read_rate_limit":1})";
  EXPECT_EQ(*collections.Of(std::make_shared<FakeCollection>(config)), nullptr);
  config.echoed_json.clear();
  EXPECT_EQ(*collections.Of(std::make_shared<FakeCollection>(config)), nullptr);
}

TEST(RateLimiter, FillsUpToWhatAMinuteBrings) {
  RateLimiter::Time now{};
  RateLimiter limiter("Read", 60, now);
  EXPECT_TRUE(limiter.Take(60, now).ok());
  EXPECT_EQ(limiter.Take(2, now).message(),
            "Rate limiting exceeded: Read rate limit exceeded: Operation requires 2 tokens but "
            "only 0.0 were available. Retry after 2s");
  now += std::chrono::milliseconds(1500);
  EXPECT_TRUE(limiter.Take(1, now).ok());
  EXPECT_FALSE(limiter.Take(1, now).ok());
  now += std::chrono::hours(1);
  EXPECT_TRUE(limiter.Take(60, now).ok());
  EXPECT_FALSE(limiter.Take(1, now - std::chrono::hours(2)).ok());
  EXPECT_NE(limiter.Take(61, now).message().find("please try to split your request"),
            std::string::npos);
}

TEST(Costs, AreOfConditionsAndPoints) {
  QueryStage stage;
  EXPECT_EQ(ReadCost(stage), 1u);
  stage.filter = std::make_shared<const Filter>(Must(IsNullCondition{Path("x")}));
  stage.prefetch.resize(2);
  EXPECT_EQ(ReadCost(stage), 4u);
  UpsertRequest upsert;
  EXPECT_EQ(WriteCost(upsert), 1u);
  upsert.points.resize(7);
  EXPECT_EQ(WriteCost(upsert), 7u);
}

}  // namespace
}  // namespace akidb::service
