// Writes as messages, each of its own or one of UpdateBatch.
#pragma once

#include "api/grpc/messages.h"
#include "base/status.h"
#include "types/query.h"

namespace akidb::rpc {

// Each for the request of its own and for the operation of a batch, whose fields agree.
template <typename Message>
Result<UpsertRequest> DecodeUpsert(const Message& message);
template <typename Message>
Result<VectorsUpdate> DecodeVectorsUpdate(const Message& message);
template <typename Message>
Result<VectorsRemoval> DecodeVectorsRemoval(const Message& message);
template <typename Message>
Result<PayloadEdit> DecodeSetPayload(const Message& message);
template <typename Message>
Result<PayloadEdit> DecodeOverwritePayload(const Message& message);
template <typename Message>
Result<PayloadEdit> DecodeDeletePayload(const Message& message);

// kMalformed: neither ids nor a filter.
Result<PointSelector> DecodePointsSelector(const qdrant::PointsSelector& message);

Result<UpdateOperation> DecodeUpdate(const qdrant::PointsUpdateOperation& message);

}  // namespace akidb::rpc
