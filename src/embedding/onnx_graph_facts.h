// What an ONNX file shows of the network in it, whatever is written beside it: held against what a
// publisher says (published_models.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace akidb::embedding {

// nullopt and false: the file doesn't show it, which many ways of exporting lead to.
struct OnnxGraphFacts {
  std::optional<uint64_t> token_rows;     // of the table that ids are looked up in
  std::optional<uint64_t> token_width;    // numbers of a row of it
  std::optional<uint64_t> position_rows;  // of a table as wide, looked up by neither ids nor types
  std::optional<uint64_t> layers;         // attentions: `Softmax`, or an operator for all of one
  std::optional<uint64_t> query_heads;    // as such operators say
  std::optional<uint64_t> kv_heads;
  bool rotates = false;  // positions enter by sine and cosine
};

// What the graph's inputs are called; empty: it has none.
struct OnnxInputNames {
  std::string_view ids;
  std::string_view token_types;
};

// Reads no weights. Nothing of a file that can't be read.
OnnxGraphFacts ReadGraphFacts(std::span<const std::byte> file, const OnnxInputNames& inputs);

}  // namespace akidb::embedding
