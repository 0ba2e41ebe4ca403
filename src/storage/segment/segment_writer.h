// Writes sealed segments: docs/format/segment.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "storage/segment/segment_format.h"
#include "types/point_id.h"
#include "types/uuid.h"

namespace akidb::storage {

// What becomes a segment: rows 0..rows()-1, which keep their numbers. Read several times, in
// ascending order of rows each time, by the thread that calls WriteSegment. Spans stay valid until
// the next call of the same function.
class SegmentRows {
 public:
  virtual ~SegmentRows() = default;
  virtual uint32_t rows() const = 0;
  virtual PointId id(uint32_t row) const = 0;  // no two rows the same
  virtual uint64_t seq(uint32_t row) const = 0;
  virtual bool HasVector(uint32_t row, size_t ordinal) const = 0;
  // dim components (of a multivector, those of its rows) of the vector's datatype, aligned to their
  // size; called only for rows that have the vector.
  virtual Result<std::span<const std::byte>> vector(uint32_t row, size_t ordinal) const = 0;
  // In the form of docs/format/payload.md.
  virtual Result<std::span<const std::byte>> payload(uint32_t row) const = 0;
};

// A section that the writer copies as it is: codes, a graph, an index. They lie next to each other;
// in a file of at least 1 MiB no block of the checksums holds some of them and of anything else.
struct ExtraSection {
  SectionKey key;
  bool mandatory = false;  // a reader that doesn't know it must refuse the file
  std::span<const std::byte> bytes;
};

struct SegmentWriteOptions {
  std::string directory;  // of segments; exists
  Uuid uuid;              // of the segment, new; names the file
  Uuid collection_uuid;
  uint64_t epoch = 0;
  std::vector<SegmentVector> vectors;  // sorted by name; a vector's place is its ordinal
  PayloadCodec payload_codec = PayloadCodec::kZstd;
  bool payload_dictionary = true;  // trained when there is enough to train on
  std::vector<ExtraSection> extra_sections;
};

struct WrittenSegment {
  FileRef file;
  uint32_t rows = 0;
  uint64_t first_seq = 0;  // the least and the greatest of the rows'
  uint64_t last_seq = 0;
};

// "<uuid>.seg"
std::string SegmentFileName(const Uuid& uuid);

// Durable when it returns: temporary file, sync, rename, folder sync. After an error nothing but
// perhaps a temporary file is left. kInvalidArgument for no rows, too many rows, a repeated id,
// a vector of another dimension or a payload over kSegmentPayloadBytesMax; else what the file
// system or `rows` reports.
Result<WrittenSegment> WriteSegment(env::FileSystem& fs, const SegmentWriteOptions& options,
                                    const SegmentRows& rows);

}  // namespace akidb::storage
