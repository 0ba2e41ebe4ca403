#include "embedding/model_loader.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "embedding/byte_tokenizer_fixture.h"
#include "embedding/wire_fixture.h"
#include "env/simulated_file_system.h"

namespace akidb::embedding {
namespace {

// Every hidden state is (1, 0).
class SameSession final : public Session {
 public:
  Status Run(const TokenBatch& batch, RunControl&, const Use& use) override {
    std::vector<float> values(batch.items * batch.tokens * 2);
    for (size_t i = 0; i < values.size(); i += 2) values[i] = 1;
    return use({values, batch.items, batch.tokens, 2});
  }
};

class ModelLoaderTest : public testing::Test {
 protected:
  ModelLoaderTest() {
    manifest_.id = "m";
    manifest_.max_tokens = 512;
    manifest_.dims = 2;
    manifest_.pooling = Pooling::kMean;
    manifest_.graph.file.path = "model.onnx";
    manifest_.graph.inputs = {{"ids", InputKind::kIds}, {"mask", InputKind::kMask}};
    manifest_.golden = {{"ab", InputType::kDocument, {1, 0}, 0.99}};
    options_.make_session = [this](const SessionRequest& request,
                                   LoadProgress*) -> Result<std::unique_ptr<Session>> {
      engine_folder_ = request.spec.options.at("trt_engine_cache_path");
      if (std::exchange(engines_kept_, false))
        Put(env::JoinPath(engine_folder_, "kept.engine"), "");
      AKIDB_RETURN_IF_ERROR(made_);
      return std::unique_ptr<Session>(std::make_unique<SameSession>());
    };
    options_.providers.providers = {Provider::kTensorRt};
    options_.providers.engine_cache = "/engines";
    options_.providers.gpu.tensorrt_version = "10.16.2";
    options_.providers.gpu.devices = {{"Thor", "11.0", 0, true}};
  }

  void Put(const std::string& path, const std::string& content) {
    ASSERT_TRUE(fs_.CreateDirectories(env::DirectoryOf(path)).ok());
    ASSERT_TRUE(env::WriteFileAtomically(fs_, path, BytesOf(content)).ok());
  }
  // With a graph that knows tokens below `rows`.
  Result<std::unique_ptr<Pipeline>> Load(uint64_t rows) {
    const std::string graph =
        Field(7, InitializerField("table", {rows, 2}) + NodeField("Gather", {"table", "ids"}, "x"));
    Put("/m/model.onnx", graph);
    manifest_.graph.file.bytes = graph.size();
    manifest_.graph.file.sha256 = graph_is_damaged_ ? "another" : Sha256Hex(BytesOf(graph));
    auto encoder =
        std::make_shared<const TextEncoder>(manifest_, std::make_unique<ByteTokenizer>());
    return LoadModel(fs_, *log_, {"/m", encoder, nullptr}, options_);
  }
  bool HasEngine() {
    Result<bool> exists = fs_.Exists(env::JoinPath(engine_folder_, "kept.engine"));
    return exists.ok() && *exists;
  }

  env::SimulatedFileSystem fs_{1};
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  Manifest manifest_;
  LoadOptions options_;
  bool engines_kept_ = true;  // until a session is asked for
  bool graph_is_damaged_ = false;
  Status made_;
  std::string engine_folder_;
};

TEST_F(ModelLoaderTest, TokensBeyondTheGraphsRowsFailTheTextsThatHaveThem) {
  Result<std::unique_ptr<Pipeline>> pipeline = Load('c');
  ASSERT_TRUE(pipeline.ok()) << pipeline.status().ToString();
  const std::vector<std::string> texts = {"aa", "ac"};
  EmbedRequest request;
  request.texts = std::span(texts).first(1);
  EXPECT_TRUE((*pipeline)->Embed(RequestContext(), request).ok());
  request.texts = texts;
  const Status status = (*pipeline)->Embed(RequestContext(), request).status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("text 1 has the token id 99"), std::string::npos);
}

TEST_F(ModelLoaderTest, ATokenizerOfAnotherModelIsRefusedAndCostsNoEngine) {
  const Status status = Load('b').status();
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("golden texts the id 98, but model.onnx knows only 98"),
            std::string::npos)
      << status.ToString();
  EXPECT_TRUE(HasEngine());
}

TEST_F(ModelLoaderTest, WhatMakesTheSessionFailsFirst) {
  made_ = CorruptionError("another width");
  EXPECT_NE(Load('b').status().message().find("another width"), std::string::npos);
  EXPECT_FALSE(HasEngine());  // which may have been to blame
}

TEST_F(ModelLoaderTest, ADamagedGraphCostsNoEngine) {
  graph_is_damaged_ = true;
  made_ = CorruptionError("another checksum");
  EXPECT_NE(Load('c').status().message().find("another checksum"), std::string::npos);
  EXPECT_TRUE(HasEngine());
}

TEST_F(ModelLoaderTest, NorDoesADamagedFileBesideTheGraph) {
  Put("/m/weights", "damaged");
  manifest_.graph.external = {{"weights", "another", 7, ""}};
  made_ = CorruptionError("another checksum");
  EXPECT_NE(Load('c').status().message().find("another checksum"), std::string::npos);
  EXPECT_TRUE(HasEngine());
}

}  // namespace
}  // namespace akidb::embedding
