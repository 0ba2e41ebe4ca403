#include "embedding/published_models.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "embedding/manifest.h"

namespace akidb::embedding {
namespace {

const PublishedModel& Published(std::string_view name) {
  Result<const PublishedModel*> model = FindPublished(name);
  EXPECT_TRUE(model.ok()) << model.status().ToString();
  return **model;
}

ModelFolderFacts FactsOf(const PublishedModel& model) {
  ModelFolderFacts facts;
  facts.width = model.dims;
  facts.layers = model.layers;
  facts.query_heads = model.query_heads;
  facts.kv_heads = model.kv_heads;
  facts.pooling = model.pooling;
  return facts;
}

TEST(PublishedModels, AreWholeAndConsistent) {
  std::set<std::string> names;
  for (const PublishedModel& model : PublishedModels()) {
    SCOPED_TRACE(model.id);
    EXPECT_TRUE(names.insert(std::string(model.id)).second);
    EXPECT_TRUE(names.insert(FoldName(model.publication)).second);
    EXPECT_EQ(FoldName(model.id), model.id);
    EXPECT_FALSE(model.licence.empty());
    EXPECT_TRUE(model.dims > 0 && model.layers > 0 && model.query_heads > 0 && model.kv_heads > 0);
    EXPECT_EQ(model.query_heads % model.kv_heads, 0u);
    EXPECT_TRUE(model.max_tokens > 0 && model.max_tokens <= model.window);
    EXPECT_TRUE(std::is_sorted(model.dims_offered.begin(), model.dims_offered.end()));
    if (!model.dims_offered.empty()) EXPECT_LT(model.dims_offered.back(), model.dims);
    const bool takes_instruction = model.query_prompt.find("{instruction}") != std::string::npos;
    EXPECT_EQ(takes_instruction, !model.instruction.empty());
    EXPECT_EQ(model.end_token.has_value(), model.pooling == Pooling::kLast);
    const PublishedExample& example = model.example;
    EXPECT_EQ(example.cosines.size(), example.queries.size() * example.documents.size());
  }
}

TEST(PublishedModels, AreFoundByIdAndPublicationInAnyCase) {
  EXPECT_EQ(Published("qwen/qwen3-embedding-4B").dims, 2560u);
  EXPECT_EQ(&Published("BGE-M3"), &Published("baai/bge-m3"));
  Status unknown = FindPublished("qwen3").status();
  EXPECT_EQ(unknown.code(), ErrorCode::kNotFound);
  EXPECT_NE(unknown.message().find("qwen3-embedding-0.6b"), std::string::npos);
}

TEST(PublishedModels, AFolderOfAnotherModelIsRefusedWithBothFigures) {
  const PublishedModel& model = Published("qwen3-embedding-0.6b");
  EXPECT_TRUE(CheckPublished(model, FactsOf(model)).ok());
  EXPECT_TRUE(CheckPublished(model, ModelFolderFacts()).ok());
  Status status = CheckPublished(model, FactsOf(Published("qwen3-embedding-4b")));
  EXPECT_EQ(status.code(), ErrorCode::kUnsupported);
  EXPECT_NE(status.message().find("hidden_size is 2560 instead of 1024"), std::string::npos);
  ModelFolderFacts facts = FactsOf(model);
  facts.pooling = Pooling::kMean;
  EXPECT_FALSE(CheckPublished(model, facts).ok());
  for (auto member :
       {&ModelFolderFacts::layers, &ModelFolderFacts::query_heads, &ModelFolderFacts::kv_heads}) {
    facts = FactsOf(model);
    facts.*member = 7;
    EXPECT_NE(CheckPublished(model, facts).message().find("is 7 instead of"), std::string::npos);
  }
}

TEST(PublishedModels, KeysAndValuesOfAnotherModelAreRefused) {
  const PublishedModel& model = Published("qwen3-embedding-0.6b");
  const EmptyKv right{std::vector<std::string>(56, "x"), 8, 128, ElementType::kFloat16};
  EXPECT_TRUE(CheckPublished(model, right).ok());
  EXPECT_TRUE(CheckPublished(model, EmptyKv()).ok());
  EmptyKv wrong = right;
  wrong.names.resize(72);
  EXPECT_NE(CheckPublished(model, wrong).message().find("36 instead of 28"), std::string::npos);
  wrong = right;
  wrong.heads = 16;
  EXPECT_FALSE(CheckPublished(model, wrong).ok());
  wrong = right;
  wrong.head_dim = 64;
  EXPECT_FALSE(CheckPublished(model, wrong).ok());
}

TEST(PublishedModels, TheWorstCosineOfAnExampleIsTold) {
  const PublishedExample example{{"a", "b"}, {"c", "d", "e"}, {1, 0, 0.6, 0, 1, 0.8}};
  const std::vector<float> queries = {1, 0, 0, 1};
  std::vector<float> documents = {1, 0, 0, 1, 0.6f, 0.8f};
  EXPECT_NEAR(CompareWithExample(example, queries, documents).error_max, 0, 1e-6);
  documents[3] = -1;
  const ExampleComparison worst = CompareWithExample(example, queries, documents);
  EXPECT_NEAR(worst.error_max, 2, 1e-6);
  EXPECT_EQ(worst.query, 1u);
  EXPECT_EQ(worst.document, 1u);
  EXPECT_NEAR(worst.expected, 1, 1e-6);
  EXPECT_NEAR(worst.found, -1, 1e-6);
}

TEST(PublishedModels, WhatIsNoNumberIsTheWorstWhereverItStands) {
  const PublishedExample example{{"a"}, {"c", "d", "e"}, {1, 0, 0}};
  for (size_t at = 0; at < 3; ++at) {
    std::vector<float> documents = {1, 0, 1, 0, 0, 1};
    documents[2 * at] = std::nanf("");
    const ExampleComparison worst =
        CompareWithExample(example, std::vector<float>{1, 0}, documents);
    EXPECT_TRUE(std::isnan(worst.error_max)) << at;
    EXPECT_EQ(worst.document, at);
  }
}

TEST(PublishedModels, AGraphOfAnotherModelIsRefusedWhateverStandsBesideIt) {
  const PublishedModel& encoder = Published("bge-small-en-v1.5");
  const PublishedModel& decoder = Published("gte-qwen2-1.5b-instruct");
  ModelFolderFacts facts = FactsOf(encoder);
  facts.vocabulary = 30'522;
  facts.positions = 512;
  OnnxGraphFacts graph;
  EXPECT_TRUE(CheckPublished(encoder, facts, graph).ok());
  graph = {30'522, 384, 512, 12, 12, std::nullopt, false};
  EXPECT_TRUE(CheckPublished(encoder, facts, graph).ok());
  for (const auto& [member, words] :
       {std::pair{&OnnxGraphFacts::token_rows, "vocab_size is 30522"},
        {&OnnxGraphFacts::token_width, "table of tokens is 7 instead of 384"},
        {&OnnxGraphFacts::position_rows, "max_position_embeddings is 512"},
        {&OnnxGraphFacts::layers, "attentions in the graph is 7 instead of 12"},
        {&OnnxGraphFacts::query_heads, "number of heads is 7 instead of 12"},
        {&OnnxGraphFacts::kv_heads, "heads of keys is 7 instead of 12"}}) {
    OnnxGraphFacts other = graph;
    other.*member = 7;
    const Status status = CheckPublished(encoder, facts, other);
    EXPECT_EQ(status.code(), ErrorCode::kUnsupported);
    EXPECT_NE(status.message().find(words), std::string::npos) << status.ToString();
  }
  graph.position_rows.reset();
  graph.rotates = true;
  EXPECT_NE(CheckPublished(encoder, facts, graph).message().find("rotates by positions"),
            std::string::npos);
  OnnxGraphFacts table;
  table.position_rows = 512;
  EXPECT_NE(CheckPublished(decoder, FactsOf(decoder), table).message().find("table of 512 rows"),
            std::string::npos);
  const EmptyKv kv{std::vector<std::string>(24, "x"), 12, 32, ElementType::kFloat32};
  EXPECT_NE(CheckPublished(encoder, kv).message().find("keys and values"), std::string::npos);
}

}  // namespace
}  // namespace akidb::embedding
