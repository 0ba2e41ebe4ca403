#include "embedding/onnx_graph_facts.h"

#include <algorithm>
#include <array>

#include "embedding/onnx_nodes.h"

namespace akidb::embedding {
namespace {

constexpr std::array<std::string_view, 8> kAttentions = {"Softmax",
                                                         "Attention",
                                                         "QAttention",
                                                         "MultiHeadAttention",
                                                         "GroupQueryAttention",
                                                         "PackedAttention",
                                                         "PackedMultiHeadAttention",
                                                         "DecoderMaskedMultiHeadAttention"};

// An attribute that only operators for whole attentions have.
void Take(const OnnxNode& node, std::string_view name, std::optional<uint64_t>& fact) {
  const int64_t number = node.number(name, 0);
  if (number > 0) fact = static_cast<uint64_t>(number);
}

class FactReader {
 public:
  FactReader(const OnnxNodes& nodes, const OnnxInputNames& inputs)
      : nodes_(nodes), inputs_(inputs) {}

  OnnxGraphFacts Read() {
    for (const OnnxNode& node : nodes_.nodes()) TakeTokens(node);
    for (const OnnxNode& node : nodes_.nodes()) {
      TakePositions(node);
      TakeAttention(node);
    }
    return facts_;
  }

 private:
  void TakeTokens(const OnnxNode& node) {
    const std::optional<OnnxLookup> lookup = LookupOf(node);
    if (!lookup || facts_.token_rows || !nodes_.IsInput(lookup->ids, inputs_.ids)) return;
    const std::optional<OnnxTable> table = nodes_.TableOf(lookup->table);
    if (!table) return;
    facts_.token_rows = table->rows;
    // Several numbers may share a byte there.
    if (node.type != "GatherBlockQuantized") facts_.token_width = table->columns;
  }

  void TakePositions(const OnnxNode& node) {
    facts_.rotates = facts_.rotates || node.type == "RotaryEmbedding" || node.type == "Cos" ||
                     node.type == "Sin" || node.number("do_rotary", 0) == 1;
    if (!facts_.token_width) return;
    std::optional<OnnxLookup> lookup = LookupOf(node);
    if (node.type == "EmbedLayerNormalization") lookup = OnnxLookup{node.input(3), {}};
    if (!lookup || nodes_.IsInput(lookup->ids, inputs_.ids)) return;
    const bool of_types =
        !inputs_.token_types.empty() && nodes_.IsInput(lookup->ids, inputs_.token_types);
    const std::optional<OnnxTable> table = nodes_.TableOf(lookup->table);
    if (of_types || !table || table->columns != *facts_.token_width) return;
    facts_.position_rows = std::max(facts_.position_rows.value_or(0), table->rows);
  }

  void TakeAttention(const OnnxNode& node) {
    if (std::find(kAttentions.begin(), kAttentions.end(), node.type) == kAttentions.end()) return;
    facts_.layers = facts_.layers.value_or(0) + 1;
    Take(node, "num_heads", facts_.query_heads);
    Take(node, "kv_num_heads", facts_.kv_heads);
  }

  const OnnxNodes& nodes_;
  const OnnxInputNames& inputs_;
  OnnxGraphFacts facts_;
};

}  // namespace

OnnxGraphFacts ReadGraphFacts(std::span<const std::byte> file, const OnnxInputNames& inputs) {
  const std::optional<OnnxNodes> nodes = OnnxNodes::Read(file);
  return nodes ? FactReader(*nodes, inputs).Read() : OnnxGraphFacts();
}

}  // namespace akidb::embedding
