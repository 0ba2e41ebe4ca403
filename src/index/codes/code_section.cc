#include "index/codes/code_section.h"

#include <cmath>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

#include "base/check.h"

namespace akidb::index {
namespace {

// docs/format/codes.md
constexpr uint16_t kVersionOfWhole = 1;
constexpr uint16_t kVersionWithPrefix = 2;
constexpr size_t kAlignment = 64;
constexpr uint8_t kWithoutGraph = 1;
constexpr uint8_t kInGraphOrder = 2;

struct Header {
  uint16_t version;
  uint8_t kind;
  uint8_t flags;
  uint32_t dim;
  uint32_t rows;
  uint32_t row_bytes;
  uint64_t rotation_seed;
  uint32_t prefix;  // components that are coded; 0: all
  float tail_share;
  float tail_spread;
  uint8_t without_graph_reason;
  uint8_t zeros[27];
};
static_assert(sizeof(Header) == kAlignment);

bool IsKnown(uint8_t kind) {
  for (CodeKind known : {CodeKind::kU4, CodeKind::kU7, CodeKind::kU1}) {
    if (kind == static_cast<uint8_t>(known)) return true;
  }
  return false;
}

constexpr size_t AlignUp(size_t value) {
  return (value + kAlignment - 1) / kAlignment * kAlignment;
}

Result<std::optional<CodedPrefix>> PrefixOf(const Header& header) {
  if (header.version == kVersionOfWhole) return std::optional<CodedPrefix>();
  if (header.prefix == 0 || header.prefix >= header.dim) {
    return CorruptionError("codes: of the first " + std::to_string(header.prefix) + " of " +
                           std::to_string(header.dim) + " components; they must be fewer, and one");
  }
  const bool sound = std::isfinite(header.tail_share) && header.tail_share >= 0 &&
                     std::isfinite(header.tail_spread) && header.tail_spread >= 0;
  if (!sound)
    return CorruptionError("codes: what was measured of the tails is no number from 0 on");
  return std::optional(CodedPrefix{header.prefix, header.tail_share, header.tail_spread});
}

size_t RowsAt(uint32_t dim) { return AlignUp(sizeof(Header) + size_t{dim} * sizeof(float)); }

}  // namespace

CodeSectionWriter::CodeSectionWriter(const CodeSpace& space, uint32_t rows)
    : space_(space),
      rows_(rows),
      rows_at_(RowsAt(space.dim())),
      bytes_(rows_at_ + size_t{rows} * space.row_bytes()) {
  Header header{};
  header.version = kVersionOfWhole;
  if (space.prefix()) {
    header.version = kVersionWithPrefix;
    header.prefix = space.prefix()->dim;
    header.tail_share = space.prefix()->tail_share;
    header.tail_spread = space.prefix()->tail_spread;
  }
  header.kind = static_cast<uint8_t>(space.kind());
  header.dim = space.dim();
  header.rows = rows;
  header.row_bytes = static_cast<uint32_t>(space.row_bytes());
  header.rotation_seed = space.rotation_seed();
  std::memcpy(bytes_.data(), &header, sizeof(header));
  std::memcpy(bytes_.data() + sizeof(header), space.centre().data(), space.centre().size_bytes());
}

void CodeSectionWriter::SetWithoutGraph(NoGraphReason reason) {
  bytes_[offsetof(Header, flags)] |= std::byte{kWithoutGraph};
  bytes_[offsetof(Header, without_graph_reason)] = static_cast<std::byte>(reason);
}

void CodeSectionWriter::Add(std::span<const float> vector, float lift) {
  AKIDB_CHECK(added_ < rows_);
  std::byte* const row = bytes_.data() + rows_at_ + added_++ * space_.row_bytes();
  space_.Encode(vector, row);
  if (lift == 0) return;
  float squared_norm;
  std::byte* const at = row + space_.code_bytes() + sizeof(float);
  std::memcpy(&squared_norm, at, sizeof(squared_norm));
  squared_norm += lift * lift;
  std::memcpy(at, &squared_norm, sizeof(squared_norm));
}

// Along the cycles of the permutation, so that one row is held beside the section.
void CodeSectionWriter::Reorder(std::span<const uint32_t> order) {
  AKIDB_CHECK(added_ == rows_ && order.size() == rows_);
  bytes_[offsetof(Header, flags)] |= std::byte{kInGraphOrder};
  const size_t row_bytes = space_.row_bytes();
  auto row = [&](uint32_t i) { return bytes_.data() + rows_at_ + i * row_bytes; };
  std::vector<std::byte> held(row_bytes);
  std::vector<bool> placed(rows_);
  for (uint32_t first = 0; first < rows_; ++first) {
    if (placed[first]) continue;
    std::memcpy(held.data(), row(first), row_bytes);
    uint32_t at = first;
    for (; order[at] != first; at = order[at]) {
      std::memcpy(row(at), row(order[at]), row_bytes);
      placed[at] = true;
    }
    std::memcpy(row(at), held.data(), row_bytes);
    placed[at] = true;
  }
}

std::vector<std::byte> CodeSectionWriter::Take() {
  AKIDB_CHECK(added_ == rows_);
  return std::move(bytes_);
}

Result<CodeSection> OpenCodeSection(std::span<const std::byte> bytes, uint32_t dim, uint32_t rows) {
  Header header;
  if (bytes.size() < sizeof(header)) return CorruptionError("codes: the section is cut short");
  std::memcpy(&header, bytes.data(), sizeof(header));
  const bool is_known = header.version == kVersionOfWhole || header.version == kVersionWithPrefix;
  if (!is_known || !IsKnown(header.kind)) {
    return UnsupportedError("codes: version " + std::to_string(header.version) + ", kind " +
                            std::to_string(header.kind) + " isn't known to this program");
  }
  if (header.dim != dim || header.rows != rows) {
    return CorruptionError("codes: of " + std::to_string(header.rows) + " rows of " +
                           std::to_string(header.dim) + " components; the segment has " +
                           std::to_string(rows) + " of " + std::to_string(dim));
  }
  AKIDB_ASSIGN_OR_RETURN(const std::optional<CodedPrefix> prefix, PrefixOf(header));
  std::vector<float> centre(dim);
  if (bytes.size() < RowsAt(dim)) return CorruptionError("codes: the section is cut short");
  std::memcpy(centre.data(), bytes.data() + sizeof(header), dim * sizeof(float));
  CodeSection section;
  section.space = std::make_shared<const CodeSpace>(static_cast<CodeKind>(header.kind),
                                                    header.rotation_seed, centre, prefix);
  if (header.row_bytes != section.space->row_bytes() ||
      bytes.size() != RowsAt(dim) + size_t{rows} * header.row_bytes) {
    return CorruptionError("codes: the section's size doesn't belong to its rows");
  }
  section.rows = bytes.data() + RowsAt(dim);
  section.count = rows;
  section.without_graph = (header.flags & kWithoutGraph) != 0;
  if (header.without_graph_reason <= static_cast<uint8_t>(NoGraphReason::kManhattan)) {
    section.reason = static_cast<NoGraphReason>(header.without_graph_reason);
  }
  section.in_graph_order = (header.flags & kInGraphOrder) != 0;
  return section;
}

}  // namespace akidb::index
