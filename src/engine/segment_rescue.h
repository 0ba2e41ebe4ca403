// The rows of a damaged segment whose blocks are whole: which they are, and a segment of them in
// the damaged one's place. For a repair; nobody else uses the collection. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/bitmap.h"
#include "engine/segment_source.h"
#include "engine/vector_schema.h"
#include "env/file_system.h"
#include "storage/manifest/manifest.h"
#include "storage/segment/segment_reader.h"
#include "types/point_id.h"

namespace akidb::engine {

class SegmentRescue {
 public:
  // Reads all of the segment and of its delta, which the manifest of the collection in `directory`
  // names as `entry`, again where the device has failed to. Errors are those of opening them: then
  // no row is to be had.
  static Result<std::unique_ptr<SegmentRescue>> Examine(env::FileSystem& fs,
                                                        const std::string& directory,
                                                        const storage::Manifest& manifest,
                                                        const storage::ManifestSegment& entry);

  // The segment, as it is named now.
  const storage::ManifestSegment& entry() const { return entry_; }
  // Where the first damage is; empty: there is none.
  const std::string& what() const { return what_; }
  // Points that were not deleted, and of these, in the order of their rows, those that can't be
  // read. Damage to what can be made anew costs none.
  uint64_t living() const { return living_; }
  const std::vector<PointId>& lost() const { return lost_; }

  // Writes a segment of the others, with payloads that had been replaced since, and without what
  // can be made anew: the collection does that. Durable when it returns. Gives its entry; nothing
  // if no row is left. kStorageFull.
  Result<std::optional<storage::ManifestSegment>> Write(const Uuid& uuid);

 private:
  SegmentRescue(env::FileSystem& fs, std::string directory, const storage::Manifest& manifest,
                const storage::ManifestSegment& entry)
      : fs_(fs),
        directory_(std::move(directory)),
        uuid_in_files_(manifest.uuid_in_files()),
        schema_(manifest.config),
        entry_(entry) {}

  static Result<std::unique_ptr<SegmentRescue>> ExamineOnce(env::FileSystem& fs,
                                                            const std::string& directory,
                                                            const storage::Manifest& manifest,
                                                            const storage::ManifestSegment& entry);
  Status Open();
  Status ReadDelta();
  Status FindLost();
  // kCorruption, kUnavailable: it can't be read.
  Status ReadRow(uint32_t row, storage::SegmentReader::PayloadReader& payloads) const;

  env::FileSystem& fs_;
  const std::string directory_;
  const Uuid uuid_in_files_;
  const VectorSchema schema_;
  const storage::ManifestSegment entry_;
  std::shared_ptr<const storage::SegmentReader> reader_;  // as in MergeInput
  Bitmap dead_;                                           // deleted, and then the lost ones
  RowChanges changes_;
  std::string what_;
  uint64_t living_ = 0;
  std::vector<PointId> lost_;
  bool unread_ = false;  // some of these because the device can't read them
};

}  // namespace akidb::engine
