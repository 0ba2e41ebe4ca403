// A sealed segment as readers see it with a fixed set of tombstones.
#pragma once

#include <memory>

#include "engine/bitmap.h"
#include "engine/row_source.h"
#include "engine/vector_schema.h"
#include "storage/segment/segment_reader.h"

namespace akidb::engine {

// Rows in `dead` are invisible. Shares both: a pinned view may outlive the collection's interest in
// them. Ordinals are those of `schema`, whatever order the segment keeps its vectors in.
std::shared_ptr<const RowSource> MakeSegmentSource(
    std::shared_ptr<const storage::SegmentReader> reader, std::shared_ptr<const Bitmap> dead,
    const VectorSchema& schema);

}  // namespace akidb::engine
