#include "api/grpc/message_bytes.h"

#include <climits>
#include <functional>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/gzip_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include "api/grpc/message_cost.h"

namespace akidb::rpc {

namespace {

using google::protobuf::io::CodedInputStream;

// Calls `read` with the bytes from their beginning.
using Reading = std::function<void(const std::function<void(CodedInputStream&)>& read)>;

Status ParseFrom(const Reading& from_the_beginning, size_t bytes, google::protobuf::Message& out) {
  const google::protobuf::Descriptor& kind = *out.GetDescriptor();
  bool is_within = true;
  if (bytes > kCostlessBytes) {
    from_the_beginning([&](CodedInputStream& stream) {
      is_within = MessageWalk().IsWithin(CostMax(bytes), kind, stream);
    });
  }
  if (!is_within) {
    return TooLargeError("a message of " + std::to_string(bytes) + " bytes may take at most " +
                         std::to_string(CostMax(bytes)) +
                         " bytes of memory (8 times its size and 32 MiB): it consists of more and "
                         "smaller parts; send them in several messages");
  }
  bool parsed = false;
  from_the_beginning([&](CodedInputStream& stream) {
    parsed = out.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
  });
  if (parsed) return OkStatus();
  std::string invalid;
  from_the_beginning(
      [&](CodedInputStream& stream) { invalid = MessageWalk().FieldOfInvalidText(kind, stream); });
  if (!invalid.empty()) return MalformedError(invalid + ": expected UTF-8");
  return MalformedError("expected a message of the kind " + out.GetTypeName() +
                        ", nested at most " + std::to_string(kMessageDepthMax) + " messages deep");
}

void ReadFrom(google::protobuf::io::ZeroCopyInputStream& bytes,
              const std::function<void(CodedInputStream&)>& read) {
  CodedInputStream stream(&bytes);
  stream.SetRecursionLimit(kMessageDepthMax);
  stream.SetTotalBytesLimit(INT_MAX);
  read(stream);
}

// Whether it is gzip, by its first byte, which would be a field of no known kind in a message.
bool IsPacked(grpc::ByteBuffer& bytes) {
  constexpr unsigned char kFirstOfGzip = 0x1f;
  grpc::ProtoBufferReader reader(&bytes);
  const void* data = nullptr;
  int size = 0;
  while (reader.Next(&data, &size)) {
    if (size > 0) return *static_cast<const unsigned char*>(data) == kFirstOfGzip;
  }
  return false;
}

Status Unpack(grpc::ByteBuffer& packed, std::string& out) {
  constexpr int kEnd = 1;  // of zlib: all of it was there, and its checksum right
  grpc::ProtoBufferReader reader(&packed);
  google::protobuf::io::GzipInputStream stream(&reader,
                                               google::protobuf::io::GzipInputStream::GZIP);
  const void* data = nullptr;
  int size = 0;
  while (stream.Next(&data, &size)) {
    if (out.size() + static_cast<size_t>(size) > kUnpackedBytesMax) {
      return TooLargeError("a message in gzip may hold at most " +
                           std::to_string(kUnpackedBytesMax) + " bytes; send it as it is");
    }
    out.append(static_cast<const char*>(data), static_cast<size_t>(size));
  }
  if (stream.ZlibErrorCode() == kEnd) return OkStatus();
  return MalformedError("the message's gzip is damaged or cut off");
}

}  // namespace

Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& out) {
  // Shares what it is a copy of; a reader wants one that it might change.
  grpc::ByteBuffer shared(bytes);
  if (!shared.Valid()) return MalformedError("the message is missing");
  if (IsPacked(shared)) {
    std::string unpacked;
    AKIDB_RETURN_IF_ERROR(Unpack(shared, unpacked));
    return ParseMessage(std::string_view(unpacked), out);
  }
  return ParseFrom(
      [&shared](const std::function<void(CodedInputStream&)>& read) {
        grpc::ProtoBufferReader reader(&shared);
        ReadFrom(reader, read);
      },
      shared.Length(), out);
}

Status ParseMessage(std::string_view bytes, google::protobuf::Message& out) {
  if (bytes.size() > size_t{INT_MAX}) return MalformedError("the message is larger than 2 GiB");
  return ParseFrom(
      [bytes](const std::function<void(CodedInputStream&)>& read) {
        google::protobuf::io::ArrayInputStream reader(bytes.data(), static_cast<int>(bytes.size()));
        ReadFrom(reader, read);
      },
      bytes.size(), out);
}

Status SerializeMessage(const google::protobuf::MessageLite& message, grpc::ByteBuffer& out) {
  if (message.ByteSizeLong() > size_t{INT_MAX}) return InternalError("the answer is too large");
  bool owned = false;
  const grpc::Status status =
      grpc::GenericSerialize<grpc::ProtoBufferWriter, void>(message, &out, &owned);
  return status.ok() ? OkStatus() : InternalError(status.error_message());
}

}  // namespace akidb::rpc
