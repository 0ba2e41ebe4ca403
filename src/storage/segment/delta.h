// What has changed in a sealed segment since it was written: docs/format/delta.md. Each version is
// a file of its own; the manifest names the one that counts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "types/uuid.h"

namespace akidb::storage {

struct Delta {
  Uuid segment_uuid;
  Uuid collection_uuid;
  uint32_t rows = 0;      // of the segment
  uint64_t last_seq = 0;  // every change up to here is in it
  // Rows that are dead: a bitmap in Roaring's portable format; opaque here.
  std::vector<std::byte> tombstones;
};

struct DeltaWriteOptions {
  std::string directory;  // of segments; exists
  Uuid file_uuid;         // new
  uint64_t number = 0;    // makes the name unique; from Manifest::next_delta_number
  uint64_t epoch = 0;
};

// "<segment uuid>-<number>.delta"
std::string DeltaFileName(const Uuid& segment_uuid, uint64_t number);

// Durable when it returns, as WriteSegment.
Result<FileRef> WriteDelta(env::FileSystem& fs, const DeltaWriteOptions& options,
                           const Delta& delta);

struct DeltaExpectation {
  Uuid segment_uuid;
  Uuid collection_uuid;
  uint32_t rows = 0;  // of the segment
};

// Reads and checks the whole file. kCorruption when it isn't the file that `file` names, belongs to
// another segment or is damaged; kUnsupported when written by a newer version.
Result<Delta> ReadDelta(env::FileSystem& fs, const std::string& directory, const FileRef& file,
                        const DeltaExpectation& expected);

}  // namespace akidb::storage
