// What a collection may be called and may have. Both are kValidation.
#pragma once

#include <string>

#include "base/status.h"
#include "types/collection_config.h"

namespace akidb::engine {

Status CheckCollectionName(const std::string& name);
Status CheckVectorConfigs(const CollectionConfig& config);

}  // namespace akidb::engine
