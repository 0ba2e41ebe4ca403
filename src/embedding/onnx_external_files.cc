#include "embedding/onnx_external_files.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "embedding/wire_reader.h"

namespace akidb::embedding {
namespace {

// Messages of onnx.proto3 that lead to tensors, and the fields that hold them.
enum class Message : uint8_t {
  kModel,
  kGraph,
  kFunction,
  kNode,
  kAttribute,
  kSparseTensor,
  kTensor,
  kEntry
};

struct Edge {
  Message from;
  uint64_t field;
  Message to;
};
constexpr std::array<Edge, 17> kEdges = {{
    {Message::kModel, 7, Message::kGraph},
    {Message::kModel, 25, Message::kFunction},
    {Message::kFunction, 7, Message::kNode},
    {Message::kFunction, 11, Message::kAttribute},
    {Message::kGraph, 1, Message::kNode},
    {Message::kGraph, 5, Message::kTensor},
    {Message::kGraph, 15, Message::kSparseTensor},
    {Message::kNode, 5, Message::kAttribute},
    {Message::kAttribute, 5, Message::kTensor},
    {Message::kAttribute, 6, Message::kGraph},
    {Message::kAttribute, 10, Message::kTensor},
    {Message::kAttribute, 11, Message::kGraph},
    {Message::kAttribute, 22, Message::kSparseTensor},
    {Message::kAttribute, 23, Message::kSparseTensor},
    {Message::kSparseTensor, 1, Message::kTensor},
    {Message::kSparseTensor, 2, Message::kTensor},
    {Message::kTensor, 13, Message::kEntry},
}};
constexpr int kDepthMax = 64;  // graphs in attributes of nodes of graphs

// An entry of external_data: field 1 the key, field 2 the value.
bool ReadEntry(std::span<const std::byte> bytes, std::set<std::string>& locations) {
  WireReader reader(bytes);
  std::string_view key;
  std::string_view value;
  while (!reader.done()) {
    std::optional<WireReader::Field> field = reader.Next();
    if (!field) return false;
    if (field->number == 1) key = field->text();
    if (field->number == 2) value = field->text();
  }
  if (key == "location") locations.emplace(value);
  return true;
}

// False: it can't be read.
bool Walk(Message message, std::span<const std::byte> bytes, int depth,
          std::set<std::string>& locations) {
  if (message == Message::kEntry) return ReadEntry(bytes, locations);
  if (depth > kDepthMax) return false;
  WireReader reader(bytes);
  while (!reader.done()) {
    std::optional<WireReader::Field> field = reader.Next();
    if (!field) return false;
    const auto* edge = std::find_if(kEdges.begin(), kEdges.end(), [&](const Edge& one) {
      return one.from == message && one.field == field->number;
    });
    if (edge == kEdges.end()) continue;
    if (!field->is_delimited || !Walk(edge->to, field->bytes, depth + 1, locations)) return false;
  }
  return true;
}

}  // namespace

Result<std::set<std::string>> ExternalFilesOf(std::span<const std::byte> graph) {
  std::set<std::string> locations;
  if (!Walk(Message::kModel, graph, 0, locations)) {
    return CorruptionError("not an ONNX file: its messages can't be read");
  }
  return locations;
}

Status CheckExternalFiles(const GraphBytes& model) {
  AKIDB_ASSIGN_OR_RETURN(const std::set<std::string> locations, ExternalFilesOf(model.graph));
  for (const std::string& location : locations) {
    const bool given =
        std::any_of(model.external.begin(), model.external.end(),
                    [&](const GraphBytes::External& file) { return file.name == location; });
    if (given) continue;
    return CorruptionError("the graph's weights lie in `" + location +
                           "`, which its manifest doesn't name under `external`");
  }
  return OkStatus();
}

}  // namespace akidb::embedding
