// Points as they are written and read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "types/payload.h"
#include "types/point_id.h"

namespace akidb {

// The components of a vector; of a multivector, those of its rows one after the other; of a sparse
// vector, those that it has.
class DenseVector : public std::vector<float> {
 public:
  using std::vector<float>::vector;
  static DenseVector OfRows(std::vector<float> components, uint32_t row_dim) {
    DenseVector rows;
    rows.std::vector<float>::operator=(std::move(components));
    rows.row_dim = row_dim;
    return rows;
  }
  static DenseVector AtIndices(std::vector<uint32_t> indices, std::vector<float> components) {
    DenseVector sparse;
    sparse.std::vector<float>::operator=(std::move(components));
    sparse.indices = std::move(indices);
    return sparse;
  }

  uint32_t row_dim = 0;  // of a multivector; 0: a plain vector
  // Of a sparse vector: where its components stand, one index for each.
  std::optional<std::vector<uint32_t>> indices;

  friend bool operator==(const DenseVector& a, const DenseVector& b) {
    return a.row_dim == b.row_dim && a.indices == b.indices &&
           std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
};

// Named vectors of one point, sorted by name, unique. "" is the default vector.
using NamedVectors = std::vector<std::pair<std::string, DenseVector>>;

struct Point {
  PointId id;
  NamedVectors vectors;
  Payload payload;
};

// Which vectors go into an answer.
struct VectorSelector {
  enum class Mode : uint8_t { kNone, kAll, kNamed };
  Mode mode = Mode::kNone;
  std::vector<std::string> names;
};

// A point in an answer: only the selected parts are filled.
struct PointRecord {
  PointId id;
  std::optional<Payload> payload;
  std::optional<NamedVectors> vectors;
};

struct Hit {
  PointId id;
  uint64_t seq = 0;    // of the last write of the point or its payload
  float distance = 0;  // smaller is nearer, by the collection's metric
  std::optional<Payload> payload;
  std::optional<NamedVectors> vectors;
};

}  // namespace akidb
