// What is built over the rows of a segment when it is written, and opened with it: codes, graphs,
// indexes. The bytes stand in sections of the segment's own file, so they are verified, published
// and removed with it. All of it is derived: a reader that doesn't know a section skips it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/status.h"
#include "engine/vector_schema.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"

namespace akidb::engine {

// The opened sections of one segment. Immutable, and shared by all sources over the segment.
class SegmentIndex {
 public:
  virtual ~SegmentIndex() = default;
};

struct IndexSection {
  storage::SectionKey key;  // an ordinal is the schema's, which is that of the file
  std::vector<std::byte> bytes;
};

// Thread-safe: segments of several collections are written at once.
class SegmentIndexer {
 public:
  virtual ~SegmentIndexer() = default;

  // `rows` will keep their numbers; vectors may be asked for in any order. Called on the thread
  // that writes the segment. kCancelled soon after `stop` turns true. An error leaves the segment
  // unwritten.
  virtual Result<std::vector<IndexSection>> Build(const storage::SegmentRows& rows,
                                                  const VectorSchema& schema,
                                                  const std::atomic<bool>& stop) const = 0;
  // Null when the segment has none of its sections. `reader` outlives the index.
  virtual Result<std::shared_ptr<const SegmentIndex>> Open(
      const storage::SegmentReader& reader) const = 0;
};

}  // namespace akidb::engine
