// Messages out of the bytes of a call, and back.
#pragma once

#include <string_view>

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include "base/status.h"

namespace akidb::rpc {

// Messages in each other, in one of ours: what is deepest is a filter of kFilterDepthMax levels,
// each of them three messages (filter, condition, nested condition), or a payload of lists.
inline constexpr int kMessageDepthMax = 300;

// What a message that comes in gzip (RFC 1952) may be unpacked to.
inline constexpr size_t kUnpackedBytesMax = size_t{32} << 20;

// Plain or in gzip. kMalformed: no message of that kind, or nested deeper. kTooLarge: it would take
// more memory than message_cost.h allows, or be unpacked to more.
Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& out);
// Of one message that is a field of another.
Status ParseMessage(std::string_view bytes, google::protobuf::Message& out);
// kInternal: larger than a message may be (2 GiB).
Status SerializeMessage(const google::protobuf::MessageLite& message, grpc::ByteBuffer& out);

}  // namespace akidb::rpc
