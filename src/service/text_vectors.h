// Whether a model's vectors fit a collection's named vector.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "embedding/embedder.h"
#include "types/collection_config.h"

namespace akidb::service {

// The configuration of the vector called `name`; kInvalidArgument in the dialect's words.
Result<VectorConfig> FindVector(const CollectionConfig& config, std::string_view name);

// kInference, naming the model, the vector and both lengths, when they differ; and when the vector
// keeps whole numbers only, or is a multivector.
Status CheckModelFits(const embedding::ModelInfo& model, std::string_view vector_name,
                      const VectorConfig& vector);

}  // namespace akidb::service
