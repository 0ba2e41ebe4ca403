#include "cli/selftest/model_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "cli/selftest/installed.h"
#include "cli/selftest/provider_run.h"
#include "env/simulated_file_system.h"

namespace akidb::cli {
namespace {

using embedding::EmbedRequest;
using embedding::EmbedResult;
using embedding::ModelInfo;

// A word is a token, and two more stand around a text. Fails after `requests_max` requests.
class WordEmbedder final : public embedding::Embedder {
 public:
  explicit WordEmbedder(size_t requests_max, std::array<float, 2> vector = {0.6F, 0.8F})
      : requests_max_(requests_max), vector_(vector) {}

  Result<EmbedResult> Embed(const RequestContext& context, const EmbedRequest& request) override {
    AKIDB_RETURN_IF_ERROR(context.Check());
    if (++requests_ > requests_max_) return InternalError("the device has gone");
    EmbedResult result;
    result.dims = 2;
    for (const std::string& text : request.texts) {
      repeated_ += texts_.insert(text).second ? 0 : 1;
      result.tokens.push_back(static_cast<uint32_t>(WordsOf(text) + 2));
      result.vectors.insert(result.vectors.end(), vector_.begin(), vector_.end());
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
  // Of a GPU that isn't there, and the processor.
  Result<ModelInfo> FindModel(std::string_view) override {
    ModelInfo info;
    info.providers.resize(2);
    info.providers[0].provider = embedding::Provider::kCuda;
    info.providers[0].state = embedding::LinkState::kRefused;
    info.providers[0].reason = "no such provider";
    info.providers[1].state = embedding::LinkState::kReady;
    info.providers[1].serves = true;
    return info;
  }
  Status Load(const RequestContext& context, std::string_view) override { return context.Check(); }
  Status Unload(const RequestContext& context, std::string_view) override {
    return context.Check();
  }
  void StopLoading() override {}
  embedding::EmbedderStatistics Statistics() override { return {}; }

  size_t repeated() const { return repeated_; }

 private:
  static size_t WordsOf(const std::string& text) {
    return 1 + static_cast<size_t>(std::count(text.begin(), text.end(), ' '));
  }

  const size_t requests_max_;
  const std::array<float, 2> vector_;  // of every text
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

TEST_F(ModelRunTest, TellsWhichProviderServed) {
  WordEmbedder embedder(1000);
  ASSERT_TRUE(Measure(embedder).ok());
  EXPECT_EQ(figures_.provider, "CPUExecutionProvider");
  ASSERT_EQ(figures_.found.size(), 2u);
  EXPECT_EQ(figures_.found[0].reason, "no such provider");
}

// Whatever served: each by itself, against the last one.
TEST(CompareProviders, HoldsEachAgainstTheLastOneThatRuns) {
  std::vector<embedding::ProviderState> found(3);
  found[0].provider = embedding::Provider::kTensorRt;
  found[0].variant = "fp8";
  found[0].state = embedding::LinkState::kReady;
  found[1].provider = embedding::Provider::kCuda;
  found[1].state = embedding::LinkState::kRefused;
  found[1].reason = "no such provider";
  const RequestContext context;
  const auto make = [](embedding::Provider provider) {
    const bool is_cpu = provider == embedding::Provider::kCpu;
    return std::make_unique<WordEmbedder>(10,
                                          is_cpu ? std::array{0.6F, 0.8F} : std::array{0.8F, 0.6F});
  };
  const std::vector<ProviderFigures> figures = CompareProviders(context, Described(), found, make);
  ASSERT_EQ(figures.size(), 3u);
  EXPECT_EQ(figures[0].provider, "TensorrtExecutionProvider");
  EXPECT_EQ(figures[0].variant, "fp8");
  EXPECT_EQ(figures[0].problem, "");
  EXPECT_NEAR(figures[0].cosine_to_last, 0.96, 1e-6);
  ASSERT_EQ(figures[0].golden.size(), 1u);
  EXPECT_NEAR(figures[0].golden[0].cosine, 0.96, 1e-6);
  EXPECT_EQ(figures[1].problem, "no such provider");
  EXPECT_TRUE(figures[1].golden.empty());
  EXPECT_NEAR(figures[2].golden[0].cosine, 1, 1e-6);
  EXPECT_EQ(figures[2].cosine_to_last, 0);
}

// A provider by itself runs its variant: figures of the graph behind it would be the variant's.
TEST(CompareProviders, LeavesOutWhatStandsBehindAGraphThatWorks) {
  std::vector<embedding::ProviderState> found(3);
  found[0].variant = "broken";
  found[0].state = embedding::LinkState::kRefused;
  found[1].variant = "int8";
  const RequestContext context;
  const std::vector<ProviderFigures> figures = CompareProviders(
      context, Described(), found, [](auto) { return std::make_unique<WordEmbedder>(10); });
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_EQ(figures[0].variant, "broken");
  EXPECT_EQ(figures[1].variant, "int8");
  EXPECT_EQ(figures[1].golden.size(), 1u);
}

TEST(CompareProviders, TellsWhyOneFails) {
  std::vector<embedding::ProviderState> found(1);
  const RequestContext context;
  const std::vector<ProviderFigures> figures = CompareProviders(
      context, Described(), found, [](auto) { return std::make_unique<WordEmbedder>(0); });
  EXPECT_EQ(figures[0].problem, "the device has gone");
}

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
