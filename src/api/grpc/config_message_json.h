// Options of collections, vectors and payload indexes between their messages and the JSON in which
// they are checked and kept (api/dialect). Fields carry the same names in both; the few forms that
// differ are listed in the source.
#pragma once

#include <string>

#include "api/grpc/messages.h"
#include "base/status.h"
#include "service/service.h"

namespace akidb::rpc {

// Bodies as api/dialect/collection_json.h and payload_index_json.h decode them. kMalformed: a
// number that its enumeration lacks.
Result<std::string> BodyOf(const qdrant::CreateCollection& message);
Result<std::string> BodyOf(const qdrant::UpdateCollection& message);
Result<std::string> BodyOf(const qdrant::CreateFieldIndexCollection& message);
Result<std::string> BodyOf(const qdrant::CreateVectorNameRequest& message);

void EncodeInfo(const service::CollectionInfo& info, qdrant::CollectionInfo& out);

}  // namespace akidb::rpc
