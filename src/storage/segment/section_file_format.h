// The frame that segments and deltas share, as bytes: docs/format/segment.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "storage/segment/file_ref.h"
#include "storage/segment/segment_format.h"
#include "types/uuid.h"

namespace akidb::storage {

inline constexpr uint32_t kSectionFileVersion = 1;
inline constexpr size_t kSectionFileHeaderBytes = 128;
inline constexpr size_t kSectionFileTrailerBytes = 64;
inline constexpr size_t kSectionBlockBytes = 65536;
inline constexpr uint64_t kSectionAlignment = 64;
inline constexpr uint64_t kRowsAlignment = 4096;
inline constexpr uint32_t kSectionsMax = 65536;

// Mandatory features, by bit.
inline constexpr uint32_t kFeatureDatatypes = 1;  // some rows are not float32
inline constexpr uint32_t kFeatureMultivectors = 2;
inline constexpr uint32_t kFeatureSparse = 4;
inline constexpr uint32_t kFeatures = kFeatureDatatypes | kFeatureMultivectors | kFeatureSparse;

enum class SectionFileKind : unsigned char { kSegment, kDelta };

struct SectionFileHeader {
  SectionFileKind kind = SectionFileKind::kSegment;
  Uuid file_uuid;
  Uuid collection_uuid;
  uint64_t epoch = 0;
  uint32_t features = 0;  // mandatory ones, of kFeatures
};

struct SectionEntry {
  SectionKey key;
  bool mandatory = false;
  uint16_t codec = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

struct SectionFileFooter {
  uint32_t table_crc = 0;
  uint32_t rows = 0;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  uint64_t data_bytes = 0;  // D
  Sha256Digest sha256{};
  std::vector<SectionEntry> sections;  // in the order of their offsets
};

struct SectionFileTrailer {
  uint64_t footer_offset = 0;
  uint32_t footer_bytes = 0;
  uint32_t footer_crc = 0;
  Uuid file_uuid;
  uint64_t file_bytes = 0;
};

std::vector<std::byte> EncodeSectionFileHeader(const SectionFileHeader& header);
std::vector<std::byte> EncodeSectionFileFooter(const SectionFileFooter& footer);
std::vector<std::byte> EncodeSectionFileTrailer(const SectionFileTrailer& trailer);

// Each takes exactly its bytes (the first 128, the footer, the last 64), checks what can be checked
// of them alone, and reports kCorruption or kUnsupported without naming the file.
Result<SectionFileHeader> DecodeSectionFileHeader(std::span<const std::byte> bytes);
Result<SectionFileFooter> DecodeSectionFileFooter(std::span<const std::byte> bytes);
Result<SectionFileTrailer> DecodeSectionFileTrailer(std::span<const std::byte> bytes);

uint32_t SectionBlockCrc(const Uuid& file_uuid, uint64_t block, std::span<const std::byte> bytes);
uint32_t SectionFooterCrc(const Uuid& file_uuid, std::span<const std::byte> footer);

constexpr uint64_t SectionBlockCount(uint64_t data_bytes) {
  return (data_bytes + kSectionBlockBytes - 1) / kSectionBlockBytes;
}
constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace akidb::storage
