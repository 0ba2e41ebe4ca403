#include "embedding/onnx_embedding_rows.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "embedding/wire_fixture.h"

namespace akidb::embedding {
namespace {

using Names = std::vector<std::string>;

std::optional<uint64_t> RowsOf(const std::string& graph) {
  const std::string model = NumberField(1, 8) + Field(2, "producer") + Field(7, graph);
  return EmbeddingRows(BytesOf(model), "input_ids");
}

const std::string kTable = InitializerField("table", {30'522, 384});

TEST(OnnxEmbeddingRows, AreThoseOfTheTableThatIdsGatherFrom) {
  EXPECT_EQ(RowsOf(kTable + NodeField("Gather", {"table", "input_ids"}, "x")), 30'522u);
  EXPECT_EQ(
      RowsOf(NodeField("Gather", {"table", "input_ids"}, "x", AttributeField("axis", 0)) + kTable),
      30'522u);
  // Dimensions may be packed, too.
  const std::string packed = Field(5, Field(1, Varint(500) + Varint(16)) + Field(8, "table"));
  EXPECT_EQ(RowsOf(packed + NodeField("Gather", {"table", "input_ids"}, "x")), 500u);
}

TEST(OnnxEmbeddingRows, OfOperatorsOfTheRuntime) {
  EXPECT_EQ(RowsOf(kTable + NodeField("EmbedLayerNormalization",
                                      {"input_ids", "types", "table", "positions"}, "x")),
            30'522u);
  const Names inputs = {"table", "input_ids", "scales"};
  EXPECT_EQ(RowsOf(kTable + NodeField("GatherBlockQuantized", inputs, "x")), 30'522u);
  EXPECT_FALSE(RowsOf(
      kTable + NodeField("GatherBlockQuantized", inputs, "x", AttributeField("quantize_axis", 0))));
}

TEST(OnnxEmbeddingRows, BehindWhatChangesNoRowAndNoId) {
  const std::string ids = NodeField("Cast", {"input_ids"}, "ids_32") +
                          NodeField("Reshape", {"ids_32", "shape"}, "flat");
  const std::string gather = NodeField("Gather", {"weights", "flat"}, "x");
  EXPECT_EQ(
      RowsOf(kTable + ids + NodeField("DequantizeLinear", {"table", "scale"}, "weights") + gather),
      30'522u);
  EXPECT_EQ(RowsOf(kTable + InitializerField("scale", {1, 384}) + ids +
                   NodeField("Cast", {"table"}, "f") + NodeField("Mul", {"scale", "f"}, "weights") +
                   gather),
            30'522u);
  const std::string constant = Field(5, Field(1, "value") + Field(5, TensorOf("", {700, 8})));
  EXPECT_EQ(RowsOf(ids + NodeField("Constant", {}, "weights", constant) + gather), 700u);
}

TEST(OnnxEmbeddingRows, TheSmallestOfSeveralCounts) {
  EXPECT_EQ(RowsOf(kTable + InitializerField("small", {100, 384}) +
                   NodeField("Gather", {"table", "input_ids"}, "x") +
                   NodeField("Gather", {"small", "input_ids"}, "y")),
            100u);
}

TEST(OnnxEmbeddingRows, OtherLookupsAreNone) {
  const std::string positions = InitializerField("positions", {512, 384});
  // By something else than ids; by what is computed of them; out of them; of columns.
  EXPECT_FALSE(RowsOf(positions + NodeField("Gather", {"positions", "position_ids"}, "x")));
  EXPECT_FALSE(RowsOf(positions + NodeField("CumSum", {"input_ids"}, "places") +
                      NodeField("Gather", {"positions", "places"}, "x")));
  EXPECT_FALSE(RowsOf(NodeField("Shape", {"input_ids"}, "shape") + InitializerField("one", {1, 1}) +
                      NodeField("Gather", {"shape", "one"}, "x")));
  EXPECT_FALSE(
      RowsOf(kTable + NodeField("Gather", {"table", "input_ids"}, "x", AttributeField("axis", 1))));
  EXPECT_FALSE(RowsOf(kTable + NodeField("MatMul", {"table", "rotation"}, "turned") +
                      NodeField("Gather", {"turned", "input_ids"}, "x")));
}

TEST(OnnxEmbeddingRows, NothingIsFoundInWhatCannotBeRead) {
  const std::string graph = kTable + NodeField("Gather", {"table", "input_ids"}, "x");
  const std::string model = Field(7, graph);
  for (size_t size = 0; size < model.size(); ++size) {
    EXPECT_FALSE(EmbeddingRows(BytesOf(model.substr(0, size)), "input_ids")) << size;
  }
  // A circle, and more steps than are followed.
  EXPECT_FALSE(
      RowsOf(NodeField("Mul", {"a", "a"}, "a") + NodeField("Gather", {"a", "input_ids"}, "x")));
  EXPECT_FALSE(
      RowsOf(kTable + NodeField("Cast", {"b"}, "b") + NodeField("Gather", {"table", "b"}, "x")));
}

}  // namespace
}  // namespace akidb::embedding
