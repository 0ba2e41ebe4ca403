// The nodes of an ONNX file (onnx.proto3) and the shapes of its tables of weights, for what a file
// tells of itself without the runtime. No weights are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace akidb::embedding {

// A tensor of weights of two dimensions or more, by the first two.
struct OnnxTable {
  uint64_t rows = 0;
  uint64_t columns = 0;
};

// Its texts are borrowed from the file.
struct OnnxNode {
  std::string_view type;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  // Attributes that are integers, by name.
  std::vector<std::pair<std::string_view, int64_t>> numbers;
  std::optional<OnnxTable> constant;  // a tensor among the attributes

  std::string_view input(size_t index) const;
  int64_t number(std::string_view name, int64_t otherwise) const;
};

// Rows that a node takes of a table.
struct OnnxLookup {
  std::string_view table;
  std::string_view ids;
};
// Of `Gather` and `GatherBlockQuantized` by rows, and of the tokens of `EmbedLayerNormalization`.
std::optional<OnnxLookup> LookupOf(const OnnxNode& node);

// Of the main graph; what graphs inside of nodes hold is left out. Immutable; borrows the file.
class OnnxNodes {
 public:
  // nullopt: not an ONNX file.
  static std::optional<OnnxNodes> Read(std::span<const std::byte> file);

  std::span<const OnnxNode> nodes() const { return nodes_; }

  // Whether `value` is what the graph is given as `input`, perhaps in another type or shape.
  bool IsInput(std::string_view value, std::string_view input) const;

  // Of weights, perhaps behind what changes no row: other types, and a table that is dequantised.
  std::optional<OnnxTable> TableOf(std::string_view value) const;

 private:
  bool ReadGraph(std::span<const std::byte> graph);
  const OnnxNode* MakerOf(std::string_view value) const;
  std::optional<OnnxTable> TableOf(std::string_view value, int steps) const;

  std::vector<OnnxNode> nodes_;
  // Initializers; nothing for those that are no tables.
  std::unordered_map<std::string_view, std::optional<OnnxTable>> tables_;
  std::unordered_map<std::string_view, size_t> makers_;  // index of the node
};

}  // namespace akidb::embedding
