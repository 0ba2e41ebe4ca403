// Vectors and texts in their place as messages, and what to return of a point.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/dialect/bm25_text.h"
#include "api/grpc/messages.h"
#include "base/status.h"
#include "types/query.h"

namespace akidb::rpc {

using NamedInputs = std::vector<std::pair<std::string, VectorInput>>;

// In the newer form (`vector`) or the older one (`data`), not both. Numbers are copied once.
// kUnsupported: images and other objects.
Status DecodeVector(const qdrant::Vector& message, dialect::TextRole role, VectorInput& out);
// All vectors of a point.
Status DecodeVectors(const qdrant::Vectors& message, NamedInputs& out);
// What stands for a vector in a query.
Status DecodeQueryInput(const qdrant::VectorInput& message, QueryInput& out);

// A sparse vector of the older searches.
Status DecodeSparse(std::vector<uint32_t> indices, std::vector<float> values, DenseVector& out);

// In the form that older clients know, too.
void EncodeVectors(const NamedVectors& vectors, qdrant::VectorsOutput& out);

Status DecodeSelector(const qdrant::WithPayloadSelector& message, PayloadSelector& out);
Status DecodeSelector(const qdrant::WithVectorsSelector& message, VectorSelector& out);

}  // namespace akidb::rpc
