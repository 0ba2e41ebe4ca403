// The named vectors of one collection, numbered: what the head, the planner and segments index by.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/stored_vector.h"
#include "types/collection_config.h"
#include "types/point.h"

namespace akidb::engine {

// Immutable. Ordinals are 0..size()-1 in the order of names and live only in memory: files and log
// records name their vectors.
class VectorSchema {
 public:
  explicit VectorSchema(const CollectionConfig& config);

  size_t size() const { return names_.size(); }
  const std::string& name(size_t ordinal) const { return names_[ordinal]; }
  const VectorConfig& config(size_t ordinal) const { return configs_[ordinal]; }
  const GraphConfig& graph() const { return graph_; }
  MemoryMode memory(size_t ordinal) const { return memory_[ordinal]; }
  // Permitted ones, ascending.
  std::span<const uint32_t> prefixes(size_t ordinal) const { return prefixes_[ordinal]; }
  std::optional<size_t> Find(std::string_view name) const;

  // The vector called `name` accepts `vector`, which has rows of `row_dim` components if that is
  // not 0: else kInvalidArgument in the dialect's words. A multivector also accepts a plain vector,
  // as its one row. Returns the ordinal.
  Result<size_t> Check(std::string_view name, std::span<const float> vector,
                       uint32_t row_dim = 0) const;
  // A sparse vector accepts indices that are unique, in any order, as many as components.
  Result<size_t> Check(std::string_view name, const DenseVector& vector) const;

  // Checks every vector of `point`, sorts them by name and makes of each what is stored: cosine
  // vectors come to unit length (a zero vector stays zero), but for those of uint8; components are
  // rounded to the datatype; indices come to ascend. Changes nothing that it made itself.
  Status Prepare(Point& point) const;

  // What is stored of a vector, with the rows that a multivector has.
  DenseVector VectorOf(size_t ordinal, std::span<const float> stored) const {
    const VectorConfig& config = configs_[ordinal];
    if (config.sparse) return SparseFromRows(stored);
    return DenseVector::OfRows({stored.begin(), stored.end()}, config.multivector ? config.dim : 0);
  }

  // Makes of a query that Check accepts what is compared with stored vectors: the dialect rounds
  // queries to the datatype, too, and for cosine they are at unit length whatever that is.
  void PrepareQuery(size_t ordinal, std::span<float> query) const;
  // Likewise; a sparse query becomes rows as they are stored.
  void PrepareQuery(size_t ordinal, DenseVector& query) const;
  // Whether stored vectors are to be brought to unit length before they are compared.
  bool NormalizesRows(size_t ordinal) const {
    const VectorConfig& config = configs_[ordinal];
    return config.metric == Metric::kCosine && config.datatype == VectorDatatype::kUint8;
  }

 private:
  void RoundToStored(size_t ordinal, std::span<float> vector) const;

  std::vector<std::string> names_;
  std::vector<VectorConfig> configs_;
  std::vector<MemoryMode> memory_;
  std::vector<std::vector<uint32_t>> prefixes_;
  GraphConfig graph_;
};

inline constexpr size_t kNamedVectorsMax = 64;

}  // namespace akidb::engine
