// Which files make up a collection, and from where its log counts: docs/format/manifest.md.
//
// Publishing is the one moment at which sealed files come to count. A manifest is immutable; each
// publication writes a new one and then turns CURRENT to it, so that after a power cut either the
// old or the new one is found, whole.
//
// Not thread-safe for one folder: the owner of the collection serialises.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file_system.h"
#include "storage/segment/file_ref.h"
#include "types/collection_config.h"
#include "types/uuid.h"

namespace akidb::storage {

struct ManifestSegment {
  Uuid uuid;
  FileRef file;  // in seg/
  uint32_t rows = 0;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  std::optional<FileRef> delta;  // in seg/
  friend bool operator==(const ManifestSegment&, const ManifestSegment&) = default;
};

struct Manifest {
  uint64_t number = 0;  // set by PublishManifest; 0 = never published
  Uuid collection_uuid;
  // What the collection's segments, deltas and log files carry as its uuid, where that is another
  // one: it was restored from a snapshot of that collection.
  std::optional<Uuid> files_uuid;
  uint64_t epoch = 0;
  CollectionConfig config;
  // Every log record up to this one is in the segments and deltas below.
  uint64_t log_start_seq = 0;
  // What died or changed up to this record, the segments and deltas may have left out, so the log
  // must reach it: it had been synced. Where that is no more than log_start_seq: that.
  uint64_t log_synced_seq = 0;
  uint64_t next_delta_number = 1;
  std::vector<ManifestSegment> segments;  // by ascending first_seq

  const Uuid& uuid_in_files() const { return files_uuid ? *files_uuid : collection_uuid; }
};

inline constexpr char kSegmentFolder[] = "seg";
inline constexpr uint32_t kManifestSegmentsMax = 65536;

// `directory` is the collection's, as below. kNotFound: nothing was ever published there, and so
// nothing acknowledged that rests on it. kCorruption: damage, another collection's manifest, or a
// missing file. kUnsupported: written by a newer version.
Result<Manifest> LoadManifest(env::FileSystem& fs, const std::string& directory,
                              const Uuid& collection_uuid);

// What CURRENT names, whether or not the files that it names are there; changes nothing. Errors as
// LoadManifest's; kCorruption without CURRENT.
Result<Manifest> ReadPublishedManifest(env::FileSystem& fs, const std::string& directory,
                                       const Uuid& collection_uuid);
// Whether they are, each as long as it should be: kCorruption; kIo.
Status CheckNamedFiles(env::FileSystem& fs, const std::string& directory, const Manifest& manifest);

// Durable when it returns ok: then `manifest.number` is the new one. The folder exists, and what
// the manifest names has been synced. After an error either manifest may be found at the next
// start: remove nothing that either names. `manifest.number` is the new one even so where CURRENT
// names it by now, or where that can't be read: then the next start of this system finds it.
Status PublishManifest(env::FileSystem& fs, const std::string& directory, Manifest& manifest);

// Names of files in seg/ that a later manifest will name.
using InProgressFunction = std::function<std::vector<std::string>()>;

// Removes older manifests, and segments, deltas and temporary files that `published`, which must be
// the manifest CURRENT names, does not. What `in_progress` (may be empty) names is spared; it is
// asked after the folder was listed, so that a file whose name it knows before it is created is
// never taken for a leftover. Unknown names are left alone. CURRENT is made durable first; where
// that fails nothing is removed.
Status RemoveUnreferenced(env::FileSystem& fs, const std::string& directory,
                          const Manifest& published, const InProgressFunction& in_progress);

// The file's path.
std::string SegmentPath(const std::string& directory, const FileRef& file);

}  // namespace akidb::storage
