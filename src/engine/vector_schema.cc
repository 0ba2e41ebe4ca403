#include "engine/vector_schema.h"

#include <algorithm>
#include <cmath>

#include "engine/stored_vector.h"
#include "simd/kernels.h"
#include "types/collection_config_json.h"

namespace akidb::engine {
namespace {

bool FitHalf(std::span<const float> vector) {
  return std::all_of(vector.begin(), vector.end(),
                     [](float component) { return std::abs(component) < simd::kHalfLimit; });
}

}  // namespace

VectorSchema::VectorSchema(const CollectionConfig& config) : graph_(GraphConfigOf(config)) {
  AKIDB_CHECK(config.vectors.size() <= kNamedVectorsMax);
  for (const auto& [name, vector] : config.vectors) {
    names_.push_back(name);
    configs_.push_back(vector);
    memory_.push_back(MemoryModeOf(config, name));
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
  const VectorConfig& config = configs_[*ordinal];
  if (config.datatype == VectorDatatype::kFloat16 && config.metric != Metric::kCosine &&
      !FitHalf(vector)) {
    return InvalidArgumentError("Vector `" + std::string(name) +
                                "` holds a component that its datatype float16 can't hold; it goes "
                                "from -65504 to 65504");
  }
  return *ordinal;
}

void VectorSchema::RoundToStored(size_t ordinal, std::span<float> vector) const {
  const bool cosine = configs_[ordinal].metric == Metric::kCosine;
  switch (configs_[ordinal].datatype) {
    case VectorDatatype::kFloat32:
      if (cosine) simd::Normalize(vector);
      return;
    case VectorDatatype::kFloat16:
      cosine ? simd::NormalizeToHalf(vector) : simd::RoundToHalf(vector);
      return;
    case VectorDatatype::kUint8:
      TruncateToByte(vector);
      return;
  }
}

Status VectorSchema::PrepareQuery(size_t ordinal, std::span<float> query) const {
  AKIDB_RETURN_IF_ERROR(Check(names_[ordinal], query).status());
  RoundToStored(ordinal, query);
  if (NormalizesRows(ordinal)) simd::Normalize(query);
  return OkStatus();
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
    RoundToStored(ordinal, vector);
  }
  return OkStatus();
}

}  // namespace akidb::engine
