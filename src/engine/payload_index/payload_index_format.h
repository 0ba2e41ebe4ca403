// Numbers of docs/format/payload_index.md: never reused, never changed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace akidb::engine {

enum class PayloadIndexKind : uint8_t {
  kKeyword = 1,
  kInteger = 2,
  kFloat = 3,
  kBool = 4,
  kDatetime = 5,
  kUuid = 6,
  kGeo = 7,
  kText = 8,
};
inline constexpr uint8_t kPayloadIndexKindMax = 8;

inline constexpr uint32_t kPayloadIndexRowsMax = uint32_t{1} << 28;
inline constexpr uint64_t kPayloadIndexPairsMax = uint64_t{1} << 30;
inline constexpr uint64_t kPayloadIndexStringBytesMax = UINT32_MAX;  // of one index
inline constexpr uint32_t kPayloadIndexesMax = 256;                  // of one segment
// Longer strings are left to the evaluation of the payload: no index makes a search for one faster
// than it is rare, and each would stand twice in the segment.
inline constexpr uint32_t kKeywordBytesMax = 1024;

namespace payload_index_format {

inline constexpr uint32_t kSectionMagic = 0x58504B41;  // "AKPX"
inline constexpr uint32_t kIndexMagic = 0x49504B41;    // "AKPI"
inline constexpr uint16_t kVersion = 1;                // of the section
inline constexpr uint16_t kIndexVersion = 1;           // of an index
inline constexpr uint16_t kSequencesVersion = 2;       // of an index that holds sequences
inline constexpr uint16_t kLengthsVersion = 3;         // and of each row how many tokens it has
inline constexpr size_t kSectionHeadBytes = 16;
inline constexpr size_t kSectionEntryBytes = 24;
inline constexpr size_t kSectionAlignment = 64;
inline constexpr size_t kIndexHeadBytes = 96;
inline constexpr size_t kSequencesHeadBytes = 8;  // behind it, from version 2 on
inline constexpr size_t kIndexKindOffset = 6;
inline constexpr size_t kAreaAlignment = 8;
inline constexpr uint32_t kInvertedFlag = 1;
inline constexpr uint32_t kSequencesFlag = 1;  // they are there, else they were too many

// The row sets of an index, in their order.
enum RowSetPlace : size_t { kValued, kFilled, kNull, kOther, kNumbers, kRowSetCount };

struct StoredRowSetHead {
  uint32_t units = 0;
  uint32_t flags = 0;
};

// The head of an index, field by field.
struct IndexHead {
  uint8_t kind = 0;
  uint8_t width = 0;
  uint32_t rows = 0;
  uint32_t path_bytes = 0;
  uint64_t pairs = 0;
  uint64_t base_or_values = 0;  // integer: the base as two's complement
  uint64_t string_bytes = 0;
  uint32_t posting_units = 0;
  uint32_t multi_rows = 0;
  uint32_t row_values_max = 0;
  uint32_t fingerprint = 0;  // text: of the analyzer
  std::array<StoredRowSetHead, kRowSetCount> sets;
  // From version 2 on.
  uint16_t version = kIndexVersion;
  uint32_t sequence_flags = 0;
  uint32_t sequence_bytes = 0;

  size_t bytes() const {
    return kIndexHeadBytes + (version >= kSequencesVersion ? kSequencesHeadBytes : 0);
  }
};

inline constexpr size_t PaddingTo(size_t alignment, size_t size) {
  return (alignment - size % alignment) % alignment;
}

}  // namespace payload_index_format
}  // namespace akidb::engine
