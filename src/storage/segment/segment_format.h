// Names and bounds of the segment format: docs/format/segment.md.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "types/collection_config.h"
#include "types/metric.h"

namespace akidb::storage {

// Numbers on disk: never reused, never changed.
enum class SectionId : uint16_t {
  kVectors = 1,
  kNumberIds = 2,
  kUuidIds = 3,
  kRowOfRank = 4,
  kRankOfRow = 5,
  kSeqs = 6,
  kRows = 7,
  kRowMap = 8,
  kPayload = 9,
  kPayloadIndex = 10,
  kPayloadDictionary = 11,
  kCodes = 12,
  kGraph = 13,
  kPayloadIndexes = 14,
  kRecall = 15,
  kSecondCodes = 16,
  kRowStarts = 17,
  kSparseIndex = 18,
  kLongRows = 19,
  kDeltaInfo = 32,
  kTombstones = 33,
  kChangedRows = 34,
  kChangedPayloads = 35,
};

// A file holds a section at most once for each vector, or for none.
struct SectionKey {
  static constexpr uint16_t kNoVector = 0xFFFF;

  SectionId id{};
  uint16_t vector = kNoVector;  // ordinal
  friend auto operator<=>(const SectionKey&, const SectionKey&) = default;
};

// Of a vector's entry in the section `vectors`. What is sparse is laid out as a multivector.
inline constexpr uint8_t kMultivectorFlag = 1;
inline constexpr uint8_t kSparseFlag = 2;

// A named vector of a segment.
struct SegmentVector {
  std::string name;  // "" is the default one
  uint32_t dim = 0;  // 1..kDimMax
  Metric metric = Metric::kCosine;
  VectorDatatype datatype = VectorDatatype::kFloat32;
  uint32_t count = 0;  // rows that have it; set by the writer
  bool multivector = false;
  bool sparse = false;  // then a multivector, too, of kSparseRowDim; it may have no rows
  // Of one row's components; of a multivector, those of one of its rows.
  uint64_t row_bytes() const { return uint64_t{dim} * ComponentBytes(datatype); }
  friend bool operator==(const SegmentVector&, const SegmentVector&) = default;
};

enum class PayloadCodec : uint8_t { kNone = 0, kZstd = 1 };

inline constexpr uint32_t kSegmentRowsMax = uint32_t{1} << 28;
inline constexpr uint32_t kSegmentVectorsMax = 1024;
inline constexpr uint32_t kSegmentPayloadBytesMax = uint32_t{256} << 20;  // of one row

}  // namespace akidb::storage
