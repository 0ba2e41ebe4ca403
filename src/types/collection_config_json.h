// CollectionConfig as JSON: docs/format/collection.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/collection_config.h"

namespace akidb {

std::string CollectionConfigToJson(const CollectionConfig& config);
// kCorruption when malformed, kUnsupported when written by a newer version.
Result<CollectionConfig> CollectionConfigFromJson(std::string_view json);

// "float32", "float16", "uint8"
std::string_view VectorDatatypeName(VectorDatatype datatype);
std::optional<VectorDatatype> ParseVectorDatatype(std::string_view name);

// "keyword", "integer", "float", "bool", "datetime", "uuid", "geo", "text"
std::string_view PayloadFieldKindName(PayloadFieldKind kind);
std::optional<PayloadFieldKind> ParsePayloadFieldKind(std::string_view name);

// What an index over integers is for; both unless its parameters say otherwise.
struct IntegerIndexUses {
  bool lookup = true;
  bool range = true;
};
IntegerIndexUses IntegerIndexUsesOf(const PayloadFieldIndex& index);

// Whether the index over keywords tells tenants apart.
bool IsTenantIndex(const PayloadFieldIndex& index);

// From the client's create options that are kept with the collection.
GraphConfig GraphConfigOf(const CollectionConfig& config);
// Of the vector called `name`: its own "quantization_config", else the collection's, unless
// metadata.akidb.memory names a mode.
MemoryMode MemoryModeOf(const CollectionConfig& config, std::string_view name);
// Prefixes of the vector called `name` that stand for it, ascending: by metadata.akidb.matryoshka,
// else as the model declares of which it holds vectors.
std::vector<uint32_t> PrefixesOf(const CollectionConfig& config, std::string_view name);
// What the model declares, ascending; an empty list takes back what another has declared.
void SetModelPrefixes(CollectionConfig& config, std::string_view name,
                      std::span<const uint32_t> prefixes);
// "quality", "balanced", "compact"
std::optional<MemoryMode> ParseMemoryMode(std::string_view name);

}  // namespace akidb
