#include "embedding/onnx_embedding_rows.h"

#include "embedding/onnx_nodes.h"

namespace akidb::embedding {

std::optional<uint64_t> EmbeddingRows(std::span<const std::byte> graph,
                                      std::string_view ids_input) {
  const std::optional<OnnxNodes> nodes = OnnxNodes::Read(graph);
  if (!nodes) return std::nullopt;
  std::optional<uint64_t> least;
  for (const OnnxNode& node : nodes->nodes()) {
    const std::optional<OnnxLookup> lookup = LookupOf(node);
    if (!lookup || !nodes->IsInput(lookup->ids, ids_input)) continue;
    const std::optional<OnnxTable> table = nodes->TableOf(lookup->table);
    if (table && (!least || table->rows < *least)) least = table->rows;
  }
  return least;
}

}  // namespace akidb::embedding
