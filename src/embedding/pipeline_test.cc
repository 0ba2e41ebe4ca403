#include "embedding/pipeline.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <limits>
#include <mutex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedding/byte_tokenizer_fixture.h"

namespace akidb::embedding {
namespace {

using testing::ElementsAre;

// What it was asked to run.
struct Runs {
  std::mutex mutex;
  std::set<std::vector<int64_t>> sequences;
  size_t count = 0;  // of sequences, each as often as it was run
  size_t items_max = 0;
  bool padded = false;
  std::promise<void> given_back;  // once
};

// A token's hidden state is its id and its place, so that pooling shows which token was taken.
class RecordingSession final : public Session {
 public:
  explicit RecordingSession(Runs& runs) : runs_(runs) {}
  Status Run(const TokenBatch& batch, RunControl&, const Use& use) override {
    std::vector<float> values;
    std::lock_guard lock(runs_.mutex);
    runs_.items_max = std::max(runs_.items_max, batch.items);
    for (size_t i = 0; i < batch.items; ++i) {
      auto row = batch.ids.begin() + static_cast<ptrdiff_t>(i * batch.tokens);
      runs_.sequences.insert({row, row + batch.lengths[i]});
      ++runs_.count;
      runs_.padded = runs_.padded || batch.lengths[i] != batch.tokens;
      for (size_t t = 0; t < batch.tokens; ++t) {
        values.insert(values.end(), {static_cast<float>(row[static_cast<ptrdiff_t>(t)]),
                                     static_cast<float>(t), 1, 0});
      }
    }
    return use({values, batch.items, batch.tokens, 4});
  }
  void GiveBack() override { runs_.given_back.set_value(); }

 private:
  Runs& runs_;
};

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    manifest_.id = "bytes";
    manifest_.max_tokens = 16;
    manifest_.pooling = Pooling::kLast;
    manifest_.dims = 4;
    manifest_.dims_offered = {2};
  }

  Result<EmbedResult> Embed(const std::vector<std::string>& texts) {
    Pipeline pipeline(
        std::make_shared<const TextEncoder>(manifest_, std::make_unique<ByteTokenizer>()),
        std::make_unique<RecordingSession>(runs_), options_);
    request_.texts = texts;
    return pipeline.Embed(context_, request_);
  }
  // The only sequence that was run.
  std::vector<int64_t> Sequence(const std::string& text) {
    Result<EmbedResult> result = Embed({text});
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    EXPECT_EQ(runs_.sequences.size(), 1u);
    return runs_.sequences.empty() ? std::vector<int64_t>() : *runs_.sequences.begin();
  }

  Manifest manifest_;
  PipelineOptions options_;
  EmbedRequest request_;
  RequestContext context_;
  Runs runs_;
};

TEST_F(PipelineTest, PutsWhatTheManifestAppendsBehindEveryText) {
  manifest_.append_ids = {250, 251};
  EXPECT_THAT(Sequence("ab"), ElementsAre(1, 'a', 'b', 2, 250, 251));
}

TEST_F(PipelineTest, RunsIdsInPlaceOfTexts) {
  manifest_.append_ids = {250};
  const std::vector<std::vector<int32_t>> ids = {{'a', 'b'}};
  request_.ids = ids;
  Result<EmbedResult> result = Embed({});
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_THAT(*runs_.sequences.begin(), ElementsAre(1, 'a', 'b', 2, 250));
  EXPECT_EQ(result->tokens, std::vector<uint32_t>{5});
  EXPECT_EQ(Embed({"a"}).status().code(), ErrorCode::kInvalidArgument);
  const std::vector<std::vector<int32_t>> beyond = {{'a'}, {'b', 256}};
  request_.ids = beyond;
  EXPECT_EQ(Embed({}).status().code(), ErrorCode::kInvalidArgument);
}

TEST_F(PipelineTest, CutsTheTextOnly) {
  manifest_.append_ids = {250};
  manifest_.query_prompt = "q:";
  manifest_.max_tokens = 9;
  request_.input_type = InputType::kQuery;
  EXPECT_THAT(Sequence("abcdefgh"), ElementsAre(1, 'q', ':', 'a', 'b', 'c', 'd', 2, 250));
  runs_.sequences.clear();
  request_.truncate = Truncate::kStart;
  EXPECT_THAT(Sequence("abcdefgh"), ElementsAre(1, 'q', ':', 'e', 'f', 'g', 'h', 2, 250));
  request_.truncate = Truncate::kNone;
  EXPECT_EQ(Embed({"abcdefgh"}).status().code(), ErrorCode::kTooLarge);
  EXPECT_EQ(Embed({"abcd"})->tokens[0], 9u);
}

TEST_F(PipelineTest, TheLastTokenIsTheOneThatIsPooled) {
  manifest_.append_ids = {250};
  manifest_.dims = 4;
  Result<EmbedResult> result = Embed({"a", "abcdef", "ab"});
  ASSERT_TRUE(result.ok());
  // Hidden state (250, length - 1, 1, 0), whatever else was in the run.
  EXPECT_NEAR(result->vector(0)[1] / result->vector(0)[0], 3.0 / 250, 1e-6);
  EXPECT_NEAR(result->vector(1)[1] / result->vector(1)[0], 8.0 / 250, 1e-6);
  EXPECT_NEAR(result->vector(2)[1] / result->vector(2)[0], 4.0 / 250, 1e-6);
}

TEST_F(PipelineTest, AShorterVectorHasUnitLengthAgain) {
  request_.dims = 2;
  Result<EmbedResult> result = Embed({"abc", "d"});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->vectors.size(), 4u);
  for (size_t i = 0; i < 2; ++i) {
    const float x = result->vector(i)[0];
    const float y = result->vector(i)[1];
    EXPECT_NEAR(x * x + y * y, 1, 1e-6);
  }
}

TEST_F(PipelineTest, BatchesTextsOfAboutOneLength) {
  std::vector<std::string> texts;
  for (char c = 'a'; c <= 'z'; ++c) texts.emplace_back(1 + c % 8, c);
  ASSERT_TRUE(Embed(texts).ok());
  EXPECT_GT(runs_.items_max, 1u);
}

TEST_F(PipelineTest, RunsOneTextAtATimeWhereTheManifestSaysSo) {
  manifest_.one_text_a_run = true;
  std::vector<std::string> texts;
  for (char c = 'a'; c <= 'z'; ++c) texts.emplace_back(1 + c % 8, c);
  ASSERT_TRUE(Embed(texts).ok());
  EXPECT_EQ(runs_.sequences.size(), texts.size());
  EXPECT_EQ(runs_.items_max, 1u);
  EXPECT_FALSE(runs_.padded);
}

TEST_F(PipelineTest, RunsEqualTextsOfARequestOnce) {
  // More than are handed over at once, so that the first are done when the last come.
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.emplace_back(1, static_cast<char>('a' + i % 3));
  Result<EmbedResult> result = Embed(texts);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(runs_.count, 3u);
  EXPECT_EQ(result->tokens, std::vector<uint32_t>(100, 3));
  for (size_t i = 0; i < texts.size(); ++i) {
    Result<EmbedResult> alone = Embed({texts[i]});
    EXPECT_THAT(result->vector(i), testing::ElementsAreArray(alone->vectors)) << i;
  }
}

TEST_F(PipelineTest, RunsEqualIdsOfARequestOnce) {
  const std::vector<std::vector<int32_t>> ids = {{'a', 'b'}, {'a'}, {'a', 'b'}, {'a'}};
  request_.ids = ids;
  ASSERT_TRUE(Embed({}).ok());
  EXPECT_EQ(runs_.count, 2u);
}

class QueryCacheTest : public PipelineTest {
 protected:
  QueryCacheTest() {
    options_.query_cache = &cache_;
    request_.input_type = InputType::kQuery;
  }
  VectorCache cache_{1 << 20};
};

TEST_F(QueryCacheTest, AnswersAreTheSameBitByBit) {
  manifest_.append_ids = {250};
  const std::vector<std::string> texts = {"abc", "x", "abc", "a longer one that is cut"};
  options_.query_cache = nullptr;
  Result<EmbedResult> without = Embed(texts);
  options_.query_cache = &cache_;
  for (int round = 0; round < 3; ++round) {
    Result<EmbedResult> with = Embed(texts);
    ASSERT_TRUE(with.ok()) << with.status().ToString();
    EXPECT_EQ(with->vectors, without->vectors);
    EXPECT_EQ(with->tokens, without->tokens);
    EXPECT_EQ(with->truncated, without->truncated);
  }
  EXPECT_EQ(runs_.count, 6u);  // the first round, and without
  EXPECT_EQ(cache_.statistics().hits, 6u);
  EXPECT_EQ(cache_.statistics().misses, 3u);
}

TEST_F(QueryCacheTest, OnlyWhatIsMissingIsRun) {
  ASSERT_TRUE(Embed({"a", "b"}).ok());
  runs_.sequences.clear();
  Result<EmbedResult> mixed = Embed({"c", "b", "d", "a"});
  ASSERT_TRUE(mixed.ok());
  EXPECT_EQ(runs_.sequences, (std::set<std::vector<int64_t>>{{1, 'c', 2}, {1, 'd', 2}}));
  options_.query_cache = nullptr;
  EXPECT_EQ(mixed->vectors, Embed({"c", "b", "d", "a"})->vectors);
}

TEST_F(QueryCacheTest, ShorterVectorsComeFromTheWholeOne) {
  ASSERT_TRUE(Embed({"abc"}).ok());
  request_.dims = 2;
  Result<EmbedResult> cached = Embed({"abc"});
  options_.query_cache = nullptr;
  EXPECT_EQ(cached->vectors, Embed({"abc"})->vectors);
  EXPECT_EQ(runs_.count, 2u);
}

TEST_F(QueryCacheTest, AnotherPromptIsAnotherText) {
  manifest_.query_prompt = "{instruction}:";
  manifest_.default_instruction = "q";
  ASSERT_TRUE(Embed({"a"}).ok());
  request_.instruction = "r";
  ASSERT_TRUE(Embed({"a"}).ok());
  EXPECT_EQ(runs_.count, 2u);
  manifest_.revision = "another";
  ASSERT_TRUE(Embed({"a"}).ok());
  EXPECT_EQ(runs_.count, 3u);
}

TEST_F(QueryCacheTest, KeepsNeitherDocumentsNorBulkJobs) {
  request_.input_type = InputType::kDocument;
  ASSERT_TRUE(Embed({"a"}).ok());
  request_.input_type = InputType::kQuery;
  ASSERT_TRUE(Embed({"a", "b", "c", "d", "e", "f", "g", "h", "i"}).ok());
  EXPECT_EQ(cache_.statistics().vectors, 0u);
  EXPECT_EQ(cache_.statistics().misses, 0u);
}

TEST_F(QueryCacheTest, WhatWasRefusedIsNotKept) {
  request_.truncate = Truncate::kNone;
  EXPECT_EQ(Embed({"a", "a text that is longer than the window"}).status().code(),
            ErrorCode::kTooLarge);
  EXPECT_EQ(cache_.statistics().vectors, 0u);
}

TEST_F(PipelineTest, AnIdThatTheGraphHasNoRowForIsRefusedWithItsText) {
  options_.token_rows = std::make_shared<std::atomic<uint64_t>>('c');
  EXPECT_TRUE(Embed({"ab"}).ok());
  const Status status = Embed({"ab", "abc"}).status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("text 1 has the token id 99 at place 3"), std::string::npos)
      << status.ToString();
}

// Gives no numbers for texts that begin with an x.
class NanSession final : public Session {
 public:
  Status Run(const TokenBatch& batch, RunControl&, const Use& use) override {
    std::vector<float> values(batch.items * batch.tokens * 4, 1);
    for (size_t i = 0; i < batch.items; ++i) {
      if (batch.ids[i * batch.tokens + 1] != 'x') continue;
      std::fill_n(values.begin() + static_cast<ptrdiff_t>(i * batch.tokens * 4), batch.tokens * 4,
                  std::numeric_limits<float>::quiet_NaN());
    }
    return use({values, batch.items, batch.tokens, 4});
  }
};

TEST_F(PipelineTest, ATextWithoutAVectorIsNamed) {
  Pipeline pipeline(
      std::make_shared<const TextEncoder>(manifest_, std::make_unique<ByteTokenizer>()),
      std::make_unique<NanSession>(), options_);
  // Equal texts are run once: their places aren't those of what is run.
  std::vector<std::string> texts = {"a", "b", "a", "a", "c", "xb"};
  request_.texts = texts;
  const Status status = pipeline.Embed(context_, request_).status();
  EXPECT_EQ(status.code(), ErrorCode::kInternal);
  EXPECT_TRUE(status.message().starts_with("text 5: ")) << status.ToString();
  for (int i = 0; i < 50; ++i) texts.insert(texts.begin(), std::to_string(i));
  request_.texts = texts;
  EXPECT_TRUE(pipeline.Embed(context_, request_).status().message().starts_with("text 55: "));
}

TEST_F(PipelineTest, TextsHaveNoMoreTokensThanARequestAllows) {
  // Two special tokens around each; the longest is cut to the window of 16; equal ones count, too.
  const std::vector<std::string> texts = {"ab", std::string(100, 'c'), "ab"};
  request_.tokens_max = 4 + 16 + 4;
  EXPECT_TRUE(Embed(texts).ok());
  request_.tokens_max = 4 + 16 + 3;
  const Status status = Embed(texts).status();
  EXPECT_EQ(status.code(), ErrorCode::kTooLarge);
  EXPECT_NE(status.message().find("more than 23 tokens"), std::string::npos);
  EXPECT_NE(status.message().find("from text 2 on"), std::string::npos);
}

TEST_F(PipelineTest, ASessionThatRestsGivesBackToo) {
  std::promise<void> here;
  options_.give_back = [&] { here.set_value(); };
  Pipeline pipeline(
      std::make_shared<const TextEncoder>(manifest_, std::make_unique<ByteTokenizer>()),
      std::make_unique<RecordingSession>(runs_), options_);
  const std::vector<std::string> texts = {"text"};
  request_.texts = texts;
  ASSERT_TRUE(pipeline.Embed(context_, request_).ok());
  runs_.given_back.get_future().wait();
  here.get_future().wait();
}

}  // namespace
}  // namespace akidb::embedding
