// A sealed segment as readers see it with a fixed set of tombstones and replaced payloads.
#pragma once

#include <memory>

#include "engine/bitmap.h"
#include "engine/row_changes.h"
#include "engine/row_source.h"
#include "engine/segment_indexer.h"
#include "engine/segment_payload_indexes.h"
#include "engine/segment_sparse_indexes.h"
#include "engine/vector_schema.h"
#include "storage/segment/segment_reader.h"

namespace akidb::engine {

// A segment's file, and what was built over its rows. Shared with the sources: a pinned view may
// outlive the collection's interest in it.
struct OpenedSegment {
  std::shared_ptr<const storage::SegmentReader> reader;
  std::shared_ptr<const SegmentIndex> index;  // may be null
  std::shared_ptr<const PayloadIndexSection> payload_indexes;
  std::shared_ptr<const SparseIndexes> sparse_indexes;
  // The fields that were to be indexed when this process wrote the segment, so that what could not
  // be indexed then is not tried again. Null when an earlier process wrote it.
  std::shared_ptr<const PayloadIndexSchema> written_with;
};

// What builds and opens a segment's index; `indexer` may be null: then there is none.
struct SegmentOpening {
  const SegmentIndexer* indexer;
  const VectorSchema& schema;
  Logger& log;
};

// Errors as SegmentReader::Open.
Result<OpenedSegment> OpenSegment(env::FileSystem& fs, const std::string& path,
                                  const storage::SegmentExpectation& expected,
                                  const SegmentOpening& opening);

// What has happened to the rows of a segment since it was written.
struct SegmentDelta {
  std::shared_ptr<const Bitmap> dead;  // invisible; shared with the collection and other views
  RowChanges changes;
};

// Ordinals are those of `schema`, whatever order the segment keeps its vectors in.
std::shared_ptr<const RowSource> MakeSegmentSource(OpenedSegment segment, SegmentDelta delta,
                                                   const VectorSchema& schema);

}  // namespace akidb::engine
