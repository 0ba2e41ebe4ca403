#include "index/graph/graph_section.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"

namespace akidb::index {
namespace {

// docs/format/graph.md
constexpr uint16_t kVersion = 1;
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

size_t LinksAt(uint32_t entries) {
  return AlignUp(sizeof(Header) + size_t{entries} * sizeof(uint32_t));
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

}  // namespace

std::vector<std::byte> EncodeGraph(const GraphView& graph) {
  Header header{};
  header.version = kVersion;
  header.degree = graph.degree;
  header.nodes = graph.nodes();
  header.entries = static_cast<uint32_t>(graph.entries.size());
  std::vector<std::byte> bytes(LinksAt(header.entries) + graph.links.size_bytes());
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), graph.entries.data(), graph.entries.size_bytes());
  std::memcpy(bytes.data() + LinksAt(header.entries), graph.links.data(), graph.links.size_bytes());
  return bytes;
}

Result<GraphView> OpenGraph(std::span<const std::byte> bytes, uint32_t nodes) {
  Header header;
  if (bytes.size() < sizeof(header)) return Damaged("the section is cut short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kVersion) {
    return UnsupportedError("graph: version " + std::to_string(header.version) +
                            " isn't known to this program");
  }
  if (header.nodes != nodes || header.degree == 0 || header.degree > kDegreeMax ||
      header.entries > nodes || (nodes > 0 && header.entries == 0)) {
    return Damaged("its header doesn't belong to " + std::to_string(nodes) + " rows");
  }
  const size_t links = size_t{nodes} * header.degree;
  if (bytes.size() != LinksAt(header.entries) + links * sizeof(uint32_t)) {
    return Damaged("the section's size doesn't belong to its nodes");
  }
  AKIDB_CHECK(reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint32_t) == 0);
  auto words = [&](size_t at) { return reinterpret_cast<const uint32_t*>(bytes.data() + at); };
  GraphView graph;
  graph.degree = header.degree;
  graph.entries = {words(sizeof(header)), header.entries};
  graph.links = {words(LinksAt(header.entries)), links};
  AKIDB_RETURN_IF_ERROR(CheckLinks(graph));
  return graph;
}

}  // namespace akidb::index
