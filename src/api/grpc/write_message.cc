#include "api/grpc/write_message.h"

#include <utility>
#include <vector>

#include "api/grpc/filter_message.h"
#include "api/grpc/value_message.h"
#include "api/grpc/vector_message.h"

namespace akidb::rpc {
namespace {

Status DecodePoint(const qdrant::PointStruct& message, PointInput& out) {
  AKIDB_RETURN_IF_ERROR(DecodeId(message.id(), out.id));
  if (message.has_vectors()) AKIDB_RETURN_IF_ERROR(DecodeVectors(message.vectors(), out.vectors));
  if (message.payload().empty()) return OkStatus();
  AKIDB_ASSIGN_OR_RETURN(out.payload, DecodePayload(message.payload()));
  return OkStatus();
}

Status DecodePointVectors(const qdrant::PointVectors& message, PointInput& out) {
  AKIDB_RETURN_IF_ERROR(DecodeId(message.id(), out.id));
  return DecodeVectors(message.vectors(), out.vectors);
}

template <typename Repeated, typename Decode>
Status DecodePoints(const Repeated& messages, Decode decode, std::vector<PointInput>& out) {
  out.reserve(static_cast<size_t>(messages.size()));
  for (const auto& message : messages) {
    const Status read = decode(message, out.emplace_back());
    if (!read.ok()) return read.WithContext(Nth("points", out.size() - 1));
  }
  return OkStatus();
}

Status DecodeMode(qdrant::UpdateMode mode, UpsertMode& out) {
  switch (mode) {
    case qdrant::Upsert:
      out = UpsertMode::kAll;
      return OkStatus();
    case qdrant::InsertOnly:
      out = UpsertMode::kInsertOnly;
      return OkStatus();
    case qdrant::UpdateOnly:
      out = UpsertMode::kUpdateOnly;
      return OkStatus();
    default:
      return CheckEnum(qdrant::UpdateMode_IsValid, mode, "update_mode");
  }
}

Result<PointSelector> DecodeOptionalSelector(bool given, const qdrant::PointsSelector& message) {
  if (given) return DecodePointsSelector(message);
  return MalformedError("Either list of point ids or filter must be provided");
}

Result<PayloadPath> DecodeKey(const std::string& text) {
  Result<PayloadPath> path = PayloadPath::Parse(text);
  if (path.ok()) return path;
  return MalformedError("key: " + std::string(path.status().message()));
}

template <typename T>
Result<UpdateOperation> AsOperation(Result<T> decoded) {
  if (!decoded.ok()) return std::move(decoded).status();
  return UpdateOperation(std::move(decoded).value());
}

Result<UpdateOperation> Deletion(bool given, const qdrant::PointsSelector& message) {
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodeOptionalSelector(given, message));
  return UpdateOperation(PointsDeletion{std::move(points)});
}

Result<UpdateOperation> Clearing(bool given, const qdrant::PointsSelector& message) {
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodeOptionalSelector(given, message));
  return UpdateOperation(PayloadEdit{std::move(points), ClearPayload{}});
}

}  // namespace

template <typename Message>
Result<UpsertRequest> DecodeUpsert(const Message& message) {
  UpsertRequest request;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  AKIDB_RETURN_IF_ERROR(DecodePoints(message.points(), DecodePoint, request.points));
  if (message.has_update_filter()) {
    AKIDB_RETURN_IF_ERROR(DecodeFilter(message.update_filter(), request.filter));
  }
  if (message.has_update_mode()) {
    AKIDB_RETURN_IF_ERROR(DecodeMode(message.update_mode(), request.mode));
  }
  return request;
}

template <typename Message>
Result<VectorsUpdate> DecodeVectorsUpdate(const Message& message) {
  VectorsUpdate update;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  if (message.points().empty()) return ValidationError("[points: must specify points to update]");
  AKIDB_RETURN_IF_ERROR(DecodePoints(message.points(), DecodePointVectors, update.points));
  if (message.has_update_filter()) {
    AKIDB_RETURN_IF_ERROR(DecodeFilter(message.update_filter(), update.filter));
  }
  return update;
}

template <typename Message>
Result<VectorsRemoval> DecodeVectorsRemoval(const Message& message) {
  VectorsRemoval removal;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  const auto& names = message.vectors().names();
  if (names.empty()) return ValidationError("[vectors: must specify vector names to delete]");
  removal.names.assign(names.begin(), names.end());
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodeOptionalSelector(message.has_points_selector(),
                                                                      message.points_selector()));
  removal.points.push_back(std::move(points));
  return removal;
}

template <typename Message>
Result<PayloadEdit> DecodeSetPayload(const Message& message) {
  SetPayload change;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  AKIDB_ASSIGN_OR_RETURN(change.values, DecodePayload(message.payload()));
  if (message.has_key()) {
    AKIDB_ASSIGN_OR_RETURN(change.key, DecodeKey(message.key()));
  }
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodeOptionalSelector(message.has_points_selector(),
                                                                      message.points_selector()));
  return PayloadEdit{std::move(points), std::move(change)};
}

template <typename Message>
Result<PayloadEdit> DecodeOverwritePayload(const Message& message) {
  AKIDB_ASSIGN_OR_RETURN(PayloadEdit edit, DecodeSetPayload(message));
  edit.change = OverwritePayload{std::move(std::get<SetPayload>(edit.change).values)};
  return edit;
}

template <typename Message>
Result<PayloadEdit> DecodeDeletePayload(const Message& message) {
  DeletePayloadKeys change;
  AKIDB_RETURN_IF_ERROR(CheckShardKey(message.has_shard_key_selector()));
  for (const std::string& key : message.keys()) {
    AKIDB_ASSIGN_OR_RETURN(PayloadPath path, DecodeKey(key));
    change.keys.push_back(std::move(path));
  }
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodeOptionalSelector(message.has_points_selector(),
                                                                      message.points_selector()));
  return PayloadEdit{std::move(points), std::move(change)};
}

using BatchedUpsert = qdrant::PointsUpdateOperation_PointStructList;
using BatchedSetPayload = qdrant::PointsUpdateOperation_SetPayload;
using BatchedOverwritePayload = qdrant::PointsUpdateOperation_OverwritePayload;
using BatchedDeletePayload = qdrant::PointsUpdateOperation_DeletePayload;
using BatchedUpdateVectors = qdrant::PointsUpdateOperation_UpdateVectors;
using BatchedDeleteVectors = qdrant::PointsUpdateOperation_DeleteVectors;
template Result<UpsertRequest> DecodeUpsert(const qdrant::UpsertPoints&);
template Result<UpsertRequest> DecodeUpsert(const BatchedUpsert&);
template Result<VectorsUpdate> DecodeVectorsUpdate(const qdrant::UpdatePointVectors&);
template Result<VectorsUpdate> DecodeVectorsUpdate(const BatchedUpdateVectors&);
template Result<VectorsRemoval> DecodeVectorsRemoval(const qdrant::DeletePointVectors&);
template Result<VectorsRemoval> DecodeVectorsRemoval(const BatchedDeleteVectors&);
template Result<PayloadEdit> DecodeSetPayload(const qdrant::SetPayloadPoints&);
template Result<PayloadEdit> DecodeSetPayload(const BatchedSetPayload&);
template Result<PayloadEdit> DecodeOverwritePayload(const qdrant::SetPayloadPoints&);
template Result<PayloadEdit> DecodeOverwritePayload(const BatchedOverwritePayload&);
template Result<PayloadEdit> DecodeDeletePayload(const qdrant::DeletePayloadPoints&);
template Result<PayloadEdit> DecodeDeletePayload(const BatchedDeletePayload&);

Result<PointSelector> DecodePointsSelector(const qdrant::PointsSelector& message) {
  PointSelector selector;
  switch (message.points_selector_one_of_case()) {
    case qdrant::PointsSelector::kPoints:
      AKIDB_RETURN_IF_ERROR(DecodeIds(message.points().ids(), selector.ids));
      return selector;
    case qdrant::PointsSelector::kFilter:
      AKIDB_RETURN_IF_ERROR(DecodeFilter(message.filter(), selector.filter));
      return selector;
    case qdrant::PointsSelector::POINTS_SELECTOR_ONE_OF_NOT_SET:
      break;
  }
  return MalformedError("expected either `points` (ids) or `filter`");
}

Result<UpdateOperation> DecodeUpdate(const qdrant::PointsUpdateOperation& message) {
  using Operation = qdrant::PointsUpdateOperation;
  switch (message.operation_case()) {
    case Operation::kUpsert:
      return AsOperation(DecodeUpsert(message.upsert()));
    case Operation::kSetPayload:
      return AsOperation(DecodeSetPayload(message.set_payload()));
    case Operation::kOverwritePayload:
      return AsOperation(DecodeOverwritePayload(message.overwrite_payload()));
    case Operation::kDeletePayload:
      return AsOperation(DecodeDeletePayload(message.delete_payload()));
    case Operation::kUpdateVectors:
      return AsOperation(DecodeVectorsUpdate(message.update_vectors()));
    case Operation::kDeleteVectors:
      return AsOperation(DecodeVectorsRemoval(message.delete_vectors()));
    case Operation::kDeletePoints:
      AKIDB_RETURN_IF_ERROR(CheckShardKey(message.delete_points().has_shard_key_selector()));
      return Deletion(message.delete_points().has_points(), message.delete_points().points());
    case Operation::kClearPayload:
      AKIDB_RETURN_IF_ERROR(CheckShardKey(message.clear_payload().has_shard_key_selector()));
      return Clearing(message.clear_payload().has_points(), message.clear_payload().points());
    case Operation::kDeleteDeprecated:
      return Deletion(true, message.delete_deprecated());
    case Operation::kClearPayloadDeprecated:
      return Clearing(true, message.clear_payload_deprecated());
    case Operation::OPERATION_NOT_SET:
      break;
  }
  return MalformedError("expected one operation, got none");
}

}  // namespace akidb::rpc
