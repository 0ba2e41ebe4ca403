// How many token ids a graph knows: the rows of the table that it looks them up in. An id beyond
// them would fail a run, or read what isn't the table's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace akidb::embedding {

// Of an ONNX file (onnx.proto3), without reading its weights: the first dimension of what `Gather`,
// `GatherBlockQuantized` or `EmbedLayerNormalization` takes rows of by the graph's input
// `ids_input`; the least one where there are several. Between them may stand what changes neither
// ids nor the order of rows: other types and shapes of ids, and a table that is dequantised.
// nullopt: it isn't found, or the file can't be read.
std::optional<uint64_t> EmbeddingRows(std::span<const std::byte> graph, std::string_view ids_input);

}  // namespace akidb::embedding
