#include "cli/selftest/model_run.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "cli/selftest/installed.h"
#include "env/simulated_file_system.h"

namespace akidb::cli {
namespace {

using embedding::EmbedRequest;
using embedding::EmbedResult;
using embedding::ModelInfo;

// A word is a token, and two more stand around a text. Fails after `requests_max` requests.
class WordEmbedder final : public embedding::Embedder {
 public:
  explicit WordEmbedder(size_t requests_max) : requests_max_(requests_max) {}

  Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request) override {
    AKIDB_RETURN_IF_ERROR(context.Check());
    if (++requests_ > requests_max_) return InternalError("the device has gone");
    EmbedResult result;
    result.dims = 2;
    for (const std::string& text : request.texts) {
      repeated_ += texts_.insert(text).second ? 0 : 1;
      result.tokens.push_back(static_cast<uint32_t>(WordsOf(text) + 2));
      result.vectors.insert(result.vectors.end(), {0.6F, 0.8F});
    }
    return result;
  }

  Result<embedding::TokenizeResult> Tokenize(const RequestContext&,
                                             const embedding::TokenizeRequest& request) override {
    embedding::TokenizeResult result;
    for (const std::string& text : request.texts) {
      result.texts.emplace_back().ids.resize(WordsOf(text));
    }
    return result;
  }

  Result<embedding::DetokenizeResult> Detokenize(const RequestContext&,
                                                 const embedding::DetokenizeRequest&) override {
    return UnsupportedError("not needed here");
  }
  std::vector<ModelInfo> Models() override { return {}; }
  Result<ModelInfo> FindModel(std::string_view) override { return NotFoundError("none"); }
  Status Load(const RequestContext& context, std::string_view) override { return context.Check(); }
  Status Unload(const RequestContext& context, std::string_view) override {
    return context.Check();
  }
  embedding::EmbedderStatistics Statistics() override { return {}; }

  size_t repeated() const { return repeated_; }

 private:
  static size_t WordsOf(const std::string& text) {
    return 1 + static_cast<size_t>(std::count(text.begin(), text.end(), ' '));
  }

  const size_t requests_max_;
  size_t requests_ = 0;
  size_t repeated_ = 0;
  std::set<std::string> texts_;
};

ModelRunOptions Short() {
  ModelRunOptions options;
  options.batches = {1, 4};
  options.seconds = 0;
  options.requests_min = 5;
  options.batches_min = 2;
  return options;
}

embedding::Manifest Described() {
  embedding::Manifest manifest;
  manifest.id = "m";
  manifest.graph.file.bytes = 1000;
  manifest.golden.resize(1);
  manifest.golden[0].text = "golden";
  manifest.golden[0].head = {0.3F, 0.4F};
  return manifest;
}

class ModelRunTest : public testing::Test {
 protected:
  Status Measure(WordEmbedder& embedder) {
    return ModelRun(embedder, *fs_, options_, [this] { ++steps_; })
        .Measure(context_, Described(), figures_);
  }

  const std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  const ModelRunOptions options_ = Short();
  RequestContext context_;
  ModelFigures figures_;
  uint64_t steps_ = 0;
};

TEST_F(ModelRunTest, MeasuresEveryRequestSizeWithTextsOfTheirOwn) {
  WordEmbedder embedder(1000);
  const Status measured = Measure(embedder);
  ASSERT_TRUE(measured.ok()) << measured.message();
  EXPECT_EQ(steps_, StepsOf(options_));
  EXPECT_EQ(embedder.repeated(), 0u);
  EXPECT_EQ(figures_.graph_bytes, 1000u);
  ASSERT_EQ(figures_.golden.size(), 1u);
  EXPECT_NEAR(figures_.golden[0].cosine, 1, 1e-6);
  ASSERT_EQ(figures_.queries.batches.size(), 2u);
  EXPECT_EQ(figures_.queries.batches[0].requests, 5u);
  EXPECT_EQ(figures_.queries.batches[1].requests, 2u);
  EXPECT_EQ(figures_.queries.batches[0].tokens, 16 + 2);
  EXPECT_EQ(figures_.passages.batches[1].tokens, 4 * (128 + 2));
  EXPECT_GT(figures_.passages.batches[1].tokens_per_s, figures_.passages.batches[1].texts_per_s);
  EXPECT_GT(figures_.peak_resident_bytes, 0u);
}

TEST_F(ModelRunTest, KeepsWhatItHadBeforeAnError) {
  WordEmbedder embedder(10);
  EXPECT_EQ(Measure(embedder).message(), "the device has gone");
  EXPECT_EQ(figures_.queries.batches.size(), 2u);
  EXPECT_TRUE(figures_.passages.batches.empty());
}

TEST_F(ModelRunTest, StopsWhenItIsCancelled) {
  WordEmbedder embedder(1000);
  context_.Cancel();
  EXPECT_EQ(Measure(embedder).code(), ErrorCode::kCancelled);
  EXPECT_EQ(steps_, 0u);
}

TEST(MakeText, MakesAsManyWordsAndNeverTheSameText) {
  std::set<std::string> texts;
  for (uint64_t i = 0; i < 5000; ++i) {
    const std::string text = MakeText(i, 16);
    EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 15);
    EXPECT_TRUE(texts.insert(text).second) << text;
  }
}

}  // namespace
}  // namespace akidb::cli
