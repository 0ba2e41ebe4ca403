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

struct VectorIndex;

// The opened sections of one segment. Immutable, and shared by all sources over the segment.
class SegmentIndex {
 public:
  virtual ~SegmentIndex() = default;
  // Null when there is none over that vector of the segment.
  virtual const VectorIndex* vector(size_t ordinal_in_segment) const = 0;
  // Whether what is there is less than what would be built: after damage, or by an older version.
  virtual bool wanting() const = 0;
  // Whether something of it could not be read.
  virtual bool damaged() const = 0;
};

struct IndexSection {
  storage::SectionKey key;  // an ordinal is the schema's, which is that of the file
  std::vector<std::byte> bytes;
};

// The index of a segment that others take the place of.
struct EarlierIndex {
  static constexpr uint32_t kNoRow = UINT32_MAX;

  std::shared_ptr<const storage::SegmentReader> reader;
  std::shared_ptr<const SegmentIndex> index;
  // Of each of its rows the one that it is now, in any order; kNoRow for one that is gone.
  std::vector<uint32_t> became;
};

struct IndexBuild {
  const std::atomic<bool>& stop;
  // Points arrive so fast that what takes long is better done when they no longer do: the index is
  // then wanting.
  bool in_haste = false;
  // That build it at once, at most.
  uint32_t threads_max = UINT32_MAX;
  // Whose work may be taken over; may be null.
  const EarlierIndex* earlier = nullptr;
};

// Thread-safe: segments of several collections are written at once.
class SegmentIndexer {
 public:
  virtual ~SegmentIndexer() = default;

  // How many rows a segment may have, so that building takes no more memory than it may, and from
  // how many on it has a graph.
  virtual uint64_t RowsMax(const VectorSchema& schema) const = 0;
  virtual uint64_t GraphRowsMin(const VectorSchema& schema) const = 0;

  // `rows` will keep their numbers; vectors may be asked for in any order. Called on the thread
  // that writes the segment. kCancelled soon after how.stop turns true. An error leaves the segment
  // unwritten.
  virtual Result<std::vector<IndexSection>> Build(const storage::SegmentRows& rows,
                                                  const VectorSchema& schema,
                                                  const IndexBuild& how) const = 0;
  // Whether `index`, which was opened over `reader`, has the codes and the links of a graph that
  // Build makes by `schema`, and `reader` no other vectors; codes that are missing altogether are
  // none of this. In no time.
  virtual bool Fits(const storage::SegmentReader& reader, const SegmentIndex& index,
                    const VectorSchema& schema) const = 0;
  // What is damaged or of another version is left out, and the index wanting. `reader` outlives the
  // index.
  virtual Result<std::shared_ptr<const SegmentIndex>> Open(const storage::SegmentReader& reader,
                                                           const VectorSchema& schema) const = 0;
};

}  // namespace akidb::engine
