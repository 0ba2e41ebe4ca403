// CollectionConfig as JSON: docs/format/collection.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/collection_config.h"

namespace akidb {

std::string CollectionConfigToJson(const CollectionConfig& config);
// kCorruption when malformed, kUnsupported when written by a newer version.
Result<CollectionConfig> CollectionConfigFromJson(std::string_view json);

// "float32", "float16", "uint8"
std::string_view VectorDatatypeName(VectorDatatype datatype);
std::optional<VectorDatatype> ParseVectorDatatype(std::string_view name);

// "keyword", "integer"
std::string_view PayloadFieldKindName(PayloadFieldKind kind);
std::optional<PayloadFieldKind> ParsePayloadFieldKind(std::string_view name);

// From the client's create options that are kept with the collection.
GraphConfig GraphConfigOf(const CollectionConfig& config);
// Of the vector called `name`: its own "quantization_config", else the collection's, unless
// metadata.akidb.memory names a mode.
MemoryMode MemoryModeOf(const CollectionConfig& config, std::string_view name);
// "quality", "balanced", "compact"
std::optional<MemoryMode> ParseMemoryMode(std::string_view name);

}  // namespace akidb
