#include "api/grpc/vector_message.h"

#include <utility>

#include "api/dialect/value_checks.h"
#include "api/grpc/value_message.h"
#include "types/text/bm25.h"

namespace akidb::rpc {
namespace {

using dialect::TextRole;

// Of a repeated field, whose elements lie one after the other.
template <typename Repeated>
auto Copied(const Repeated& field) {
  return std::vector<std::remove_cvref_t<decltype(*field.begin())>>(field.begin(), field.end());
}

void SetDense(const google::protobuf::RepeatedField<float>& data, DenseVector& out) {
  out.assign(data.begin(), data.end());
}

Status DecodeRows(const qdrant::MultiDenseVector& message, DenseVector& out) {
  for (const qdrant::DenseVector& row : message.vectors()) {
    if (row.data_size() == 0) return ValidationError("[all vectors must be non-empty]");
    const auto dim = static_cast<uint32_t>(row.data_size());
    if (out.row_dim == 0) out.row_dim = dim;
    if (dim != out.row_dim) {
      return ValidationError(
          "[all vectors must have the same dimension, found vector with dimension " +
          std::to_string(dim) + "]");
    }
    out.insert(out.end(), row.data().begin(), row.data().end());
  }
  return OkStatus();
}

Status NoText(std::string_view kind) {
  return UnsupportedError(
      std::string(kind) +
      ": embedding of anything but text is not served by this version of AkiDB");
}

// BM25 is a sparse vector by itself; other models embed later, together.
template <typename Input>
Status DecodeDocument(const qdrant::Document& message, TextRole role, Input& out) {
  if (IsBm25Model(message.model())) {
    std::string options;
    if (!message.options().empty()) {
      AKIDB_ASSIGN_OR_RETURN(options, JsonOf(message.options()));
    }
    AKIDB_ASSIGN_OR_RETURN(DenseVector vector, dialect::Bm25Vector(message.text(), options, role));
    out = std::move(vector);
    return OkStatus();
  }
  if (!message.options().empty()) {
    return UnsupportedError(
        "options: options of an inference object are not served by this version of AkiDB");
  }
  out = TextInput{message.text(), message.model()};
  return OkStatus();
}

// `data` with or without what makes it more than one plain vector.
Status DecodeOlderForm(const qdrant::Vector& message, DenseVector& out) {
  if (message.has_indices()) {
    return DecodeSparse(Copied(message.indices().data()), Copied(message.data()), out);
  }
  SetDense(message.data(), out);
  if (!message.has_vectors_count()) return OkStatus();
  const uint32_t count = message.vectors_count();
  if (count == 0 || out.empty() || out.size() % count != 0) {
    return ValidationError("[vectors_count: " + std::to_string(out.size()) + " numbers are not " +
                           std::to_string(count) + " vectors]");
  }
  out.row_dim = static_cast<uint32_t>(out.size() / count);
  return OkStatus();
}

void EncodeVector(const DenseVector& vector, qdrant::VectorOutput& out) {
  out.mutable_data()->Add(vector.begin(), vector.end());
  if (vector.indices) {
    out.mutable_indices()->mutable_data()->Add(vector.indices->begin(), vector.indices->end());
  } else if (vector.row_dim > 0) {
    out.set_vectors_count(static_cast<uint32_t>(vector.size() / vector.row_dim));
  }
}

}  // namespace

Status DecodeSparse(std::vector<uint32_t> indices, std::vector<float> values, DenseVector& out) {
  if (const auto flaw = dialect::FlawOfSparse(indices, values.size()))
    return dialect::FlawError(*flaw);
  out = DenseVector::AtIndices(std::move(indices), std::move(values));
  return OkStatus();
}

Status DecodeVector(const qdrant::Vector& message, TextRole role, VectorInput& out) {
  const bool older =
      message.data_size() > 0 || message.has_indices() || message.has_vectors_count();
  if (older && message.vector_case() != qdrant::Vector::VECTOR_NOT_SET) {
    return MalformedError("vector: expected `data` or one of `vector`, got both");
  }
  switch (message.vector_case()) {
    case qdrant::Vector::kDense:
      SetDense(message.dense().data(), out.emplace<DenseVector>());
      return OkStatus();
    case qdrant::Vector::kSparse:
      return DecodeSparse(Copied(message.sparse().indices()), Copied(message.sparse().values()),
                          out.emplace<DenseVector>());
    case qdrant::Vector::kMultiDense:
      return DecodeRows(message.multi_dense(), out.emplace<DenseVector>());
    case qdrant::Vector::kDocument:
      return DecodeDocument(message.document(), role, out);
    case qdrant::Vector::kImage:
      return NoText("image");
    case qdrant::Vector::kObject:
      return NoText("object");
    case qdrant::Vector::VECTOR_NOT_SET:
      break;
  }
  return DecodeOlderForm(message, out.emplace<DenseVector>());
}

Status DecodeVectors(const qdrant::Vectors& message, NamedInputs& out) {
  switch (message.vectors_options_case()) {
    case qdrant::Vectors::kVector:
      out.emplace_back();
      return DecodeVector(message.vector(), TextRole::kDocument, out.back().second);
    case qdrant::Vectors::kVectors:
      for (const auto& [name, vector] : message.vectors().vectors()) {
        out.emplace_back(name, VectorInput());
        const Status read = DecodeVector(vector, TextRole::kDocument, out.back().second);
        if (!read.ok()) return read.WithContext("vectors." + name);
      }
      return OkStatus();
    case qdrant::Vectors::VECTORS_OPTIONS_NOT_SET:
      break;
  }
  return MalformedError("vectors: expected `vector` or `vectors`");
}

Status DecodeQueryInput(const qdrant::VectorInput& message, QueryInput& out) {
  switch (message.variant_case()) {
    case qdrant::VectorInput::kId:
      return DecodeId(message.id(), out.emplace<PointId>());
    case qdrant::VectorInput::kDense:
      SetDense(message.dense().data(), out.emplace<DenseVector>());
      return OkStatus();
    case qdrant::VectorInput::kSparse:
      return DecodeSparse(Copied(message.sparse().indices()), Copied(message.sparse().values()),
                          out.emplace<DenseVector>());
    case qdrant::VectorInput::kMultiDense:
      return DecodeRows(message.multi_dense(), out.emplace<DenseVector>());
    case qdrant::VectorInput::kDocument:
      return DecodeDocument(message.document(), TextRole::kQuery, out);
    case qdrant::VectorInput::kImage:
      return NoText("image");
    case qdrant::VectorInput::kObject:
      return NoText("object");
    case qdrant::VectorInput::VARIANT_NOT_SET:
      break;
  }
  return MalformedError("expected a vector, a point id or a document");
}

void EncodeVectors(const NamedVectors& vectors, qdrant::VectorsOutput& out) {
  if (vectors.size() == 1 && vectors.front().first.empty()) {
    EncodeVector(vectors.front().second, *out.mutable_vector());
    return;
  }
  auto& named = *out.mutable_vectors()->mutable_vectors();
  for (const auto& [name, vector] : vectors) EncodeVector(vector, named[name]);
}

Status DecodeSelector(const qdrant::WithPayloadSelector& message, PayloadSelector& out) {
  switch (message.selector_options_case()) {
    case qdrant::WithPayloadSelector::kEnable:
      out = message.enable() ? PayloadSelector::All() : PayloadSelector::None();
      return OkStatus();
    case qdrant::WithPayloadSelector::kInclude:
      out = {PayloadSelector::Mode::kInclude, Copied(message.include().fields())};
      return OkStatus();
    case qdrant::WithPayloadSelector::kExclude:
      out = {PayloadSelector::Mode::kExclude, Copied(message.exclude().fields())};
      return OkStatus();
    case qdrant::WithPayloadSelector::SELECTOR_OPTIONS_NOT_SET:
      break;
  }
  return MalformedError("with_payload: expected `enable`, `include` or `exclude`");
}

Status DecodeSelector(const qdrant::WithVectorsSelector& message, VectorSelector& out) {
  switch (message.selector_options_case()) {
    case qdrant::WithVectorsSelector::kEnable:
      out = {message.enable() ? VectorSelector::Mode::kAll : VectorSelector::Mode::kNone, {}};
      return OkStatus();
    case qdrant::WithVectorsSelector::kInclude:
      out = {VectorSelector::Mode::kNamed, Copied(message.include().names())};
      return OkStatus();
    case qdrant::WithVectorsSelector::SELECTOR_OPTIONS_NOT_SET:
      break;
  }
  return MalformedError("with_vectors: expected `enable` or `include`");
}

}  // namespace akidb::rpc
