// The list at the beginning of a snapshot as bytes: docs/format/snapshot.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "storage/segment/file_ref.h"
#include "types/uuid.h"

namespace akidb::storage {

// Which model filled a vector of the collection.
struct SnapshotModel {
  std::string vector_name;
  std::string model_id;
  std::string fingerprint;
  friend bool operator==(const SnapshotModel&, const SnapshotModel&) = default;
};

struct SnapshotContents {
  Uuid collection_uuid;
  uint64_t seq = 0;        // of the last write that is in it
  uint64_t created_s = 0;  // since 1970-01-01 UTC
  std::string collection;  // its name
  std::vector<SnapshotModel> models;
  std::vector<FileRef> files;  // in the order of the archive
  friend bool operator==(const SnapshotContents&, const SnapshotContents&) = default;
};

inline constexpr char kSnapshotListName[] = "SNAPSHOT";
inline constexpr char kSnapshotManifestName[] = "MANIFEST";
inline constexpr uint64_t kSnapshotListBytesMax = uint64_t{64} << 20;

std::vector<std::byte> EncodeSnapshotContents(const SnapshotContents& contents);
// kCorruption; kUnsupported: written by a newer version.
Result<SnapshotContents> DecodeSnapshotContents(std::span<const std::byte> bytes);

}  // namespace akidb::storage
