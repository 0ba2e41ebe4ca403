#include "engine/payload_index/payload_index_section.h"

#include <algorithm>

#include "base/bytes.h"

namespace akidb::engine {
namespace {

namespace format = payload_index_format;

bool SameSteps(const PayloadPath& a, const PayloadPath& b) {
  auto same = [](const PayloadPath::Step& x, const PayloadPath::Step& y) {
    if (x.index() != y.index()) return false;
    if (const auto* name = std::get_if<std::string>(&x)) return *name == std::get<std::string>(y);
    if (const auto* place = std::get_if<size_t>(&x)) return *place == std::get<size_t>(y);
    return true;
  };
  return std::equal(a.steps().begin(), a.steps().end(), b.steps().begin(), b.steps().end(), same);
}

struct Entry {
  uint8_t kind = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

Result<std::vector<Entry>> ReadDirectory(std::span<const std::byte> bytes, uint32_t rows) {
  ByteReader reader(bytes);
  const auto magic = reader.Get<uint32_t>();
  const auto version = reader.Get<uint16_t>();
  const auto reserved = reader.Get<uint16_t>();
  const auto count = reader.Get<uint32_t>();
  const auto rows_stored = reader.Get<uint32_t>();
  if (!reader.ok() || magic != format::kSectionMagic) {
    return CorruptionError("these are no payload indexes");
  }
  if (version != format::kVersion) {
    return UnsupportedError("the payload indexes have version " + std::to_string(version) +
                            "; this program knows 1");
  }
  if (reserved != 0 || count > kPayloadIndexesMax || rows_stored != rows) {
    return CorruptionError(std::to_string(count) + " payload indexes over " +
                           std::to_string(rows_stored) + " rows; at most " +
                           std::to_string(kPayloadIndexesMax) + " over " + std::to_string(rows) +
                           " expected");
  }
  std::vector<Entry> entries(count);
  uint64_t end = format::kSectionHeadBytes + uint64_t{count} * format::kSectionEntryBytes;
  for (Entry& entry : entries) {
    const auto kind = reader.Get<uint64_t>();
    entry.kind = static_cast<uint8_t>(kind);
    entry.offset = reader.Get<uint64_t>();
    entry.bytes = reader.Get<uint64_t>();
    const bool follows = entry.offset == end + format::PaddingTo(format::kSectionAlignment, end);
    if (!reader.ok() || kind > UINT8_MAX || !follows || entry.offset > bytes.size() ||
        entry.bytes > bytes.size() - entry.offset) {
      return CorruptionError("a payload index at " + std::to_string(entry.offset) +
                             " is out of place");
    }
    end = entry.offset + entry.bytes;
  }
  if (end != bytes.size()) {
    return CorruptionError("the payload indexes end at " + std::to_string(end) + " of " +
                           std::to_string(bytes.size()) + " bytes");
  }
  return entries;
}

}  // namespace

std::vector<std::byte> WritePayloadIndexes(uint32_t rows,
                                           std::span<const std::vector<std::byte>> indexes) {
  AKIDB_CHECK(indexes.size() <= kPayloadIndexesMax);
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Put(format::kSectionMagic);
  writer.Put(format::kVersion);
  writer.Put(uint16_t{0});
  writer.Put(static_cast<uint32_t>(indexes.size()));
  writer.Put(rows);
  uint64_t end = format::kSectionHeadBytes + indexes.size() * format::kSectionEntryBytes;
  for (const std::vector<std::byte>& index : indexes) {
    AKIDB_CHECK(index.size() >= format::kIndexHeadBytes);
    end += format::PaddingTo(format::kSectionAlignment, end);
    writer.Put(static_cast<uint64_t>(index[format::kIndexKindOffset]));
    writer.Put(end);
    writer.Put(uint64_t{index.size()});
    end += index.size();
  }
  out.reserve(end);
  for (const std::vector<std::byte>& index : indexes) {
    out.resize(out.size() + format::PaddingTo(format::kSectionAlignment, out.size()));
    writer.Bytes(index);
  }
  return out;
}

Result<PayloadIndexSection> PayloadIndexSection::Open(std::span<const std::byte> bytes,
                                                      uint32_t rows) {
  AKIDB_ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadDirectory(bytes, rows));
  PayloadIndexSection section(rows);
  for (const Entry& entry : entries) {
    if (entry.kind == 0 || entry.kind > kPayloadIndexKindMax) continue;
    AKIDB_ASSIGN_OR_RETURN(
        PayloadIndexReader index,
        PayloadIndexReader::Open(bytes.subspan(entry.offset, entry.bytes), rows));
    if (static_cast<uint8_t>(index.kind()) != entry.kind) {
      return CorruptionError("the payload index of `" + index.path().text() +
                             "` is not of the kind in the directory");
    }
    for (const PayloadIndexReader* other : section.On(index.path())) {
      if (other->kind() == index.kind()) {
        return CorruptionError("there are two payload indexes of `" + index.path().text() + "`");
      }
    }
    section.indexes_.push_back(std::move(index));
  }
  return section;
}

std::vector<const PayloadIndexReader*> PayloadIndexSection::On(const PayloadPath& path) const {
  std::vector<const PayloadIndexReader*> found;
  for (const PayloadIndexReader& index : indexes_) {
    if (SameSteps(index.path(), path)) found.push_back(&index);
  }
  return found;
}

}  // namespace akidb::engine
