#include "storage/segment/section_file_format.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace akidb::storage {
namespace {

constexpr std::string_view kSegmentMagic = "AKIDBSEG";
constexpr std::string_view kDeltaMagic = "AKIDBDLT";
constexpr std::string_view kEndMagic = "AKIDBEND";

constexpr size_t kHeaderCrcOffset = 124;
constexpr size_t kTrailerCrcOffset = 52;
constexpr size_t kFooterFixedBytes = 72;
constexpr uint32_t kEntryBytes = 32;

constexpr uint32_t kMandatoryFlag = 1;
constexpr uint32_t kFlagsRefused = 0xFFFE;  // bits 1..15

std::span<const std::byte> BytesOf(const Uuid& uuid) {
  return std::as_bytes(std::span(uuid.bytes));
}

Uuid GetUuid(ByteReader& reader) {
  Uuid uuid;
  std::span<const std::byte> bytes = reader.Bytes(uuid.bytes.size());
  std::transform(bytes.begin(), bytes.end(), uuid.bytes.begin(),
                 [](std::byte b) { return static_cast<uint8_t>(b); });
  return uuid;
}

void PutZeros(size_t count, ByteWriter& writer) {
  for (size_t i = 0; i < count; ++i) writer.Put(uint8_t{0});
}

Result<SectionEntry> DecodeEntry(ByteReader& reader) {
  SectionEntry entry;
  entry.key.id = static_cast<SectionId>(reader.Get<uint16_t>());
  entry.key.vector = reader.Get<uint16_t>();
  uint32_t flags = reader.Get<uint32_t>();
  entry.offset = reader.Get<uint64_t>();
  entry.bytes = reader.Get<uint64_t>();
  entry.codec = reader.Get<uint16_t>();
  reader.Bytes(6);
  entry.mandatory = (flags & kMandatoryFlag) != 0;
  if ((flags & kFlagsRefused) != 0) {
    return UnsupportedError("section " + std::to_string(static_cast<uint16_t>(entry.key.id)) +
                            " has flags of a newer version");
  }
  return entry;
}

// Entries in order, apart from each other, aligned, inside the data.
Status CheckEntries(const SectionFileFooter& footer) {
  uint64_t end = kSectionFileHeaderBytes;
  std::vector<SectionKey> keys;
  for (const SectionEntry& entry : footer.sections) {
    if (entry.offset < end || entry.offset % kSectionAlignment != 0 ||
        entry.offset > footer.data_bytes || entry.bytes > footer.data_bytes - entry.offset) {
      return CorruptionError("the footer has a section outside its place");
    }
    end = entry.offset + entry.bytes;
    keys.push_back(entry.key);
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) {
    return CorruptionError("the footer has a section twice");
  }
  return OkStatus();
}

}  // namespace

std::vector<std::byte> EncodeSectionFileHeader(const SectionFileHeader& header) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Text(header.kind == SectionFileKind::kSegment ? kSegmentMagic : kDeltaMagic);
  writer.Put(kSectionFileVersion);
  writer.Put(header.features);
  writer.Put(uint32_t{0});
  writer.Put(static_cast<uint32_t>(kSectionBlockBytes));
  writer.Bytes(BytesOf(header.file_uuid));
  writer.Bytes(BytesOf(header.collection_uuid));
  writer.Put(header.epoch);
  PutZeros(kHeaderCrcOffset - out.size(), writer);
  writer.Put(Crc32c(out));
  return out;
}

Result<SectionFileHeader> DecodeSectionFileHeader(std::span<const std::byte> bytes) {
  AKIDB_CHECK(bytes.size() == kSectionFileHeaderBytes);
  ByteReader reader(bytes);
  SectionFileHeader header;
  std::string_view magic = reader.Text(8);
  if (magic != kSegmentMagic && magic != kDeltaMagic) {
    return CorruptionError("the header has no magic number of a segment or delta");
  }
  header.kind = magic == kSegmentMagic ? SectionFileKind::kSegment : SectionFileKind::kDelta;
  ByteReader crc(bytes.subspan(kHeaderCrcOffset));
  if (crc.Get<uint32_t>() != Crc32c(bytes.first(kHeaderCrcOffset))) {
    return CorruptionError("the header's checksum is wrong");
  }
  uint32_t version = reader.Get<uint32_t>();
  header.features = reader.Get<uint32_t>();
  reader.Get<uint32_t>();
  if (version > kSectionFileVersion || (header.features & ~kFeatures) != 0) {
    return UnsupportedError(
        "written by a newer version of AkiDB (format version " + std::to_string(version) +
        ", features " + std::to_string(header.features) + "; this program reads version " +
        std::to_string(kSectionFileVersion) + " with features " + std::to_string(kFeatures) + ")");
  }
  uint32_t block_bytes = reader.Get<uint32_t>();
  if (version == 0 || block_bytes != kSectionBlockBytes) {
    return CorruptionError("the header has an impossible version or block size");
  }
  header.file_uuid = GetUuid(reader);
  header.collection_uuid = GetUuid(reader);
  header.epoch = reader.Get<uint64_t>();
  return header;
}

std::vector<std::byte> EncodeSectionFileFooter(const SectionFileFooter& footer) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Put(footer.table_crc);
  writer.Put(static_cast<uint32_t>(footer.sections.size()));
  writer.Put(kEntryBytes);
  writer.Put(footer.rows);
  writer.Put(footer.first_seq);
  writer.Put(footer.last_seq);
  writer.Put(footer.data_bytes);
  writer.Bytes(std::as_bytes(std::span(footer.sha256)));
  for (const SectionEntry& entry : footer.sections) {
    writer.Put(static_cast<uint16_t>(entry.key.id));
    writer.Put(entry.key.vector);
    writer.Put(entry.mandatory ? kMandatoryFlag : uint32_t{0});
    writer.Put(entry.offset);
    writer.Put(entry.bytes);
    writer.Put(entry.codec);
    PutZeros(6, writer);
  }
  return out;
}

Result<SectionFileFooter> DecodeSectionFileFooter(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  SectionFileFooter footer;
  footer.table_crc = reader.Get<uint32_t>();
  uint32_t count = reader.Get<uint32_t>();
  uint32_t entry_bytes = reader.Get<uint32_t>();
  footer.rows = reader.Get<uint32_t>();
  footer.first_seq = reader.Get<uint64_t>();
  footer.last_seq = reader.Get<uint64_t>();
  footer.data_bytes = reader.Get<uint64_t>();
  std::span<const std::byte> digest = reader.Bytes(footer.sha256.size());
  if (!reader.ok() || entry_bytes != kEntryBytes || count > kSectionsMax ||
      bytes.size() != kFooterFixedBytes + size_t{count} * kEntryBytes) {
    return CorruptionError("the footer's counts are wrong");
  }
  std::memcpy(footer.sha256.data(), digest.data(), digest.size());
  if (footer.rows > kSegmentRowsMax || footer.data_bytes % kSectionAlignment != 0 ||
      footer.first_seq > footer.last_seq) {
    return CorruptionError("the footer's figures are impossible");
  }
  for (uint32_t i = 0; i < count; ++i) {
    AKIDB_ASSIGN_OR_RETURN(SectionEntry entry, DecodeEntry(reader));
    footer.sections.push_back(entry);
  }
  AKIDB_RETURN_IF_ERROR(CheckEntries(footer));
  return footer;
}

std::vector<std::byte> EncodeSectionFileTrailer(const SectionFileTrailer& trailer) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Put(trailer.footer_offset);
  writer.Put(trailer.footer_bytes);
  writer.Put(trailer.footer_crc);
  writer.Bytes(BytesOf(trailer.file_uuid));
  writer.Put(trailer.file_bytes);
  PutZeros(kTrailerCrcOffset - out.size(), writer);
  writer.Put(Crc32c(out));
  writer.Text(kEndMagic);
  return out;
}

Result<SectionFileTrailer> DecodeSectionFileTrailer(std::span<const std::byte> bytes) {
  AKIDB_CHECK(bytes.size() == kSectionFileTrailerBytes);
  ByteReader reader(bytes);
  SectionFileTrailer trailer;
  trailer.footer_offset = reader.Get<uint64_t>();
  trailer.footer_bytes = reader.Get<uint32_t>();
  trailer.footer_crc = reader.Get<uint32_t>();
  trailer.file_uuid = GetUuid(reader);
  trailer.file_bytes = reader.Get<uint64_t>();
  reader.Bytes(12);
  if (reader.Get<uint32_t>() != Crc32c(bytes.first(kTrailerCrcOffset)) ||
      reader.Text(8) != kEndMagic) {
    return CorruptionError("the trailer is damaged or cut off");
  }
  return trailer;
}

uint32_t SectionBlockCrc(const Uuid& file_uuid, uint64_t block, std::span<const std::byte> bytes) {
  uint32_t crc = Crc32c(BytesOf(file_uuid));
  crc = ExtendCrc32c(crc, std::as_bytes(std::span(&block, 1)));
  return ExtendCrc32c(crc, bytes);
}

uint32_t SectionFooterCrc(const Uuid& file_uuid, std::span<const std::byte> footer) {
  return ExtendCrc32c(Crc32c(BytesOf(file_uuid)), footer);
}

}  // namespace akidb::storage
