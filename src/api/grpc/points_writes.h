// Methods of Points that change something.
#pragma once

#include "api/grpc/call.h"
#include "api/grpc/messages.h"

namespace akidb::rpc {

using WriteReplyMessage = qdrant::PointsOperationResponse;

Status Upsert(const Call& call, const qdrant::UpsertPoints& request, WriteReplyMessage& reply);
Status Delete(const Call& call, const qdrant::DeletePoints& request, WriteReplyMessage& reply);
Status UpdateVectors(const Call& call, const qdrant::UpdatePointVectors& request,
                     WriteReplyMessage& reply);
Status DeleteVectors(const Call& call, const qdrant::DeletePointVectors& request,
                     WriteReplyMessage& reply);
Status SetPayload(const Call& call, const qdrant::SetPayloadPoints& request,
                  WriteReplyMessage& reply);
Status OverwritePayload(const Call& call, const qdrant::SetPayloadPoints& request,
                        WriteReplyMessage& reply);
Status DeletePayload(const Call& call, const qdrant::DeletePayloadPoints& request,
                     WriteReplyMessage& reply);
Status ClearPayload(const Call& call, const qdrant::ClearPayloadPoints& request,
                    WriteReplyMessage& reply);
Status CreateFieldIndex(const Call& call, const qdrant::CreateFieldIndexCollection& request,
                        WriteReplyMessage& reply);
Status DeleteFieldIndex(const Call& call, const qdrant::DeleteFieldIndexCollection& request,
                        WriteReplyMessage& reply);
Status CreateVectorName(const Call& call, const qdrant::CreateVectorNameRequest& request,
                        WriteReplyMessage& reply);
Status DeleteVectorName(const Call& call, const qdrant::DeleteVectorNameRequest& request,
                        WriteReplyMessage& reply);
Status UpdateBatch(const Call& call, const qdrant::UpdateBatchPoints& request,
                   qdrant::UpdateBatchResponse& reply);

}  // namespace akidb::rpc
