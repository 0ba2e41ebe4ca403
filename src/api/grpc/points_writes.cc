#include "api/grpc/points_writes.h"

#include <utility>

#include "api/dialect/collection_json.h"
#include "api/dialect/payload_index_json.h"
#include "api/dialect/write_checks.h"
#include "api/grpc/answer_message.h"
#include "api/grpc/config_message_json.h"
#include "api/grpc/value_message.h"
#include "api/grpc/write_message.h"

namespace akidb::rpc {
namespace {

void EncodeResult(const service::WriteReply& written, bool wait, qdrant::UpdateResult& out) {
  out.set_operation_id(written.seq);
  out.set_status(wait ? qdrant::Completed : qdrant::Acknowledged);
}

// `ordering` is checked and holds already: writes of one node are in order.
template <typename Request>
Status CheckOrdering(const Request& request) {
  return CheckEnum(qdrant::WriteOrderingType_IsValid, request.ordering().type(), "ordering.type");
}

template <typename Request>
Status Answer(const Request& request, const Result<service::WriteReply>& written,
              WriteReplyMessage& reply) {
  if (!written.ok()) return written.status();
  AKIDB_RETURN_IF_ERROR(dialect::CheckFound(*written, request.wait()));
  EncodeResult(*written, request.wait(), *reply.mutable_result());
  EncodeUsage(written->usage, reply);
  return OkStatus();
}

template <typename Request>
Status Edit(const Call& call, const Request& request, Result<PayloadEdit> edit,
            WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  if (!edit.ok()) return std::move(edit).status();
  AKIDB_RETURN_IF_ERROR(dialect::CheckNotEmpty(*edit));
  return Answer(
      request, call.service.ChangePayloads(call.context, call.collection, std::move(*edit)), reply);
}

}  // namespace

Status Upsert(const Call& call, const qdrant::UpsertPoints& request, WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  AKIDB_ASSIGN_OR_RETURN(UpsertRequest upsert, DecodeUpsert(request));
  return Answer(request, call.service.Upsert(call.context, call.collection, std::move(upsert)),
                reply);
}

Status Delete(const Call& call, const qdrant::DeletePoints& request, WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  AKIDB_RETURN_IF_ERROR(CheckShardKey(request.has_shard_key_selector()));
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodePointsSelector(request.points()));
  return Answer(request, call.service.Delete(call.context, call.collection, std::move(points)),
                reply);
}

Status UpdateVectors(const Call& call, const qdrant::UpdatePointVectors& request,
                     WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  AKIDB_ASSIGN_OR_RETURN(VectorsUpdate update, DecodeVectorsUpdate(request));
  return Answer(
      request, call.service.UpdateVectors(call.context, call.collection, std::move(update)), reply);
}

Status DeleteVectors(const Call& call, const qdrant::DeletePointVectors& request,
                     WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  AKIDB_ASSIGN_OR_RETURN(VectorsRemoval removal, DecodeVectorsRemoval(request));
  AKIDB_RETURN_IF_ERROR(dialect::CheckNotEmpty(removal));
  return Answer(request,
                call.service.DeleteVectors(call.context, call.collection, std::move(removal)),
                reply);
}

Status SetPayload(const Call& call, const qdrant::SetPayloadPoints& request,
                  WriteReplyMessage& reply) {
  return Edit(call, request, DecodeSetPayload(request), reply);
}

Status OverwritePayload(const Call& call, const qdrant::SetPayloadPoints& request,
                        WriteReplyMessage& reply) {
  return Edit(call, request, DecodeOverwritePayload(request), reply);
}

Status DeletePayload(const Call& call, const qdrant::DeletePayloadPoints& request,
                     WriteReplyMessage& reply) {
  return Edit(call, request, DecodeDeletePayload(request), reply);
}

Status ClearPayload(const Call& call, const qdrant::ClearPayloadPoints& request,
                    WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckShardKey(request.has_shard_key_selector()));
  AKIDB_ASSIGN_OR_RETURN(PointSelector points, DecodePointsSelector(request.points()));
  return Edit(call, request, PayloadEdit{std::move(points), akidb::ClearPayload{}}, reply);
}

Status CreateFieldIndex(const Call& call, const qdrant::CreateFieldIndexCollection& request,
                        WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  AKIDB_ASSIGN_OR_RETURN(const std::string body, BodyOf(request));
  AKIDB_ASSIGN_OR_RETURN(const service::PayloadIndexRequest index,
                         dialect::DecodePayloadIndex(body));
  return Answer(request, call.service.PutPayloadIndex(call.context, call.collection, index), reply);
}

Status DeleteFieldIndex(const Call& call, const qdrant::DeleteFieldIndexCollection& request,
                        WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  return Answer(request,
                call.service.DropPayloadIndex(call.context, call.collection, request.field_name()),
                reply);
}

Status CreateVectorName(const Call& call, const qdrant::CreateVectorNameRequest& request,
                        WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  AKIDB_ASSIGN_OR_RETURN(const std::string body, BodyOf(request));
  AKIDB_ASSIGN_OR_RETURN(const service::OptionsChange change,
                         dialect::DecodeNewVector(body, request.vector_name()));
  AKIDB_RETURN_IF_ERROR(call.service.ChangeVectors(call.context, call.collection, change));
  return Answer(request, service::WriteReply{}, reply);
}

Status DeleteVectorName(const Call& call, const qdrant::DeleteVectorNameRequest& request,
                        WriteReplyMessage& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  AKIDB_RETURN_IF_ERROR(call.service.ChangeVectors(
      call.context, call.collection, dialect::RemovalOfVector(request.vector_name())));
  return Answer(request, service::WriteReply{}, reply);
}

Status UpdateBatch(const Call& call, const qdrant::UpdateBatchPoints& request,
                   qdrant::UpdateBatchResponse& reply) {
  AKIDB_RETURN_IF_ERROR(CheckOrdering(request));
  service::UpdateBatch batch;
  for (const qdrant::PointsUpdateOperation& message : request.operations()) {
    Result<UpdateOperation> operation = DecodeUpdate(message);
    if (!operation.ok()) {
      return operation.status().WithContext(Nth("operations", batch.operations.size()));
    }
    batch.operations.push_back(std::move(*operation));
  }
  AKIDB_RETURN_IF_ERROR(dialect::CheckNotEmpty(batch.operations));
  batch.missing_is_an_error = request.wait();
  AKIDB_ASSIGN_OR_RETURN(const service::UpdateBatchReply written,
                         call.service.Update(call.context, call.collection, std::move(batch)));
  for (const service::WriteReply& one : written.replies) {
    EncodeResult(one, request.wait(), *reply.add_result());
  }
  EncodeUsage(written.usage, reply);
  return OkStatus();
}

}  // namespace akidb::rpc
