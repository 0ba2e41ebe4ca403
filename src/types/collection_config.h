// What a collection is made of. Stored in the catalog and the manifest as JSON
// (docs/format/collection.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "types/metric.h"

namespace akidb {

// What a vector's components are stored as. Numbers on disk.
enum class VectorDatatype : uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,  // IEEE 754 binary16
  kUint8 = 2,    // integers 0..255, never at unit length
};

constexpr size_t ComponentBytes(VectorDatatype datatype) {
  switch (datatype) {
    case VectorDatatype::kFloat32:
      return 4;
    case VectorDatatype::kFloat16:
      return 2;
    case VectorDatatype::kUint8:
      return 1;
  }
  return 0;
}

struct VectorConfig {
  uint32_t dim = 0;  // 1..kDimMax
  Metric metric = Metric::kCosine;
  VectorDatatype datatype = VectorDatatype::kFloat32;
  bool on_disk = false;
  // A point has rows of `dim` components, one or more, and the nearest row counts (max-sim).
  bool multivector = false;
  // A point has components at some of 2^32 indices, compared by dot product. It is stored as a
  // multivector is: kSparseRowDim numbers a component, its index's bits and itself.
  bool sparse = false;
  // Of a sparse vector: components of queries are multiplied by how rare their indices are.
  bool idf = false;

  static VectorConfig Sparse(bool idf);
  friend bool operator==(const VectorConfig&, const VectorConfig&) = default;
};

inline constexpr uint32_t kSparseRowDim = 2;
inline VectorConfig VectorConfig::Sparse(bool idf) {
  VectorConfig config;
  config.dim = kSparseRowDim;
  config.metric = Metric::kDot;
  config.multivector = true;
  config.sparse = true;
  config.idf = idf;
  return config;
}

inline constexpr uint32_t kDimMax = 65536;
inline constexpr uint32_t kMultivectorComponentsMax = (uint32_t{1} << 20) - 1;  // of one point

// How small the codes are that vectors are found by: docs/internals/index.md.
enum class MemoryMode : uint8_t {
  kQuality,   // 7 bits a component
  kBalanced,  // 4 bits
  kCompact,   // 1 bit, and 4 bits that are looked at for what those find
};

// What the client's "hnsw_config" asks of the graphs over its vectors. Defaults are the dialect's.
struct GraphConfig {
  uint32_t m = 16;              // half of a node's links; 0: no graph
  uint32_t ef_construct = 100;  // nodes that a row's links are chosen from
};

// "" is the default vector, the one that a client means when it names none.
inline constexpr char kDefaultVectorName[] = "";

// What an index over a field of the payloads holds.
enum class PayloadFieldKind : uint8_t {
  kKeyword = 0,
  kInteger = 1,
  kFloat = 2,
  kBool = 3,
  kDatetime = 4,
  kUuid = 5,
  kGeo = 6,
  kText = 7,
};

struct PayloadFieldIndex {
  PayloadFieldKind kind = PayloadFieldKind::kKeyword;
  // The client's own parameters, a JSON object that is given back; empty when there were none.
  std::string params_json;
  friend bool operator==(const PayloadFieldIndex&, const PayloadFieldIndex&) = default;
};

// By the field's path, as the client spelled it.
using PayloadFieldIndexes = std::map<std::string, PayloadFieldIndex>;

enum class Durability : uint8_t { kSync = 0, kInterval = 1 };

struct CollectionConfig {
  std::map<std::string, VectorConfig> vectors;
  Durability durability = Durability::kSync;
  // The client's own create options that we keep and give back, by their JSON
  // field: "hnsw_config", "optimizers_config", "quantization_config", "metadata", …
  std::map<std::string, std::string> echoed_json;
  PayloadFieldIndexes payload_indexes;
};

}  // namespace akidb
