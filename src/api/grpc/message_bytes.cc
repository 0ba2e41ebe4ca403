#include "api/grpc/message_bytes.h"

#include <climits>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>

namespace akidb::rpc {

namespace {

Status ParseFrom(google::protobuf::io::ZeroCopyInputStream& bytes,
                 google::protobuf::MessageLite& out) {
  google::protobuf::io::CodedInputStream stream(&bytes);
  stream.SetRecursionLimit(kMessageDepthMax);
  stream.SetTotalBytesLimit(INT_MAX);
  if (out.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage()) return OkStatus();
  return MalformedError("expected a message of the kind " + out.GetTypeName() +
                        ", nested at most " + std::to_string(kMessageDepthMax) + " messages deep");
}

}  // namespace

Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& out) {
  // Shares what it is a copy of; a reader wants one that it might change.
  grpc::ByteBuffer shared(bytes);
  if (!shared.Valid()) return MalformedError("the message is missing");
  grpc::ProtoBufferReader reader(&shared);
  return ParseFrom(reader, out);
}

Status ParseMessage(std::string_view bytes, google::protobuf::MessageLite& out) {
  if (bytes.size() > size_t{INT_MAX}) return MalformedError("the message is larger than 2 GiB");
  google::protobuf::io::ArrayInputStream reader(bytes.data(), static_cast<int>(bytes.size()));
  return ParseFrom(reader, out);
}

Status SerializeMessage(const google::protobuf::MessageLite& message, grpc::ByteBuffer& out) {
  if (message.ByteSizeLong() > size_t{INT_MAX}) return InternalError("the answer is too large");
  bool owned = false;
  const grpc::Status status =
      grpc::GenericSerialize<grpc::ProtoBufferWriter, void>(message, &out, &owned);
  return status.ok() ? OkStatus() : InternalError(status.error_message());
}

}  // namespace akidb::rpc
