// What is asked for in a query, as a message.
#pragma once

#include "api/grpc/messages.h"
#include "base/status.h"
#include "types/query.h"

namespace akidb::rpc {

Status DecodeQueryForm(const qdrant::Query& message, QueryForm& out);
Status DecodeStrategy(qdrant::RecommendStrategy strategy, RecommendStrategy& out);

}  // namespace akidb::rpc
