#include "embedding/onnx_embedding_rows.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "embedding/wire_fixture.h"

namespace akidb::embedding {
namespace {

using Names = std::vector<std::string>;

std::string Tensor(const std::string& name, const std::vector<uint64_t>& dims) {
  std::string tensor;
  for (uint64_t dim : dims) tensor += NumberField(1, dim);
  return tensor + Field(8, name) + Field(9, "its numbers, \x08\x01");
}
std::string Initializer(const std::string& name, const std::vector<uint64_t>& dims) {
  return Field(5, Tensor(name, dims));
}
std::string Attribute(const std::string& name, uint64_t value) {
  return Field(5, Field(1, name) + NumberField(3, value));
}
std::string Node(const std::string& type, const Names& inputs, const std::string& output,
                 const std::string& attributes = "") {
  std::string node;
  for (const std::string& input : inputs) node += Field(1, input);
  return Field(1, node + Field(2, output) + Field(4, type) + attributes);
}
std::optional<uint64_t> RowsOf(const std::string& graph) {
  const std::string model = NumberField(1, 8) + Field(2, "producer") + Field(7, graph);
  return EmbeddingRows(BytesOf(model), "input_ids");
}

const std::string kTable = Initializer("table", {30'522, 384});

TEST(OnnxEmbeddingRows, AreThoseOfTheTableThatIdsGatherFrom) {
  EXPECT_EQ(RowsOf(kTable + Node("Gather", {"table", "input_ids"}, "x")), 30'522u);
  EXPECT_EQ(RowsOf(Node("Gather", {"table", "input_ids"}, "x", Attribute("axis", 0)) + kTable),
            30'522u);
  // Dimensions may be packed, too.
  const std::string packed = Field(5, Field(1, Varint(500) + Varint(16)) + Field(8, "table"));
  EXPECT_EQ(RowsOf(packed + Node("Gather", {"table", "input_ids"}, "x")), 500u);
}

TEST(OnnxEmbeddingRows, OfOperatorsOfTheRuntime) {
  EXPECT_EQ(RowsOf(kTable + Node("EmbedLayerNormalization",
                                 {"input_ids", "types", "table", "positions"}, "x")),
            30'522u);
  const Names inputs = {"table", "input_ids", "scales"};
  EXPECT_EQ(RowsOf(kTable + Node("GatherBlockQuantized", inputs, "x")), 30'522u);
  EXPECT_FALSE(
      RowsOf(kTable + Node("GatherBlockQuantized", inputs, "x", Attribute("quantize_axis", 0))));
}

TEST(OnnxEmbeddingRows, BehindWhatChangesNoRowAndNoId) {
  const std::string ids =
      Node("Cast", {"input_ids"}, "ids_32") + Node("Reshape", {"ids_32", "shape"}, "flat");
  const std::string gather = Node("Gather", {"weights", "flat"}, "x");
  EXPECT_EQ(RowsOf(kTable + ids + Node("DequantizeLinear", {"table", "scale"}, "weights") + gather),
            30'522u);
  EXPECT_EQ(RowsOf(kTable + Initializer("scale", {1, 384}) + ids + Node("Cast", {"table"}, "f") +
                   Node("Mul", {"scale", "f"}, "weights") + gather),
            30'522u);
  const std::string constant = Field(5, Field(1, "value") + Field(5, Tensor("", {700, 8})));
  EXPECT_EQ(RowsOf(ids + Node("Constant", {}, "weights", constant) + gather), 700u);
}

TEST(OnnxEmbeddingRows, TheSmallestOfSeveralCounts) {
  EXPECT_EQ(RowsOf(kTable + Initializer("small", {100, 384}) +
                   Node("Gather", {"table", "input_ids"}, "x") +
                   Node("Gather", {"small", "input_ids"}, "y")),
            100u);
}

TEST(OnnxEmbeddingRows, OtherLookupsAreNone) {
  const std::string positions = Initializer("positions", {512, 384});
  // By something else than ids; by what is computed of them; out of them; of columns.
  EXPECT_FALSE(RowsOf(positions + Node("Gather", {"positions", "position_ids"}, "x")));
  EXPECT_FALSE(RowsOf(positions + Node("CumSum", {"input_ids"}, "places") +
                      Node("Gather", {"positions", "places"}, "x")));
  EXPECT_FALSE(RowsOf(Node("Shape", {"input_ids"}, "shape") + Initializer("one", {1, 1}) +
                      Node("Gather", {"shape", "one"}, "x")));
  EXPECT_FALSE(RowsOf(kTable + Node("Gather", {"table", "input_ids"}, "x", Attribute("axis", 1))));
  EXPECT_FALSE(RowsOf(kTable + Node("MatMul", {"table", "rotation"}, "turned") +
                      Node("Gather", {"turned", "input_ids"}, "x")));
}

TEST(OnnxEmbeddingRows, NothingIsFoundInWhatCannotBeRead) {
  const std::string graph = kTable + Node("Gather", {"table", "input_ids"}, "x");
  const std::string model = Field(7, graph);
  for (size_t size = 0; size < model.size(); ++size) {
    EXPECT_FALSE(EmbeddingRows(BytesOf(model.substr(0, size)), "input_ids")) << size;
  }
  // A circle, and more steps than are followed.
  EXPECT_FALSE(RowsOf(Node("Mul", {"a", "a"}, "a") + Node("Gather", {"a", "input_ids"}, "x")));
  EXPECT_FALSE(RowsOf(kTable + Node("Cast", {"b"}, "b") + Node("Gather", {"table", "b"}, "x")));
}

}  // namespace
}  // namespace akidb::embedding
