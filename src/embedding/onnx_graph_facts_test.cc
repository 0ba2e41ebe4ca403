#include "embedding/onnx_graph_facts.h"

#include <string>

#include <gtest/gtest.h>

#include "embedding/wire_fixture.h"

namespace akidb::embedding {
namespace {

OnnxGraphFacts FactsOf(const std::string& graph) {
  const std::string model = NumberField(1, 8) + Field(2, "producer") + Field(7, graph);
  return ReadGraphFacts(BytesOf(model), {"input_ids", "token_type_ids"});
}

const std::string kTokens =
    InitializerField("tokens", {30'522, 384}) + NodeField("Gather", {"tokens", "input_ids"}, "x");

TEST(OnnxGraphFacts, OfAnEncoder) {
  const OnnxGraphFacts facts = FactsOf(
      NodeField("Softmax", {"scores"}, "weights") + InitializerField("places", {512, 384}) +
      NodeField("Gather", {"places", "range"}, "y") + InitializerField("types", {1024, 384}) +
      NodeField("Gather", {"types", "token_type_ids"}, "z") + kTokens +
      NodeField("Softmax", {"other"}, "more"));
  EXPECT_EQ(facts.token_rows, 30'522u);
  EXPECT_EQ(facts.token_width, 384u);
  EXPECT_EQ(facts.position_rows, 512u);
  EXPECT_EQ(facts.layers, 2u);
  EXPECT_FALSE(facts.query_heads || facts.kv_heads || facts.rotates);
}

TEST(OnnxGraphFacts, OfFusedOperators) {
  const OnnxGraphFacts facts =
      FactsOf(InitializerField("tokens", {1000, 64}) + InitializerField("places", {128, 64}) +
              NodeField("EmbedLayerNormalization", {"input_ids", "", "tokens", "places"}, "x") +
              NodeField("Attention", {"x"}, "y", AttributeField("num_heads", 4)));
  EXPECT_EQ(facts.token_rows, 1000u);
  EXPECT_EQ(facts.position_rows, 128u);
  EXPECT_EQ(facts.layers, 1u);
  EXPECT_EQ(facts.query_heads, 4u);
}

TEST(OnnxGraphFacts, OfADecoder) {
  const OnnxGraphFacts facts =
      FactsOf(kTokens + InitializerField("cosines", {32'768, 64}) +
              NodeField("Gather", {"cosines", "position_ids"}, "c") +
              NodeField("GroupQueryAttention", {"x"}, "y",
                        AttributeField("num_heads", 16) + AttributeField("kv_num_heads", 8) +
                            AttributeField("do_rotary", 1)));
  EXPECT_TRUE(facts.rotates);
  EXPECT_FALSE(facts.position_rows);
  EXPECT_EQ(facts.query_heads, 16u);
  EXPECT_EQ(facts.kv_heads, 8u);
  EXPECT_TRUE(FactsOf(NodeField("Cos", {"angles"}, "c")).rotates);
}

TEST(OnnxGraphFacts, SeveralNumbersInAByteShowNoWidth) {
  const OnnxGraphFacts facts =
      FactsOf(InitializerField("tokens", {1000, 32}) +
              NodeField("GatherBlockQuantized", {"tokens", "input_ids"}, "x"));
  EXPECT_EQ(facts.token_rows, 1000u);
  EXPECT_FALSE(facts.token_width);
}

TEST(OnnxGraphFacts, NothingOfWhatIsNoGraph) {
  for (const std::string& file : {std::string(), std::string("no model"), Field(7, "\xff")}) {
    const OnnxGraphFacts facts = ReadGraphFacts(BytesOf(file), {"input_ids", ""});
    EXPECT_FALSE(facts.token_rows || facts.layers || facts.rotates);
  }
}

}  // namespace
}  // namespace akidb::embedding
