// Filters as messages.
#pragma once

#include <memory>

#include "api/grpc/messages.h"
#include "base/status.h"
#include "types/filter.h"

namespace akidb::rpc {

// kMalformed: a condition of no kind; kValidation: values out of range, nested deeper than
// kFilterDepthMax.
Status DecodeFilter(const qdrant::Filter& message, std::shared_ptr<const Filter>& out);
Status DecodeCondition(const qdrant::Condition& message, Condition& out);

Status DecodePlace(const qdrant::GeoPoint& message, GeoPoint& out);
// Microseconds since 1970.
Status DecodeMoment(const google::protobuf::Timestamp& message, int64_t& out);

}  // namespace akidb::rpc
