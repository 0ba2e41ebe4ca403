// What a collection may be called and may have. Errors are kValidation.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/collection_config.h"
#include "types/payload_path.h"

namespace akidb::engine {

// `field` says where it was given.
Status CheckCollectionName(const std::string& name, std::string_view field = "collection_name");
// A path that was given as `field`.
Result<PayloadPath> ParsePath(std::string_view text, std::string_view field);
Status CheckVectorConfigs(const CollectionConfig& config);

}  // namespace akidb::engine
