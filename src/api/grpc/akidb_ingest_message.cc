#include "api/grpc/akidb_ingest_message.h"

#include <string_view>
#include <utility>

#include "api/dialect/bm25_text.h"
#include "api/grpc/call.h"
#include "api/grpc/value_message.h"
#include "api/grpc/vector_message.h"
#include "base/utf8.h"
#include "types/payload_json.h"
#include "types/text/bm25.h"

namespace akidb::rpc {
namespace {

// By pointers, which are copied as a block; iterators of messages are followed number by number.
std::vector<float> Copied(const google::protobuf::RepeatedField<float>& values) {
  return {values.data(), values.data() + values.size()};
}

Status DecodeRows(const v1::MultiDenseVector& message, DenseVector& out) {
  const auto dim = message.row_dimensions();
  const auto count = static_cast<size_t>(message.values_size());
  if (dim == 0 || count == 0 || count % dim != 0) {
    return ValidationError("[row_dimensions: " + std::to_string(count) +
                           " numbers are not rows of " + std::to_string(dim) + "]");
  }
  out = DenseVector::OfRows(Copied(message.values()), dim);
  return OkStatus();
}

// BM25 is a sparse vector by itself; other models embed later, together.
Status DecodeText(const v1::TextInput& message, const std::string& model, VectorInput& out) {
  const std::string& name = message.model().empty() ? model : message.model();
  if (!IsBm25Model(name)) {
    out = TextInput{message.text(), name};
    return OkStatus();
  }
  AKIDB_ASSIGN_OR_RETURN(out,
                         dialect::Bm25Vector(message.text(), {}, dialect::TextRole::kDocument));
  return OkStatus();
}

Status DecodePointVector(const v1::PointVector& message, const std::string& model,
                         VectorInput& out) {
  switch (message.value_case()) {
    case v1::PointVector::kDense:
      // A new alternative already: nothing is made to be thrown away.
      out.emplace<DenseVector>(message.dense().values().data(),
                               message.dense().values().data() + message.dense().values_size());
      return OkStatus();
    case v1::PointVector::kSparse: {
      const v1::SparseVector& sparse = message.sparse();
      return DecodeSparse({sparse.indices().begin(), sparse.indices().end()},
                          Copied(sparse.values()), out.emplace<DenseVector>());
    }
    case v1::PointVector::kMultiDense:
      return DecodeRows(message.multi_dense(), out.emplace<DenseVector>());
    case v1::PointVector::kText:
      return DecodeText(message.text(), model, out);
    case v1::PointVector::VALUE_NOT_SET:
      break;
  }
  return MalformedError("expected one of `dense`, `sparse`, `multi_dense` and `text`, got none");
}

Status DecodePointId(const v1::IngestPoint& message, PointId& out) {
  switch (message.id_case()) {
    case v1::IngestPoint::kNum:
      out = PointId(message.num());
      return OkStatus();
    case v1::IngestPoint::kUuid: {
      qdrant::PointId id;
      id.set_uuid(message.uuid());
      return DecodeId(id, out);
    }
    case v1::IngestPoint::ID_NOT_SET:
      break;
  }
  return MalformedError("id: expected `num` or `uuid`, got none");
}

// What clients send comes back in what is told of it: an answer stays small whatever they send.
constexpr size_t kRefusalBytesMax = 1024;
constexpr size_t kPointTextBytesMax = 256;

std::string Cut(std::string_view text, size_t bytes_max) {
  const std::string valid = ReplaceInvalidUtf8(text.substr(0, bytes_max + 4));
  return std::string(TruncateUtf8(valid, bytes_max));
}

std::string IdText(const v1::IngestPoint& message) {
  PointId id;
  if (message.id_case() == v1::IngestPoint::ID_NOT_SET) return {};
  return DecodePointId(message, id).ok() ? id.ToString() : message.uuid();
}

}  // namespace

Status DecodeIngestPoint(const v1::IngestPoint& message, const std::string& model,
                         PointInput& out) {
  AKIDB_RETURN_IF_ERROR(DecodePointId(message, out.id));
  out.vectors.reserve(static_cast<size_t>(message.vectors_size()));
  for (const v1::PointVector& vector : message.vectors()) {
    for (const auto& [name, input] : out.vectors) {
      if (name == vector.name()) {
        return MalformedError("vectors: `" + name + "` is given twice");
      }
    }
    auto& [name, input] = out.vectors.emplace_back(vector.name(), VectorInput());
    const Status read = DecodePointVector(vector, model, input);
    if (!read.ok()) return read.WithContext(name.empty() ? "vectors" : "vectors." + name);
  }
  if (message.payload_json().empty()) return OkStatus();
  Result<Payload> payload = ParsePayloadJson(message.payload_json());
  if (!payload.ok()) return payload.status().WithContext("payload_json");
  out.payload = std::move(*payload);
  return OkStatus();
}

std::vector<service::RefusedPoint> DecodeIngestBatch(const v1::IngestBatch& message,
                                                     const std::string& model,
                                                     std::vector<PointInput>& out) {
  std::vector<service::RefusedPoint> refused;
  out.reserve(static_cast<size_t>(message.points_size()));
  for (int i = 0; i < message.points_size() && refused.size() < kRefusedPointsMax; ++i) {
    Status read = DecodeIngestPoint(message.points(i), model, out.emplace_back());
    if (read.ok()) continue;
    out.pop_back();
    refused.push_back({static_cast<size_t>(i), std::move(read)});
  }
  return refused;
}

bool IsOfBatch(const Status& status) {
  return ToGrpcStatus(status).error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
         status.code() == ErrorCode::kTooLarge || status.code() == ErrorCode::kUnsupported;
}

void EncodeRefusal(const v1::IngestBatch& batch, const Status& status,
                   std::span<const service::RefusedPoint> points, v1::IngestRefusal& out) {
  const grpc::Status told = ToGrpcStatus(status);
  out.set_sequence(batch.sequence());
  out.set_code(static_cast<uint32_t>(told.error_code()));
  out.set_message(Cut(told.error_message(), kRefusalBytesMax));
  for (const service::RefusedPoint& point : points) {
    v1::RefusedPoint& message = *out.add_points();
    message.set_index(static_cast<uint32_t>(point.index));
    message.set_id(Cut(IdText(batch.points(static_cast<int>(point.index))), kPointTextBytesMax));
    message.set_message(Cut(point.status.message(), kPointTextBytesMax));
  }
}

}  // namespace akidb::rpc
