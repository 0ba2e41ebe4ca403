#include "engine/vector_schema.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

#include "engine/stored_vector.h"
#include "simd/kernels.h"
#include "types/collection_config_json.h"

namespace akidb::engine {
namespace {

bool FitHalf(std::span<const float> vector) {
  return std::all_of(vector.begin(), vector.end(),
                     [](float component) { return std::abs(component) < simd::kHalfLimit; });
}

// Of `components`, in rows of `row_dim` if that is not 0.
Status CheckShape(const VectorConfig& config, size_t components, uint32_t row_dim) {
  if (row_dim != 0 && !config.multivector) {
    return InvalidArgumentError("Conversion between multi and regular vectors failed");
  }
  const size_t dim = row_dim != 0 ? row_dim : components;
  if (dim != config.dim) {
    return InvalidArgumentError("Vector dimension error: expected dim: " +
                                std::to_string(config.dim) + ", got " + std::to_string(dim));
  }
  if (row_dim == 0) return OkStatus();
  if (components == 0 || components % row_dim != 0) {
    return InvalidArgumentError("a multivector must have one row or more, all of the same length");
  }
  if (components > kMultivectorComponentsMax) {
    return InvalidArgumentError("a multivector has " + std::to_string(components) +
                                " components; it may have " +
                                std::to_string(kMultivectorComponentsMax));
  }
  return OkStatus();
}

Status CheckSparse(std::string_view name, const DenseVector& vector) {
  const std::vector<uint32_t>& indices = *vector.indices;
  if (indices.size() != vector.size()) {
    return ValidationError("[values: must be the same length as indices]");
  }
  if (!simd::AllFinite(vector)) {
    return InvalidArgumentError("Vector `" + std::string(name) +
                                "` holds NaN or an infinity; every component must be finite");
  }
  if (vector.size() > kSparseComponentsMax) {
    return InvalidArgumentError("a sparse vector has " + std::to_string(vector.size()) +
                                " components; it may have " + std::to_string(kSparseComponentsMax));
  }
  if (std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) == indices.end()) {
    return OkStatus();
  }
  std::vector<uint32_t> sorted = indices;
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()
             ? OkStatus()
             : ValidationError("[indices: must be unique]");
}

void SortByIndex(DenseVector& vector) {
  std::vector<uint32_t>& indices = *vector.indices;
  if (std::is_sorted(indices.begin(), indices.end())) return;
  std::vector<std::pair<uint32_t, float>> entries;
  for (size_t i = 0; i < indices.size(); ++i) entries.emplace_back(indices[i], vector[i]);
  std::sort(entries.begin(), entries.end());
  for (size_t i = 0; i < indices.size(); ++i) std::tie(indices[i], vector[i]) = entries[i];
}

Status WrongKind() {
  return InvalidArgumentError("Conversion between sparse and regular vectors failed");
}

}  // namespace

VectorSchema::VectorSchema(const CollectionConfig& config) : graph_(GraphConfigOf(config)) {
  AKIDB_CHECK(config.vectors.size() <= kNamedVectorsMax);
  for (const auto& [name, vector] : config.vectors) {
    names_.push_back(name);
    configs_.push_back(vector);
    memory_.push_back(MemoryModeOf(config, name));
    prefixes_.push_back(PrefixesOf(config, name));
  }
}

std::optional<size_t> VectorSchema::Find(std::string_view name) const {
  auto it = std::lower_bound(names_.begin(), names_.end(), name);
  if (it == names_.end() || *it != name) return std::nullopt;
  return static_cast<size_t>(it - names_.begin());
}

Result<size_t> VectorSchema::Check(std::string_view name, std::span<const float> vector,
                                   uint32_t row_dim) const {
  std::optional<size_t> ordinal = Find(name);
  if (!ordinal) {
    return InvalidArgumentError("Not existing vector name error: " + std::string(name));
  }
  const VectorConfig& config = configs_[*ordinal];
  if (config.sparse) return WrongKind();
  AKIDB_RETURN_IF_ERROR(CheckShape(config, vector.size(), row_dim));
  if (!simd::AllFinite(vector)) {
    return InvalidArgumentError("Vector `" + std::string(name) +
                                "` holds NaN or an infinity; every component must be finite");
  }
  if (config.datatype == VectorDatatype::kFloat16 && config.metric != Metric::kCosine &&
      !FitHalf(vector)) {
    return InvalidArgumentError("Vector `" + std::string(name) +
                                "` holds a component that its datatype float16 can't hold; it goes "
                                "from -65504 to 65504");
  }
  return *ordinal;
}

Result<size_t> VectorSchema::Check(std::string_view name, const DenseVector& vector) const {
  if (!vector.indices) return Check(name, vector, vector.row_dim);
  std::optional<size_t> ordinal = Find(name);
  if (!ordinal) {
    return InvalidArgumentError("Not existing vector name error: " + std::string(name));
  }
  if (!configs_[*ordinal].sparse) return WrongKind();
  AKIDB_RETURN_IF_ERROR(CheckSparse(name, vector));
  return *ordinal;
}

void VectorSchema::RoundToStored(size_t ordinal, std::span<float> vector) const {
  const VectorConfig& config = configs_[ordinal];
  if (config.datatype == VectorDatatype::kUint8) return TruncateToByte(vector);
  const bool halves = config.datatype == VectorDatatype::kFloat16;
  if (config.metric != Metric::kCosine) {
    if (halves) simd::RoundToHalf(vector);
    return;
  }
  for (size_t at = 0; at < vector.size(); at += config.dim) {
    std::span<float> row = vector.subspan(at, config.dim);
    halves ? simd::NormalizeToHalf(row) : simd::Normalize(row);
  }
}

void VectorSchema::PrepareQuery(size_t ordinal, std::span<float> query) const {
  RoundToStored(ordinal, query);
  if (!NormalizesRows(ordinal)) return;
  const size_t dim = configs_[ordinal].dim;
  for (size_t at = 0; at < query.size(); at += dim) simd::Normalize(query.subspan(at, dim));
}

void VectorSchema::PrepareQuery(size_t ordinal, DenseVector& query) const {
  if (!query.indices) return PrepareQuery(ordinal, std::span<float>(query));
  SortByIndex(query);
  query = RowsOfSparse(query);
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
    if (configs_[ordinal].sparse) {
      SortByIndex(vector);
      continue;
    }
    RoundToStored(ordinal, vector);
    if (configs_[ordinal].multivector) vector.row_dim = configs_[ordinal].dim;
  }
  return OkStatus();
}

}  // namespace akidb::engine
