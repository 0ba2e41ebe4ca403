#include "engine/vector_schema.h"

#include <algorithm>

#include "simd/kernels.h"
#include "types/collection_config_json.h"

namespace akidb::engine {

VectorSchema::VectorSchema(const CollectionConfig& config) : graph_(GraphConfigOf(config)) {
  AKIDB_CHECK(config.vectors.size() <= kNamedVectorsMax);
  for (const auto& [name, vector] : config.vectors) {
    names_.push_back(name);
    configs_.push_back(vector);
  }
}

std::optional<size_t> VectorSchema::Find(std::string_view name) const {
  auto it = std::lower_bound(names_.begin(), names_.end(), name);
  if (it == names_.end() || *it != name) return std::nullopt;
  return static_cast<size_t>(it - names_.begin());
}

Result<size_t> VectorSchema::Check(std::string_view name, std::span<const float> vector) const {
  std::optional<size_t> ordinal = Find(name);
  if (!ordinal) {
    return InvalidArgumentError("Not existing vector name error: " + std::string(name));
  }
  uint32_t dim = configs_[*ordinal].dim;
  if (vector.size() != dim) {
    return InvalidArgumentError("Vector dimension error: expected dim: " + std::to_string(dim) +
                                ", got " + std::to_string(vector.size()));
  }
  if (!simd::AllFinite(vector)) {
    return InvalidArgumentError("Vector `" + std::string(name) +
                                "` holds NaN or an infinity; every component must be finite");
  }
  return *ordinal;
}

Status VectorSchema::Prepare(Point& point) const {
  std::sort(point.vectors.begin(), point.vectors.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 0; i < point.vectors.size(); ++i) {
    auto& [name, vector] = point.vectors[i];
    if (i > 0 && point.vectors[i - 1].first == name) {
      return InvalidArgumentError("vector `" + name + "` is given twice for point " +
                                  point.id.ToString());
    }
    AKIDB_ASSIGN_OR_RETURN(size_t ordinal, Check(name, vector));
    if (configs_[ordinal].metric == Metric::kCosine) simd::Normalize(vector);
  }
  return OkStatus();
}

}  // namespace akidb::engine
