// How a collection's segments are written, whoever writes them.
#pragma once

#include <string>

#include "engine/vector_schema.h"
#include "storage/segment/segment_writer.h"
#include "types/uuid.h"

namespace akidb::engine {

// Of the new segment `uuid` in the collection's folder `directory`, with the vectors of `schema`;
// no codes, graphs or indexes.
storage::SegmentWriteOptions SegmentOptionsOf(const std::string& directory,
                                              const VectorSchema& schema, const Uuid& uuid,
                                              const Uuid& collection_uuid);

}  // namespace akidb::engine
