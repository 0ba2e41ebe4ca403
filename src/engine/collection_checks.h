// What a collection may be called and may have. Both are kValidation.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/collection_config.h"

namespace akidb::engine {

// `field` says where it was given.
Status CheckCollectionName(const std::string& name, std::string_view field = "collection_name");
Status CheckVectorConfigs(const CollectionConfig& config);

}  // namespace akidb::engine
