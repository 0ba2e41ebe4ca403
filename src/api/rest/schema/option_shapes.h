// Options of collections and vectors that are kept and given back; what is not acted upon is only
// checked, by these very tables (api/dialect/option_check_json.h).
#pragma once

#include <array>

#include "api/rest/schema/basic_shapes.h"
#include "api/rest/schema/shape.h"

namespace akidb::rest {

extern const Shape kMemoryPlace;
extern const Shape kPayloadStorage;
extern const Shape kChangedParams;
extern const Shape kVectorDatatype;
extern const Shape kSparseVectorParams;
extern const Shape kHnswConfig;
extern const Shape kOptimizersConfig;
extern const Shape kWalConfig;
extern const Shape kStrictModeConfig;
extern const Shape kQuotaConfig;
// {"scalar": …}, {"product": …}, {"binary": …} or {"turbo": …}; also "Disabled" where it is
// changed.
extern const Shape kQuantization;
extern const Shape kQuantizationChange;
extern const Shape kMetadata;

// Of creating a collection.
inline constexpr std::array<Field, 10> kCollectionOptions = {{
    {"shard_number", &kFromOne},
    {"replication_factor", &kFromOne},
    {"write_consistency_factor", &kFromOne},
    {"on_disk_payload", &kFlag},
    {"payload", &kPayloadStorage},
    {"hnsw_config", &kHnswConfig},
    {"wal_config", &kWalConfig},
    {"optimizers_config", &kOptimizersConfig},
    {"strict_mode_config", &kStrictModeConfig},
    {"metadata", &kMetadata},
}};
// Of changing one.
inline constexpr std::array<Field, 5> kCollectionChanges = {{
    {"hnsw_config", &kHnswConfig},
    {"optimizers_config", &kOptimizersConfig},
    {"params", &kChangedParams},
    {"strict_mode_config", &kStrictModeConfig},
    {"metadata", &kMetadata, false, "Merged; null takes a key away."},
}};
// Of one vector.
inline constexpr std::array<Field, 4> kVectorParamOptions = {{
    {"hnsw_config", &kHnswConfig, false, "Kept; the collection's counts."},
    {"on_disk", &kFlag},
    {"memory", &kMemoryPlace},
    {"datatype", &kVectorDatatype, false, "`turbo4` is stored as float32."},
}};
// Of changing one.
inline constexpr std::array<Field, 3> kVectorChanges = {{
    {"hnsw_config", &kHnswConfig},
    {"on_disk", &kFlag},
    {"memory", &kMemoryPlace},
}};

}  // namespace akidb::rest
