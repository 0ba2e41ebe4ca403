// Collections: the body of creation, and the description that clients read back.
#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "base/status.h"
#include "service/service.h"
#include "types/collection_config.h"

namespace akidb::dialect {

// Every documented option is checked, and kept in CollectionConfig::echoed_json: by its own name,
// those of single vectors under "vector_options" as {vector name: options}. Members that aren't
// documented are dropped, here and in changes, and never given back.
Result<CollectionConfig> DecodeCreateCollection(std::string_view body);

// What PATCH asks for, as a change of the options that are kept. Null members change nothing, but
// take keys of `metadata` away. kInvalidArgument of the change: a vector that isn't there.
Result<service::OptionsChange> DecodeChangeCollection(std::string_view body);

// A vector that is added to a collection, and one that is left out. Of the changes: kAlreadyExists,
// kInvalidArgument.
Result<service::OptionsChange> DecodeNewVector(std::string_view body, const std::string& name);
service::OptionsChange RemovalOfVector(const std::string& name);

// {"heads": n, "codes": n, …}
void WriteMemoryUse(const service::MemoryUse& memory, JsonWriter& json);
// {"lengths": vectors, …}: of those that are to have no graph, and why.
void WriteWithoutGraph(const service::CollectionStats& stats, JsonWriter& json);
// CollectionInfo of the dialect: what was given at creation over the dialect's defaults.
void WriteCollectionInfo(const service::CollectionInfo& info, JsonWriter& json);

}  // namespace akidb::dialect
