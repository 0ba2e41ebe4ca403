// Payloads and ids as messages.
#pragma once

#include <string>

#include "api/grpc/messages.h"
#include "base/status.h"
#include "types/payload.h"
#include "types/point_id.h"

namespace akidb::rpc {

using ValueMap = google::protobuf::Map<std::string, qdrant::Value>;

// Members by ascending key: a message has no order of its own. kInvalidArgument: nested deeper than
// kPayloadDepthMax.
Result<Payload> DecodePayload(const ValueMap& fields);
// The same as JSON text.
Result<std::string> JsonOf(const ValueMap& fields);
void EncodePayload(const Payload& payload, ValueMap& out);

// kMalformed: none of the two is given, or no UUID.
Status DecodeId(const qdrant::PointId& message, PointId& out);
template <typename Repeated>
Status DecodeIds(const Repeated& messages, std::vector<PointId>& out) {
  out.reserve(out.size() + static_cast<size_t>(messages.size()));
  for (const qdrant::PointId& message : messages) {
    AKIDB_RETURN_IF_ERROR(DecodeId(message, out.emplace_back()));
  }
  return OkStatus();
}
void EncodeId(PointId id, qdrant::PointId& out);

// "points[3]"
std::string Nth(std::string_view name, size_t index);

// kUnsupported: this is no cluster.
Status CheckShardKey(bool has_selector);

// kMalformed for a number that the enumeration lacks.
template <typename Enum>
Status CheckEnum(bool (*is_valid)(int), Enum value, std::string_view name) {
  if (is_valid(static_cast<int>(value))) return OkStatus();
  return MalformedError(std::string(name) + ": unknown value " +
                        std::to_string(static_cast<int>(value)));
}

}  // namespace akidb::rpc
