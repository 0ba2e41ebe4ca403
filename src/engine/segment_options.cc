#include "engine/segment_options.h"

#include "storage/manifest/manifest.h"

namespace akidb::engine {

storage::SegmentWriteOptions SegmentOptionsOf(const std::string& directory,
                                              const VectorSchema& schema, const Uuid& uuid,
                                              const Uuid& collection_uuid) {
  storage::SegmentWriteOptions options;
  options.directory = env::JoinPath(directory, storage::kSegmentFolder);
  options.uuid = uuid;
  options.collection_uuid = collection_uuid;
  for (size_t ordinal = 0; ordinal < schema.size(); ++ordinal) {
    const VectorConfig& config = schema.config(ordinal);
    options.vectors.push_back({.name = schema.name(ordinal),
                               .dim = config.dim,
                               .metric = config.metric,
                               .datatype = config.datatype,
                               .multivector = config.multivector,
                               .sparse = config.sparse});
  }
  return options;
}

}  // namespace akidb::engine
