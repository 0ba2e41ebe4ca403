// What has changed in a sealed segment since it was written: docs/format/delta.md. Each version is
// a file of its own; the manifest names the one that counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "types/uuid.h"

namespace akidb::storage {

// A row whose payload was replaced.
struct DeltaChange {
  uint32_t row = 0;
  uint32_t payload = 0;  // its number in Delta::payloads
  uint64_t seq = 0;      // of the change
  friend bool operator==(const DeltaChange&, const DeltaChange&) = default;
};

struct Delta {
  Uuid segment_uuid;
  Uuid collection_uuid;
  uint32_t rows = 0;      // of the segment
  uint64_t last_seq = 0;  // every change up to here is in it
  // Rows that are dead: a bitmap in Roaring's portable format; opaque here.
  std::vector<std::byte> tombstones;
  std::vector<DeltaChange> changes;  // ascending rows
  // In the form of docs/format/payload.md. Borrowed; by ReadDelta from `payload_bytes`.
  std::vector<std::span<const std::byte>> payloads;
  std::vector<std::byte> payload_bytes;
};

struct DeltaWriteOptions {
  std::string directory;  // of segments; exists
  Uuid file_uuid;         // new
  uint64_t number = 0;    // makes the name unique; from Manifest::next_delta_number
  uint64_t epoch = 0;
};

// "<segment uuid>-<number>.delta"
std::string DeltaFileName(const Uuid& segment_uuid, uint64_t number);

// Durable when it returns, as WriteSegment. Rows, numbers of payloads and sequence numbers are
// within their bounds.
Result<FileRef> WriteDelta(env::FileSystem& fs, const DeltaWriteOptions& options,
                           const Delta& delta);

struct DeltaExpectation {
  Uuid segment_uuid;
  Uuid collection_uuid;
  uint32_t rows = 0;  // of the segment
};

// Reads and checks the whole file. kCorruption when it isn't the file that `file` names, belongs to
// another segment or is damaged; kUnsupported when written by a newer version; kUnavailable when
// the device can't read it.
Result<Delta> ReadDelta(env::FileSystem& fs, const std::string& directory, const FileRef& file,
                        const DeltaExpectation& expected);

}  // namespace akidb::storage
