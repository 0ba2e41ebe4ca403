#include "index/graph/graph_section.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"

namespace akidb::index {
namespace {

// docs/format/graph.md
constexpr uint16_t kVersionPlain = 1;
constexpr uint16_t kVersionRenumbered = 2;
constexpr size_t kAlignment = 64;
constexpr uint32_t kDegreeMax = 1024;

struct Header {
  uint16_t version;
  uint16_t zero;
  uint32_t degree;
  uint32_t nodes;
  uint32_t entries;
  uint8_t zeros[48];
};
static_assert(sizeof(Header) == kAlignment);

constexpr size_t AlignUp(size_t value) {
  return (value + kAlignment - 1) / kAlignment * kAlignment;
}

struct Layout {
  size_t links_at = 0;
  size_t numbers_at = 0;  // of version 2
  size_t end = 0;
};

Layout LayoutOf(const Header& header) {
  Layout layout;
  layout.links_at = AlignUp(sizeof(Header) + size_t{header.entries} * sizeof(uint32_t));
  layout.numbers_at = layout.links_at + size_t{header.nodes} * header.degree * sizeof(uint32_t);
  layout.end = layout.numbers_at;
  if (header.version == kVersionRenumbered)
    layout.end += 2 * size_t{header.nodes} * sizeof(uint32_t);
  return layout;
}

Status Damaged(const std::string& what) { return CorruptionError("graph: " + what); }

Status CheckLinks(const GraphView& graph) {
  const uint32_t nodes = graph.nodes();
  for (uint32_t node = 0; node < nodes; ++node) {
    bool ended = false;
    for (uint32_t link : graph.LinksOf(node)) {
      const bool none = link == kNoNode;
      if ((ended && !none) || (!none && link >= nodes)) {
        return Damaged("node " + std::to_string(node) + " is linked to what isn't there");
      }
      ended = none;
    }
  }
  for (uint32_t entry : graph.entries) {
    if (entry >= nodes) return Damaged("an entry isn't a node");
  }
  return OkStatus();
}

Status CheckNumbers(const GraphView& graph) {
  for (uint32_t node = 0; node < graph.number_of_node.size(); ++node) {
    const uint32_t number = graph.number_of_node[node];
    if (number >= graph.nodes() || graph.node_of_number[number] != node) {
      return Damaged("node " + std::to_string(node) + " isn't that of its vector");
    }
  }
  return OkStatus();
}

}  // namespace

std::vector<std::byte> EncodeGraph(const GraphView& graph) {
  Header header{};
  header.version = graph.number_of_node.empty() ? kVersionPlain : kVersionRenumbered;
  header.degree = graph.degree;
  header.nodes = graph.nodes();
  header.entries = static_cast<uint32_t>(graph.entries.size());
  const Layout layout = LayoutOf(header);
  std::vector<std::byte> bytes(layout.end);
  auto put = [&](size_t at, std::span<const uint32_t> words) {
    std::copy_n(reinterpret_cast<const std::byte*>(words.data()), words.size_bytes(),
                bytes.data() + at);
  };
  std::memcpy(bytes.data(), &header, sizeof(header));
  put(sizeof(header), graph.entries);
  put(layout.links_at, graph.links);
  put(layout.numbers_at, graph.number_of_node);
  put(layout.numbers_at + graph.number_of_node.size_bytes(), graph.node_of_number);
  return bytes;
}

Result<GraphView> OpenGraph(std::span<const std::byte> bytes, uint32_t nodes) {
  Header header;
  if (bytes.size() < sizeof(header)) return Damaged("the section is cut short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kVersionPlain && header.version != kVersionRenumbered) {
    return UnsupportedError("graph: version " + std::to_string(header.version) +
                            " isn't known to this program");
  }
  if (header.nodes != nodes || header.degree == 0 || header.degree > kDegreeMax ||
      header.entries > nodes || (nodes > 0 && header.entries == 0)) {
    return Damaged("its header doesn't belong to " + std::to_string(nodes) + " rows");
  }
  const Layout layout = LayoutOf(header);
  if (bytes.size() != layout.end) return Damaged("the section's size doesn't belong to its nodes");
  AKIDB_CHECK(reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint32_t) == 0);
  auto words = [&](size_t at, size_t count) {
    return std::span(reinterpret_cast<const uint32_t*>(bytes.data() + at), count);
  };
  GraphView graph;
  graph.degree = header.degree;
  graph.entries = words(sizeof(header), header.entries);
  graph.links = words(layout.links_at, size_t{nodes} * header.degree);
  if (header.version == kVersionRenumbered) {
    graph.number_of_node = words(layout.numbers_at, nodes);
    graph.node_of_number = words(layout.numbers_at + nodes * sizeof(uint32_t), nodes);
  }
  AKIDB_RETURN_IF_ERROR(CheckNumbers(graph));
  AKIDB_RETURN_IF_ERROR(CheckLinks(graph));
  return graph;
}

}  // namespace akidb::index
